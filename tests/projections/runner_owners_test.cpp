// Several runners: one owns a projection at a time, another goes on when it dies or hangs, and P1 holds throughout.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/projections/runner.hpp>

#include <stele/test/kill_at_every_step.hpp>
#include <stele/test/process.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>
#include <thread>

namespace stele {
namespace {

using test::Lines;
using namespace std::chrono_literals;

constexpr auto long_enough = 60s;

// A store with a projection in a file, for runners of this process and of others.
struct Shared {
    test::TemporaryFolder folder{test::memory()};
    std::string path = (folder / "log.stele").string();
    std::string definition = (folder / "counting.sql").string();
    EventStore store = EventStore::open(path, Options{.durability = Durability::relaxed});

    Shared() { std::ofstream{definition} << test::counting_sql; }

    [[nodiscard]] test::Process worker(std::chrono::milliseconds look_every = 5ms,
                                       std::chrono::milliseconds takeover_after = 1h) const {
        return test::Process{{RUNNER_WORKER, path, definition, std::to_string(look_every.count()),
                              std::to_string(takeover_after.count())}};
    }
    [[nodiscard]] std::unique_ptr<Runner> runner(std::chrono::milliseconds takeover_after = 1h) {
        RunnerOptions options;
        options.look_every = 5ms;
        options.takeover_after = takeover_after;
        options.grace = 0ms;
        options.label = "the test";
        auto made = std::make_unique<Runner>(store, options);
        made->add(SqlProjection::load(definition));
        return made;
    }
    [[nodiscard]] Lines counted() const { return test::rows(store, "counting", test::count_and_position); }
    [[nodiscard]] Lines complete() const {
        const auto head = std::to_string(store.head().value());
        return {head + " " + head};
    }
    [[nodiscard]] std::string owner() const {
        ProjectionRegistry registry;
        registry.add(SqlProjection::load(definition));
        return projection_status(store, registry, "counting").owner;
    }
};

// Reads news up to the first one of a kind.
bool reads(test::Process& worker, const std::string& kind) {
    while (const auto line = worker.read_line()) {
        if (line->starts_with(kind + " ")) return true;
    }
    return false;
}

TEST_CASE("of two runners in one process one owns a projection, and the other goes on when it stops",
          "[projections][runner][owners]") {
    Shared shared;
    const auto first = shared.runner();
    const auto second = shared.runner();
    first->start();
    test::note(shared.store, 5);
    CHECK(first->wait_for("counting", Position{5}, long_enough) == WaitResult::reached);
    second->start();
    test::note(shared.store, 5);
    CHECK(second->wait_for("counting", Position{10}, long_enough) == WaitResult::reached);
    first->stop();
    test::note(shared.store, 5);
    CHECK(second->wait_for("counting", Position{15}, long_enough) == WaitResult::reached);
    CHECK(shared.counted() == Lines{"15 15"});
    first->start();
    test::note(shared.store, 5);
    CHECK(first->wait_for("counting", Position{20}, long_enough) == WaitResult::reached);
    CHECK(shared.counted() == Lines{"20 20"});
}

TEST_CASE("when the owner's process is killed another goes on", "[projections][runner][owners][crash]") {
    Shared shared;
    test::note(shared.store, 10);
    auto worker = shared.worker();
    REQUIRE(reads(worker, "live"));
    const auto runner = shared.runner();
    runner->start();
    test::note(shared.store, 10);
    CHECK(runner->wait_for("counting", Position{20}, long_enough) == WaitResult::reached);
    CHECK(shared.owner().starts_with("process "));

    worker.kill();
    (void)worker.wait();
    test::note(shared.store, 10);
    CHECK(runner->wait_for("counting", Position{30}, long_enough) == WaitResult::reached);
    CHECK(shared.counted() == Lines{"30 30"});
    CHECK(shared.owner() == "the test");
}

// Trap 6, for projections. Goal: an owner that hangs is replaced, and when it goes on it writes nothing more.
// Method: stop it while it follows; take over; let it go on with events that it has not seen. It does not look
// around by itself for an hour, so what stops it is the token in the read model's file.
TEST_CASE("an owner that was stopped and replaced writes nothing when it goes on",
          "[projections][runner][owners][P1][traps]") {
    Shared shared;
    test::note(shared.store, 10);
    auto worker = shared.worker(1h);
    REQUIRE(reads(worker, "live"));
    worker.kill(SIGSTOP);
    REQUIRE(worker.wait_until_stopped());
    test::note(shared.store, 10);
    {
        // Trap 11: an owner that hangs is alive, and its lag says that it hangs.
        ProjectionRegistry registry;
        registry.add(SqlProjection::load(shared.definition));
        const auto status = projection_status(shared.store, registry, "counting");
        CHECK_FALSE(status.owner.empty());
        CHECK(status.lag_events == 10);
    }

    const auto runner = shared.runner(20ms);
    runner->start();
    CHECK(runner->wait_for("counting", Position{20}, long_enough) == WaitResult::reached);
    CHECK(shared.owner() == "the test");
    const auto token = ReadModel::open(shared.store, "counting").generation().token;
    worker.kill(SIGCONT);
    CHECK(reads(worker, "lost"));
    CHECK(shared.counted() == Lines{"20 20"});
    test::note(shared.store, 10);
    CHECK(runner->wait_for("counting", Position{30}, long_enough) == WaitResult::reached);
    CHECK(shared.counted() == Lines{"30 30"});
    CHECK(ReadModel::open(shared.store, "counting").generation().token == token);
}

TEST_CASE("an owner with nothing to do is not taken for one that hangs", "[projections][runner][owners]") {
    Shared shared;
    test::note(shared.store, 10);
    auto worker = shared.worker();
    REQUIRE(reads(worker, "live"));
    const auto runner = shared.runner(1ms);
    runner->start();
    for (int i = 0; i < 20; ++i) {
        CHECK(runner->wait_for("counting", shared.store.head(), long_enough) == WaitResult::reached);
        std::this_thread::yield();
    }
    pause(shared.store, "counting");
    test::note(shared.store, 10);
    CHECK(runner->wait_for("counting", Position{20}, long_enough) == WaitResult::paused);
    CHECK(shared.owner().starts_with("process "));
}

// Goal:   P1 whichever change of the disk the owner's process dies before, while it builds, claims and follows.
// Method: kill it before its first change, its second, …; another runner goes on; compare with a count of the log.
TEST_CASE("a runner killed at any step leaves a read model that another goes on with",
          "[projections][runner][owners][P1][crash]") {
    const bool is_absent = GENERATE(false, true);
    CAPTURE(is_absent);
    Shared shared;
    test::note(shared.store, 25);
    shared.runner()->step();
    const auto killed = test::kill_at_every_step(
        [&](int) {
            test::note(shared.store, 12);
            if (is_absent) std::filesystem::remove_all(shared.store.models_folder());
            return std::vector<std::string>{RUNNER_WORKER, shared.path, shared.definition, "step"};
        },
        [&](int nth, const std::string&, int) {
            CAPTURE(nth);
            shared.runner()->step();
            CHECK(shared.counted() == shared.complete());
        });
    CHECK(killed > 5);
}

TEST_CASE("owners that are killed at random lose nothing and do nothing twice",
          "[projections][runner][owners][P1][crash]") {
    test::Random random;
    CAPTURE(random.seed());
    Shared shared;
    const auto runner = shared.runner(50ms);
    runner->start();
    for (int round = 0; round < 10; ++round) {
        auto worker = shared.worker(1ms, 50ms);
        for (auto appends = random.below(20); appends > 0; --appends) {
            test::note(shared.store, static_cast<int>(random.between(1, 30)));
        }
        if (random.one_in(2)) {
            runner->stop();
            CHECK(reads(worker, "live"));
            runner->start();
        }
        worker.kill();
        (void)worker.wait();
        CHECK(runner->wait_for("counting", shared.store.head(), long_enough) == WaitResult::reached);
        CHECK(shared.counted() == shared.complete());
    }
}

// Trap 12. Method: count what reaches the disk, while runners of every kind look around a few hundred times.
TEST_CASE("an idle runner writes nothing", "[projections][runner][traps]") {
    test::FaultyDisk disk{{.models_power = false}};
    auto store = EventStore::open((disk / "log.stele").string(),
                                  Options{.durability = Durability::relaxed, .sqlite_vfs = disk.vfs()});
    test::note(store, 5);
    const auto named = [](const std::string& heading, const std::string& handler) {
        return SqlProjection::parse("--@ projection " + heading +
                                        "\n--@ create\nCREATE TABLE t (n INTEGER NOT NULL);\n" +
                                        "INSERT INTO t VALUES (0);\n--@ on *\n" + handler,
                                    heading + ".sql");
    };
    ProjectionRegistry registry;
    registry.add(test::counting());
    registry.add(named("in_step version 1 mode sync", "UPDATE t SET n = n + 1"));
    registry.add(named("failing version 1", "UPDATE t SET n = NULL"));
    registry.add(named("paused version 1", "UPDATE t SET n = n + 1"));
    registry.add(named("none version 1", "UPDATE t SET n = n + 1"));
    RunnerOptions options;
    options.look_every = 1ms;
    options.sqlite_vfs = disk.vfs();
    Runner owner{store, options};
    Runner watcher{store, options};
    owner.add(registry);
    watcher.add(registry);
    owner.start();
    CHECK(owner.wait_for("paused", Position{5}, long_enough) == WaitResult::reached);
    pause(store, "paused", disk.vfs());
    CHECK(owner.wait_for("failing", Position{5}, long_enough) == WaitResult::failed);
    watcher.start();
    test::note(store, 5);
    for (const auto* const name : {"counting", "in_step", "none"}) {
        CHECK(watcher.wait_for(name, Position{10}, long_enough) == WaitResult::reached);
    }
    CHECK(owner.wait_for("paused", Position{10}, long_enough) == WaitResult::paused);

    const auto looks = [&] { return disk.seen(test::Op::lock) + disk.seen(test::Op::read); };
    const auto writes = [&] {
        return disk.seen(test::Op::write | test::Op::sync | test::Op::truncate | test::Op::remove);
    };
    const auto look_around = [&] {
        for (const auto enough = looks() + 2'000; looks() < enough;) std::this_thread::yield();
    };
    look_around();  // what was still to be settled is
    const auto before = writes();
    look_around();
    CHECK(writes() == before);
}

}  // namespace
}  // namespace stele
