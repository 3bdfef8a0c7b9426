// Whoever advances a read model without a pause keeps nobody out who wants something of it for a moment.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/lifecycle.hpp>
#include <stele/projections/runner.hpp>

#include <stele/test/faulty_disk.hpp>

#include <thread>

namespace stele {
namespace {

using namespace std::chrono_literals;

constexpr auto long_enough = 60s;

EventStore quick_store() { return EventStore::temporary(Options{.durability = Durability::relaxed}); }

/// Counts every event, and takes its time with each.
struct Counter {
    std::chrono::microseconds each{0};
    static constexpr auto name = "counter";
    static constexpr int version = 1;
    void setup(Model& model) const { model.exec("CREATE TABLE t (n INTEGER NOT NULL); INSERT INTO t VALUES (0)"); }
    void on(const Event&, Model& model) const {
        const auto until = std::chrono::steady_clock::now() + each;
        model.exec("UPDATE t SET n = n + 1");
        while (std::chrono::steady_clock::now() < until) continue;
    }
};

Position position_of(const EventStore& store) { return ReadModel::open(store, "counter").generation().position; }

// Goal:   what an operator asks for is done while a runner works off a long log, one transaction upon the other.
// Method: a log that takes ten seconds, in transactions of ten milliseconds; SQLite alone would let nobody in
//         before the end, and say after five seconds that the file is locked.
TEST_CASE("who wants a read model for a moment gets it while a runner catches up", "[projections][runner]") {
    auto store = quick_store();
    const auto quick = projection(Counter{});
    RebuildOptions keep;
    keep.keep_old = true;
    test::note(store, 10);
    test::rebuild_now(store, *quick);
    test::rebuild_now(store, *quick, keep);
    for (int i = 0; i < 20; ++i) test::note(store, 1'000);
    RunnerOptions options;
    options.batch = 20;
    options.look_every = 5ms;
    Runner runner{store, options};
    runner.add(projection(Counter{500us}));
    runner.start();
    REQUIRE(runner.wait_for("counter", Position{100}, long_enough) == WaitResult::reached);

    SECTION("to pause it") {
        const auto paused = pause(store, "counter");
        CHECK(paused.state == "paused");
        CHECK(paused.position < store.head());
        CHECK(position_of(store) == paused.position);
        CHECK(runner.wait_for("counter", store.head(), long_enough) == WaitResult::paused);
    }
    SECTION("to go back from it") {
        CHECK(rollback(store, "counter").number == 1);
        CHECK(position_of(store) < store.head());
    }
    SECTION("to switch to one that was built beside it") {
        const auto rebuilt = test::rebuild_now(store, *quick);
        CHECK(rebuilt.generation.number == 3);
        CHECK(runner.wait_for("counter", store.head(), long_enough) == WaitResult::reached);
        CHECK(test::rows(store, "counter", "SELECT n, generation FROM t, stele_projection") ==
              test::Lines{"20010 3"});
    }
}

TEST_CASE("a slow handler shows that it moves before its batch is full", "[projections][runner]") {
    auto store = quick_store();
    test::rebuild_now(store, *projection(Counter{}));
    test::note(store, 20);
    Runner runner{store};
    runner.add(projection(Counter{60ms}));
    runner.start();
    while (position_of(store) == Position{0}) std::this_thread::yield();
    CHECK(position_of(store) < store.head());
}

TEST_CASE("a build whose switch fails is gone on with, not begun again", "[projections][rebuild]") {
    test::FaultyDisk disk{{.models_power = false}};
    auto store = EventStore::open((disk / "log.stele").string(), Options{.durability = Durability::relaxed});
    RebuildOptions options;
    options.sqlite_vfs = disk.vfs();
    options.keep_old = true;
    test::note(store, 20);
    test::rebuild_now(store, *test::counting(), options);
    test::note(store, 20);
    disk.fail({.op = test::Op::write, .nth = 1, .file = ".g1.db-wal"}, {.for_good = true});
    CHECK_THROWS_AS(rebuild(store, *test::counting(), options), ProjectionError);
    CHECK(ReadModel::open(store.models_folder(), "counting", disk.vfs()).generation().number == 1);

    disk.heal();
    const auto rebuilt = test::rebuild_now(store, *test::counting(), options);
    CHECK(rebuilt.began_at == Position{40});
    CHECK(rebuilt.events == 0);
    CHECK(rebuilt.generation.number == 2);
}

}  // namespace
}  // namespace stele
