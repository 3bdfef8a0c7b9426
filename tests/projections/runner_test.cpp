// The runner: read models follow the log by themselves, each by itself, and are left alone where they are to be.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/lifecycle.hpp>
#include <stele/projections/runner.hpp>

#include <stele/test/faulty_disk.hpp>
#include <stele/test/temporary_folder.hpp>

#include <atomic>
#include <fstream>
#include <latch>
#include <mutex>
#include <semaphore>
#include <thread>

namespace stele {
namespace {

using test::Lines;
using namespace std::chrono_literals;

// Longer than anything here takes: a wait that ends by it has failed.
constexpr auto long_enough = 60s;

EventStore quick_store() { return EventStore::temporary(Options{.durability = Durability::relaxed}); }

Lines counted(const EventStore& store) { return test::rows(store, "counting", test::count_and_position); }

std::shared_ptr<const SqlProjection> sql(const std::string& heading, const std::string& on = "*",
                                         const std::string& handler = "UPDATE t SET n = n + 1") {
    return SqlProjection::parse("--@ projection " + heading +
                                    "\n--@ create\nCREATE TABLE t (n INTEGER NOT NULL);\n" +
                                    "INSERT INTO t VALUES (0);\n--@ on " + on + "\n" + handler,
                                heading.substr(0, heading.find(' ')) + ".sql");
}

// Fails at events of type Bad.
std::shared_ptr<const SqlProjection> fragile(const std::string& rest = " version 1") {
    return sql("fragile" + rest, "*", "UPDATE t SET n = CASE WHEN $type = 'Bad' THEN NULL ELSE n + 1 END");
}

ProjectionStatus status_of(const Runner& runner, const std::string& name) {
    for (auto& status : runner.status()) {
        if (status.name == name) return status;
    }
    FAIL("expected a status of " + name);
    return {};
}

TEST_CASE("read models stay in their store when the process changes its folder", "[projections][runner]") {
    const test::TemporaryFolder home;
    const test::TemporaryFolder elsewhere;
    const test::InFolder at_home{home.path()};
    auto store = EventStore::open("log.stele", Options{.durability = Durability::relaxed});
    test::note(store, 3);
    test::rebuild_now(store, *test::counting());
    Runner runner{store};
    runner.add(test::counting());
    runner.add(test::payments());
    runner.start();
    REQUIRE(runner.wait_for("counting", Position{3}, long_enough) == WaitResult::reached);
    const auto model = runner.model("counting");

    const test::InFolder gone{elsewhere.path()};
    test::note(store, 4);
    CHECK(runner.wait_for("counting", Position{7}, long_enough) == WaitResult::reached);
    test::rebuild_now(store, *test::counting());
    CHECK(runner.wait_for("counting", Position{7}, long_enough) == WaitResult::reached);
    CHECK(test::lines_of(model.query(test::count_and_position)) == Lines{"7 7"});
    REQUIRE(runner.wait_for("payments", Position{7}, long_enough) == WaitResult::reached);
    CHECK(pause(store, "payments").state == "paused");
    CHECK(status_of(runner, "payments").state == "paused");
    CHECK(projection_status(store, {}, "counting").owner == status_of(runner, "counting").owner);
    runner.stop();
    drop(store, "payments");
    CHECK(std::filesystem::is_empty(elsewhere.path()));
    CHECK(std::filesystem::exists(home / "log.stele" / "models" / "counting.db"));
}

TEST_CASE("a runner builds what is absent and follows the log", "[projections][runner]") {
    auto store = quick_store();
    test::note(store, 30);
    Runner runner{store};
    runner.add(test::counting());
    runner.add(test::payments());
    runner.start();
    CHECK(runner.wait_for("counting", Position{30}, long_enough) == WaitResult::reached);
    CHECK(counted(store) == Lines{"30 30"});
    for (int i = 0; i < 20; ++i) {
        test::note(store, 3);
        REQUIRE(runner.wait_for("counting", store.head(), long_enough) == WaitResult::reached);
    }
    CHECK(counted(store) == Lines{"90 90"});
    test::pay(store, 200);
    CHECK(runner.wait_for("payments", store.head(), long_enough) == WaitResult::reached);
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, store.head()));

    const auto status = status_of(runner, "counting");
    CHECK(status.state == "live");
    CHECK_FALSE(status.owner.empty());
    CHECK(runner.wait_for("payments", store.head().next(), 1ms) == WaitResult::timed_out);
    CHECK_THROWS_AS(runner.wait_for("paymemts", Position{1}, 1ms), NotFound);
}

TEST_CASE("an old generation goes when the runner and its last reader have closed it",
          "[projections][runner][P2]") {
    auto store = quick_store();
    test::note(store, 30);
    Runner runner{store, {.look_every = 0ms}};
    runner.add(test::counting());
    runner.step();
    auto reader = std::make_optional(ReadModel::open(store, "counting"));
    test::rebuild_now(store, *test::counting());
    test::note(store, 5);
    runner.step();
    CHECK(counted(store) == Lines{"35 35"});
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g1.db", "counting.g2.db"});
    CHECK(test::lines_of(reader->query(test::count_and_position)) == Lines{"30 30"});

    reader.reset();
    const auto deadline = std::chrono::steady_clock::now() + long_enough;
    while (test::model_files(store) != Lines{"counting.db", "counting.g2.db"}) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        runner.step();
    }
    CHECK(counted(store) == Lines{"35 35"});
}

TEST_CASE("a runner follows what other handles and processes append", "[projections][runner]") {
    auto store = quick_store();
    auto elsewhere = EventStore::open(store.name());
    Runner runner{store};
    runner.add(test::counting());
    runner.add(sql("in_step version 1 mode sync"));
    runner.start();
    test::note(elsewhere, 5);
    CHECK(runner.wait_for("counting", Position{5}, long_enough) == WaitResult::reached);
    CHECK(runner.wait_for("in_step", Position{5}, long_enough) == WaitResult::reached);
    CHECK(counted(store) == Lines{"5 5"});
}

// Trap 13. Goal: two generations side by side, the one that a runner advances and the one that a rebuild makes,
// never
//                both act for the readers of one: each event is in it once.
// Method: rebuild over and over under a runner and under appends; the projection counts every event that it is
// handed,
//         so that an event folded twice, or by the wrong one, leaves a count that is not the position.
TEST_CASE("rebuilds under a runner and under appends count each event once", "[projections][runner][traps]") {
    auto store = quick_store();
    test::note(store, 50);
    test::rebuild_now(store, *test::counting());  // the runner's own build might be about to end when others begin
    Runner runner{store};
    runner.add(test::counting());
    runner.start();
    REQUIRE(runner.wait_for("counting", Position{50}, long_enough) == WaitResult::reached);

    // So many appends beside a rebuild, and no more: where folding is slow, the log would grow faster than it is
    // folded, and each rebuild would take a multiple of the one before.
    constexpr int appends_beside_a_rebuild = 300;
    struct Appender {
        std::counting_semaphore<>& allowed;
        std::atomic<bool>& done;
        std::thread thread;
        void end() {
            done = true;
            allowed.release();
            if (thread.joinable()) thread.join();
        }
        ~Appender() { end(); }
    };
    std::counting_semaphore<> allowed{0};
    std::atomic<bool> done = false;
    Appender appender{allowed, done, std::thread{[&] {
                          for (allowed.acquire(); !done; allowed.acquire()) test::note(store, 3);
                      }}};
    Lines wrong;
    for (int i = 0; i < 25; ++i) {
        allowed.release(appends_beside_a_rebuild);
        test::rebuild_now(store, *test::counting());
        const auto found = counted(store).front();
        if (found.substr(0, found.find(' ')) != found.substr(found.find(' ') + 1)) wrong.push_back(found);
    }
    appender.end();

    CHECK(wrong == Lines{});
    const auto head = store.head();
    REQUIRE(runner.wait_for("counting", head, long_enough) == WaitResult::reached);
    CHECK(counted(store) == Lines{std::to_string(head.value()) + " " + std::to_string(head.value())});
    CHECK(status_of(runner, "counting").generation == 26);
}

TEST_CASE("a runner does not go back from a definition that somebody else has gone on to",
          "[projections][runner]") {
    auto store = quick_store();
    test::note(store, 5);
    const auto second =
        SqlProjection::parse(std::string{test::counting_sql}.replace(
                                 std::string_view{test::counting_sql}.find("version 1"), 9, "version 2"),
                             "counting.sql");
    Runner old{store, {.look_every = 0ms}};
    old.add(test::counting());
    old.step();
    REQUIRE(status_of(old, "counting").version == 1);

    test::rebuild_now(store, *second);
    test::note(store, 2);
    old.step();
    old.step();
    CHECK(ReadModel::open(store, "counting").generation().version == 2);
    CHECK(counted(store) == Lines{"5 5"});

    SECTION("a runner that has it takes over") {
        Runner next{store, {.look_every = 0ms}};
        next.add(second);
        next.step();
        CHECK(counted(store) == Lines{"7 7"});
        old.step();
        next.step();
        CHECK(ReadModel::open(store, "counting").generation().number == 2);
    }
    SECTION("a runner that is started with the earlier version leaves it, too") {
        Runner late{store, {.look_every = 0ms}};
        late.add(test::counting());
        late.step();
        CHECK(ReadModel::open(store, "counting").generation().version == 2);
    }
    SECTION("rebuilt by the definition that the runner has, it goes on") {
        test::rebuild_now(store, *test::counting());
        test::note(store, 1);
        old.step();
        CHECK(counted(store) == Lines{"8 8"});
        CHECK(status_of(old, "counting").version == 1);
    }
}

TEST_CASE("several threads may start and stop a runner at once", "[projections][runner]") {
    auto store = quick_store();
    test::note(store, 3);
    Runner runner{store};
    runner.add(test::counting());
    for (int round = 0; round < 20; ++round) {
        runner.start();
        std::latch at_once{3};
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&, i] {
                at_once.arrive_and_wait();
                if (i == 0) runner.start();
                runner.stop();
            });
        }
        for (auto& thread : threads) thread.join();
    }
    runner.start();
    CHECK(runner.wait_for("counting", Position{3}, long_enough) == WaitResult::reached);
}

TEST_CASE("a runner works step by step without threads", "[projections][runner]") {
    auto store = quick_store();
    Runner runner{store};
    runner.add(test::counting());
    CHECK(runner.step() == 0);
    CHECK(counted(store) == Lines{"0 0"});
    test::note(store, 25);
    CHECK(runner.step(10) == 10);
    CHECK(counted(store) == Lines{"10 10"});
    CHECK(runner.step(10) == 10);
    CHECK(runner.step(10) == 5);
    CHECK(runner.step(10) == 0);
    CHECK(counted(store) == Lines{"25 25"});

    std::stop_source stop;
    stop.request_stop();
    test::note(store, 5);
    CHECK(runner.step(10, stop.get_token()) == 0);
    CHECK(runner.step() == 5);
    CHECK(runner.wait_for("counting", Position{30}, 0ms) == WaitResult::reached);
}

TEST_CASE("a stopped runner leaves its projections free, and may be started again", "[projections][runner]") {
    auto store = quick_store();
    Runner runner{store};
    runner.add(test::counting());
    runner.start();
    test::note(store, 5);
    CHECK(runner.wait_for("counting", Position{5}, long_enough) == WaitResult::reached);
    runner.stop();
    CHECK(status_of(runner, "counting").owner.empty());
    test::note(store, 5);
    CHECK(runner.wait_for("counting", Position{10}, 1ms) == WaitResult::timed_out);
    CHECK(runner.wait_for("counting", Position{5}, 1ms) == WaitResult::reached);

    Runner other{store};
    other.add(test::counting());
    other.start();
    CHECK(other.wait_for("counting", Position{10}, long_enough) == WaitResult::reached);
    other.stop();
    runner.start();
    test::note(store, 5);
    CHECK(runner.wait_for("counting", Position{15}, long_enough) == WaitResult::reached);
    CHECK(counted(store) == Lines{"15 15"});
}

TEST_CASE("a projection that fails stays at its event and stops no other", "[projections][runner]") {
    auto store = quick_store();
    Runner runner{store};
    runner.add(test::counting());
    runner.add(fragile());
    runner.start();
    test::note(store, 3);
    CHECK(runner.wait_for("fragile", Position{3}, long_enough) == WaitResult::reached);
    test::seed(store, StreamId{"S", "1"}, {"Bad", "Good"});
    CHECK(runner.wait_for("fragile", Position{5}, long_enough) == WaitResult::failed);
    CHECK(runner.wait_for("fragile", Position{3}, long_enough) == WaitResult::reached);
    CHECK(runner.wait_for("counting", Position{5}, long_enough) == WaitResult::reached);

    const auto status = status_of(runner, "fragile");
    CHECK(status.state == "failed");
    CHECK(status.position == Position{3});
    REQUIRE(status.failure);
    CHECK(status.failure->position == Position{4});
    CHECK(status.failure->type == "Bad");
    CHECK_THAT(status.failure->error, ContainsSubstring("NOT NULL constraint failed"));
    CHECK_THAT(status.failure->place, ContainsSubstring("fragile.sql:6"));
    CHECK_THAT(status.advice, ContainsSubstring("stele projection rebuild fragile"));

    resume(store, "fragile");  // the event is what it was
    CHECK(runner.wait_for("fragile", Position{5}, long_enough) == WaitResult::failed);
    CHECK(test::rows(store, "fragile", "SELECT n FROM t") == Lines{"3"});
}

TEST_CASE("a projection whose first build fails says at what, and waits for another definition",
          "[projections][runner]") {
    auto store = quick_store();
    test::seed(store, StreamId{"S", "1"}, {"Good", "Bad", "Good"});
    {
        Runner runner{store};
        runner.add(fragile());
        runner.start();
        CHECK(runner.wait_for("fragile", Position{3}, long_enough) == WaitResult::failed);
        const auto status = status_of(runner, "fragile");
        CHECK(status.state == "failed");
        REQUIRE(status.failure);
        CHECK(status.failure->position == Position{2});
        CHECK_THAT(status.failure->place, ContainsSubstring("fragile.sql:"));
    }
    Runner runner{store};
    runner.add(fragile(" version 2 on-error skip"));
    runner.start();
    CHECK(runner.wait_for("fragile", Position{3}, long_enough) == WaitResult::reached);
    CHECK(test::rows(store, "fragile", "SELECT n FROM t") == Lines{"2"});
    CHECK(status_of(runner, "fragile").skipped == 1);
}

TEST_CASE("a changed projection is rebuilt by itself while its readers have the old one", "[projections][runner]") {
    auto store = quick_store();
    test::note(store, 10);
    rebuild(store, *sql("t version 1"));
    const LiveModel readers{store, "t"};
    CHECK(test::lines_of(readers.query("SELECT n FROM t")) == Lines{"10"});

    Runner runner{store};
    runner.add(sql("t version 2", "*", "UPDATE t SET n = n + 2"));
    runner.start();
    CHECK(runner.wait_for("t", Position{10}, long_enough) == WaitResult::reached);
    test::note(store, 1);
    CHECK(runner.wait_for("t", Position{11}, long_enough) == WaitResult::reached);
    CHECK(test::lines_of(readers.query("SELECT n FROM t")) == Lines{"22"});
    CHECK(status_of(runner, "t").version == 2);
}

TEST_CASE("a runner minds what others do to a projection", "[projections][runner]") {
    auto store = quick_store();
    RunnerOptions options;
    options.look_every = 5ms;
    options.grace = 0ms;
    Runner runner{store, options};
    runner.add(test::counting());
    runner.start();
    test::note(store, 10);
    CHECK(runner.wait_for("counting", Position{10}, long_enough) == WaitResult::reached);

    pause(store, "counting");
    test::note(store, 10);
    CHECK(runner.wait_for("counting", Position{20}, long_enough) == WaitResult::paused);
    CHECK(counted(store) == Lines{"10 10"});
    resume(store, "counting");
    while (runner.wait_for("counting", Position{20}, long_enough) == WaitResult::paused) std::this_thread::yield();
    CHECK(counted(store) == Lines{"20 20"});

    RebuildOptions keep;
    keep.keep_old = true;
    test::rebuild_now(store, *test::counting(), keep);
    test::note(store, 10);
    CHECK(runner.wait_for("counting", Position{30}, long_enough) == WaitResult::reached);
    CHECK(counted(store) == Lines{"30 30"});

    rollback(store, "counting");
    test::note(store, 10);
    while (counted(store) != Lines{"40 40"}) std::this_thread::yield();
    CHECK(ReadModel::open(store, "counting").generation().number == 1);
}

TEST_CASE("a slow projection holds up no other", "[projections][runner]") {
    struct Slow {
        std::string_view name = "slow";
        int version = 1;
        std::shared_ptr<std::latch> held;
        std::shared_ptr<std::latch> go_on;
        void setup(Model& model) { model.exec("CREATE TABLE slow (n)"); }
        void on(const Event& event, Model&) {
            if (event.position != Position{2}) return;
            held->count_down();
            go_on->wait();
        }
    };
    auto store = quick_store();
    test::note(store, 1);
    const auto held = std::make_shared<std::latch>(1);
    const auto go_on = std::make_shared<std::latch>(1);
    Runner runner{store};
    runner.add(projection(Slow{.held = held, .go_on = go_on}));
    runner.add(test::counting());
    runner.start();
    CHECK(runner.wait_for("slow", Position{1}, long_enough) == WaitResult::reached);
    test::note(store, 1);
    held->wait();
    test::note(store, 100);
    CHECK(runner.wait_for("counting", Position{102}, long_enough) == WaitResult::reached);
    CHECK(runner.wait_for("slow", Position{102}, 1ms) == WaitResult::timed_out);
    // Trap 11: what hangs looks as bad as it is.
    CHECK(status_of(runner, "slow").lag_events == 101);
    go_on->count_down();
    CHECK(runner.wait_for("slow", Position{102}, long_enough) == WaitResult::reached);
}

TEST_CASE("a dropped projection is left alone until it is rebuilt", "[projections][runner]") {
    auto store = quick_store();
    RunnerOptions options;
    options.look_every = 5ms;
    Runner runner{store, options};
    runner.add(test::counting());
    runner.start();
    CHECK(runner.wait_for("counting", Position{0}, long_enough) == WaitResult::reached);
    test::note(store, 3);
    CHECK(runner.wait_for("counting", Position{3}, long_enough) == WaitResult::reached);
    drop(store, "counting");
    test::note(store, 3);
    CHECK(runner.wait_for("counting", Position{6}, long_enough) == WaitResult::paused);
    CHECK(status_of(runner, "counting").state == "dropped");
    test::rebuild_now(store, *test::counting());
    test::note(store, 3);
    while (runner.wait_for("counting", Position{9}, long_enough) == WaitResult::paused) std::this_thread::yield();
    CHECK(counted(store) == Lines{"9 9"});
}

TEST_CASE("projections are added before the runner begins", "[projections][runner]") {
    auto store = quick_store();
    Runner runner{store};
    runner.add(test::counting());
    CHECK_THROWS_AS(runner.add(test::counting()), InvalidInput);
    runner.start();
    CHECK_THROWS_AS(runner.add(test::payments()), InvalidInput);
    CHECK_THROWS_AS(runner.step(), InvalidInput);
    CHECK_THROWS_AS(runner.model("payments"), NotFound);
}

}  // namespace
}  // namespace stele
