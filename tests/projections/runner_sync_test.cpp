// Sync projections: up to date before append() returns, whatever else happens to them; and P3.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/lifecycle.hpp>
#include <stele/projections/runner.hpp>

#include <stele/test/faulty_disk.hpp>
#include <stele/test/random.hpp>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

namespace stele {
namespace {

using test::Lines;
using namespace std::chrono_literals;

constexpr auto long_enough = 60s;

EventStore quick_store() { return EventStore::temporary(Options{.durability = Durability::relaxed}); }

/// counting, applied before append() returns.
std::shared_ptr<const SqlProjection> counting_in_step(const std::string& rest = "") {
    std::string text = test::counting_sql;
    return SqlProjection::parse(text.replace(text.find(" version 1"), 10, " version 1 mode sync" + rest),
                                "counting.sql");
}

std::int64_t count_in(const LiveModel& model) {
    std::int64_t n = -1;
    for (const Row& row : model.query("SELECT n FROM counting")) n = row.integer(0);
    return n;
}

/// Keeps every field of every envelope that it sees.
struct Envelopes {
    std::string_view name;
    int version = 1;
    ProjectionMode mode = ProjectionMode::async;
    void setup(Model& model) {
        model.exec(
            "CREATE TABLE envelopes (position INTEGER PRIMARY KEY, version, stream, tenant, type, schema_version, "
            "id, "
            "occurred_at, recorded_at, data, metadata, tags)");
    }
    void on(const Event& e, Model& model) {
        std::string tags;
        for (const auto& tag : e.tags) tags += tag + "\n";
        model.exec("INSERT INTO envelopes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)", e.position,
                   e.version, e.stream.name(), e.stream.tenant(), e.type, e.schema_version, e.id, e.occurred_at,
                   e.recorded_at, e.data, e.metadata, tags);
    }
};

TEST_CASE("a sync projection is up to date when append returns", "[projections][runner][sync]") {
    auto store = quick_store();
    test::note(store, 5);
    Runner runner{store};
    runner.add(counting_in_step());
    runner.start();
    const auto model = runner.model("counting");
    CHECK(count_in(model) == 5);
    for (int i = 6; i <= 30; ++i) {
        test::note(store, 1);
        REQUIRE(count_in(model) == i);
    }
    CHECK(runner.wait_for("counting", store.head(), 0ms) == WaitResult::reached);

    const auto answer =
        store.append_async(Append{}.to(StreamId{"S", "2"}, expect::any, {test::event("Noted")})).get();
    CHECK(std::get<Appended>(answer).last_position == Position{31});
    CHECK(count_in(model) == 31);

    runner.stop();
    test::note(store, 1);
    CHECK(count_in(model) == 31);
}

TEST_CASE("a sync projection is up to date for every one of many callers", "[projections][runner][sync]") {
    auto store = quick_store();
    Runner runner{store};
    runner.add(counting_in_step());
    runner.start();
    const auto model = runner.model("counting");
    std::atomic<int> behind = 0;
    constexpr int callers = 4;
    std::barrier start{callers};
    {
        std::vector<std::jthread> threads;
        for (int caller = 0; caller < callers; ++caller) {
            threads.emplace_back([&, caller] {
                const StreamId stream{"S", std::to_string(caller)};
                start.arrive_and_wait();
                for (int i = 0; i < 100; ++i) {
                    const auto appended = store.append(stream, expect::any, {test::event("Noted")});
                    if (count_in(model) < appended.last_position.value()) ++behind;
                }
            });
        }
    }
    CHECK(behind == 0);
    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"400 400"});
}

// A first answer may have been lost before the projection had the events; the repetition's answer makes it good.
TEST_CASE("a repetition returns when the events it repeats are taken in", "[projections][runner][sync]") {
    auto store = quick_store();
    const auto append = Append{}.to(StreamId{"S", "1"}, expect::any, {test::event("Noted")});
    Runner runner{store};
    runner.add(counting_in_step());
    runner.start();
    {
        auto elsewhere = EventStore::open(store.name());
        (void)elsewhere.append(append);
    }
    CHECK(store.append(append).duplicate);
    CHECK(count_in(runner.model("counting")) == 1);
}

// Trap 30. Goal: P3. Method: the same projection in both modes keeps every field; events of all shapes, in appends
// of one and of many, over several streams, by threads, and by another handle.
TEST_CASE("sync and async projections see identical envelopes", "[projections][runner][sync][P3][traps]") {
    auto store = quick_store();
    auto elsewhere = EventStore::open(store.name());
    Runner runner{store};
    runner.add(projection(Envelopes{.name = "following"}));
    runner.add(projection(Envelopes{.name = "in_step", .mode = ProjectionMode::sync}));
    runner.start();

    const StreamId acme{"acme", "Site", "site/1"};
    store.append(
        acme, expect::none,
        {event("SiteCreated", {{"domain", "example.org"}, {"n", 1.5}}).by("user-7").tag("plan:pro").tag("a")});
    for (int i = 0; i < 10; ++i) {
        store.append(Append{}
                         .to(acme, expect::any, {event("A", {{"i", i}}), event("B")})
                         .to(StreamId{"Site", "2"}, expect::any, {event("A").at(now() - 24h)})
                         .to(acme, expect::any, {event("C")}));
        elsewhere.append(StreamId{"Site", "3"}, expect::any, {event("D", {{"text", "\u00fc\n"}})});
    }
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 3; ++t) {
            threads.emplace_back([&store, t] {
                for (int i = 0; i < 20; ++i)
                    store.append(StreamId{"T", std::to_string(t)}, expect::any, {event("E"), event("F")});
            });
        }
    }
    REQUIRE(runner.wait_for("following", store.head(), long_enough) == WaitResult::reached);
    REQUIRE(runner.wait_for("in_step", store.head(), long_enough) == WaitResult::reached);
    const auto all = "SELECT * FROM envelopes ORDER BY position";
    const auto in_step = test::rows(store, "in_step", all);
    CHECK(in_step.size() == static_cast<std::size_t>(store.head().value()));
    CHECK(in_step == test::rows(store, "following", all));
}

/// The same, without the parts that it does not name.
struct Places : Envelopes {
    static constexpr EventParts parts{.id = false, .data = false, .metadata = false, .tags = false};
};

// An append alone hands its events over; of several parts, or behind another's append, they are read.
TEST_CASE("what a sync projection is handed gives the rows that a read gives", "[projections][runner][sync][P1]") {
    test::Random random;
    CAPTURE(random.seed());
    auto store = quick_store();
    auto elsewhere = EventStore::open(store.name(), Options{.durability = Durability::relaxed});
    const std::array<std::shared_ptr<const Projection>, 2> projections{
        projection(Envelopes{.name = "whole", .mode = ProjectionMode::sync}),
        projection(Places{{.name = "places", .mode = ProjectionMode::sync}})};
    Runner runner{store};
    for (const auto& each : projections) runner.add(each);
    runner.start();
    for (int i = 0; i < 200; ++i) {
        auto& by = random.one_in(5) ? elsewhere : store;
        Append append;
        for (auto parts = random.one_in(4) ? 2 : 1; parts > 0; --parts) {
            std::vector<NewEvent> events;
            for (auto left = 1 + random.below(3); left > 0; --left) events.push_back(random.new_event());
            append.to(random.stream(), expect::any, std::move(events));
        }
        by.append(append);
        if (random.one_in(10)) by.append(append);
    }
    test::seed(store, StreamId{"S", "1"}, {"Noted"});
    for (const auto& each : projections) {
        CHECK(runner.wait_for(each->name(), store.head(), 0ms) == WaitResult::reached);
        const auto checked = check(store, *each).value();
        CHECK(checked.ok());
        CHECK(checked.tables.at(0).rows == store.head().value());
    }
}

TEST_CASE("a sync projection that fails fails no append", "[projections][runner][sync]") {
    auto store = quick_store();
    Runner runner{store};
    runner.add(
        SqlProjection::parse("--@ projection fragile version 1 mode sync\n--@ create\n"
                             "CREATE TABLE t (n INTEGER NOT NULL); INSERT INTO t VALUES (0);\n"
                             "--@ on Bad\nUPDATE t SET n = NULL\n--@ on Noted\nUPDATE t SET n = n + 1\n",
                             "fragile.sql"));
    runner.add(counting_in_step());
    runner.start();
    test::note(store, 3);
    CHECK(test::seed(store, StreamId{"S", "1"}, {"Bad"}).last_position == Position{4});
    CHECK(test::seed(store, StreamId{"S", "1"}, {"Noted"}).last_position == Position{5});
    CHECK(count_in(runner.model("counting")) == 5);
    CHECK(runner.wait_for("fragile", Position{5}, long_enough) == WaitResult::failed);
    CHECK(test::rows(store, "fragile", "SELECT n, position FROM t, stele_projection") == Lines{"3 3"});
    const auto status = projection_status(store, runner.registry(), "fragile");
    CHECK(status.state == "failed");
    CHECK(status.failure.value().type == "Bad");
}

TEST_CASE("a sync projection stays in step through rebuilds by others, and comes back from a pause",
          "[projections][runner][sync]") {
    auto store = quick_store();
    RunnerOptions options;
    options.look_every = 5ms;
    Runner runner{store, options};
    runner.add(counting_in_step());
    runner.start();
    const auto model = runner.model("counting");
    for (int i = 0; i < 5; ++i) {
        test::note(store, 2);
        test::rebuild_now(store, *counting_in_step());
        test::note(store, 1);
        CHECK(count_in(model) == store.head().value());
    }
    pause(store, "counting");
    test::note(store, 1);
    CHECK(count_in(model) == 15);
    CHECK(runner.wait_for("counting", store.head(), long_enough) == WaitResult::paused);
    resume(store, "counting");
    while (runner.wait_for("counting", store.head(), long_enough) == WaitResult::paused) std::this_thread::yield();
    test::note(store, 1);
    CHECK(count_in(model) == 17);
}

// Goal:   an append does not pay for what the generation lacks that somebody has gone back to.
// Method: without threads, so that nothing folds but the append.
TEST_CASE("behind a rollback an append does not wait for a sync projection, and nobody takes it for up to date",
          "[projections][runner][sync]") {
    auto store = quick_store();
    test::note(store, 10);
    test::rebuild_now(store, *counting_in_step());
    for (int i = 0; i < 5; ++i) test::note(store, 1'000);
    Runner runner{store};
    runner.add(counting_in_step());
    runner.step();
    RebuildOptions keep;
    keep.keep_old = true;
    test::rebuild_now(store, *counting_in_step(), keep);
    test::note(store, 3'000);
    runner.step();
    CHECK(runner.wait_for("counting", Position{8'010}, 0ms) == WaitResult::reached);

    rollback(store, "counting");
    CHECK(runner.wait_for("counting", Position{8'010}, 0ms) == WaitResult::timed_out);
    test::note(store, 1);
    CHECK(count_in(runner.model("counting")) == 5'010);
    CHECK(runner.wait_for("counting", store.head(), 0ms) == WaitResult::timed_out);

    runner.step();
    CHECK(runner.wait_for("counting", store.head(), 0ms) == WaitResult::reached);
    test::note(store, 1);
    CHECK(count_in(runner.model("counting")) == 8'012);
}

TEST_CASE("step() brings sync projections into step", "[projections][runner][sync]") {
    auto store = quick_store();
    test::note(store, 2);
    Runner runner{store};
    runner.add(counting_in_step());
    CHECK(runner.step() == 2);
    test::note(store, 3);
    CHECK(count_in(runner.model("counting")) == 5);
    CHECK(runner.step() == 0);
}

// Never more than the projection's own write is added to an append; events of others add none.
TEST_CASE("a sync projection writes once for its own event and nothing for another's",
          "[projections][runner][sync]") {
    test::FaultyDisk disk{{.models_power = false}};
    auto store = EventStore::open((disk / "log.stele").string(),
                                  Options{.durability = Durability::relaxed, .sqlite_vfs = disk.vfs()});
    RunnerOptions options;
    options.sqlite_vfs = disk.vfs();
    Runner runner{store, options};
    runner.add(
        SqlProjection::parse("--@ projection payments version 1 mode sync\n--@ create\n"
                             "CREATE TABLE t (n INTEGER NOT NULL); INSERT INTO t VALUES (0);\n"
                             "--@ on Paid\nUPDATE t SET n = n + 1\n",
                             "payments.sql"));
    CHECK(runner.step() == 0);
    test::seed(store, StreamId{"S", "1"}, {"Paid"});
    const auto writes = [&] {
        return disk.seen(test::Op::write, ".g1.db-wal") + disk.seen(test::Op::write, ".g1.db");
    };

    auto before = writes();
    for (int i = 0; i < 10; ++i) test::note(store, 3);
    CHECK(writes() == before);

    // The page of the rows and the page of the position, each with the header of its frame.
    test::seed(store, StreamId{"S", "1"}, {"Paid"});
    CHECK(writes() - before <= 4);
    CHECK(writes() > before);
    before = writes();
    test::seed(store, StreamId{"S", "1"}, {"Paid", "Paid", "Noted", "Paid"});
    CHECK(writes() - before <= 4);
}

}  // namespace
}  // namespace stele
