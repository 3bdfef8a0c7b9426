// Several projections rebuilt at once: each as if it had been rebuilt alone.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/rebuild_all.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace stele {
namespace {

using test::Lines;
using Projections = std::vector<std::shared_ptr<const Projection>>;

/// Events by stream: of one type, or of all.
std::shared_ptr<const Projection> by_stream(const std::string& name, const std::string& types,
                                            const std::string& options = "") {
    return SqlProjection::parse(
        "--@ projection " + name + " version 1" + options +
            "\n--@ create\nCREATE TABLE t (stream TEXT PRIMARY KEY, n INTEGER NOT NULL, "
            "last INTEGER NOT NULL, data TEXT);\n--@ on " +
            types +
            "\nINSERT INTO t VALUES ($stream, 1, $position, $data)\nON CONFLICT (stream) DO "
            "UPDATE SET n = n + 1, last = $position, data = $data;\n",
        name + ".sql");
}
const std::string all_rows = "SELECT stream, n, last, data FROM t ORDER BY stream";

// Counts the events that stand in the model, key by key.
struct Folded {
    static constexpr auto name = "folded";
    static constexpr int version = 1;
    using State = int;
    static State fold(State n, const Event& e) { return n + static_cast<int>(e.position.value()); }
};

// Every event, and one of type Rare in a hundred.
void fill(EventStore& store, int count) {
    for (int i = 0; i < count; i += 100) {
        test::pay(store, 99, 33);
        store.append(StreamId{"Odd", "1"}, expect::any, {event("Rare", {{"i", i}})});
    }
}

RebuildAllOptions on(std::size_t threads) {
    RebuildAllOptions options;
    options.threads = threads;
    options.each.grace = {};
    options.each.batch = 300;
    return options;
}

// Writes down all of an event, and looks at some parts of it.
struct Parts {
    std::string name;
    EventParts parts;
    Query selects{};
    static constexpr int version = 1;
    [[nodiscard]] Query query() const { return selects; }
    static void setup(Model& model) {
        model.exec(
            "CREATE TABLE t (position INTEGER PRIMARY KEY, at TEXT, id TEXT, data TEXT, metadata TEXT, tags TEXT)");
    }
    static void on(const Event& e, Model& model) {
        model.exec("INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6)", e.position, e.recorded_at, e.id, e.data,
                   e.metadata, e.tags.empty() ? "none" : e.tags.front());
    }
};

// P3, and rebuilds that share a read of the log with others who look at more.
TEST_CASE("parts of an event that a projection does not look at are empty however it is built",
          "[projections][all][P1]") {
    auto store = EventStore::temporary();
    Projections projections{projection<Folded>(), test::payments()};
    std::vector<Parts> different;
    for (unsigned bits = 0; bits < 16; ++bits) {
        const EventParts parts{(bits & 1U) != 0, (bits & 2U) != 0, (bits & 4U) != 0, (bits & 8U) != 0};
        different.push_back({"every" + std::to_string(bits), parts});
        different.push_back({"tagged" + std::to_string(bits), parts, matching(tags("red"))});
    }
    for (const auto& each : different) projections.push_back(projection(each));
    const auto fill_some = [&] {
        for (int i = 0; i < 10; ++i) {
            store.append(StreamId{"S", std::to_string(i)}, expect::any,
                         {event("Noted", {{"i", i}}).by("me").tag("red"), event("Noted", {{"i", -i}}).by("you"),
                          event("Noted").tag("blue")});
        }
    };
    constexpr auto all_of_it = "SELECT * FROM t ORDER BY position";

    fill_some();
    for (const auto& each : different) test::rebuild_now(store, *projection(each));
    fill_some();
    std::vector<Lines> one_by_one;
    for (const auto& each : different) {
        catch_up(store, *projection(each));
        one_by_one.push_back(test::rows(store, each.name, all_of_it));
    }
    const auto is_first = Parts{"every0", {false, false, false, false}};
    CHECK_THAT(test::rows(store, is_first.name, all_of_it)[0], Catch::Matchers::EndsWith("{} {} none"));

    for (const auto& result : rebuild_all(store, projections, on(2))) CHECK_FALSE(result.error);
    for (std::size_t i = 0; i < different.size(); ++i) {
        CAPTURE(different[i].name);
        CHECK(test::rows(store, different[i].name, all_of_it) == one_by_one[i]);
    }
}

TEST_CASE("twelve projections rebuilt at once have the rows of each rebuilt alone", "[projections][all]") {
    auto store = EventStore::temporary();
    fill(store, 3'000);
    Projections projections{by_stream("rare", "Rare"), by_stream("tagged", "Rare, Noted"), projection<Folded>(),
                            test::payments(), test::counting()};
    for (int i = 0; projections.size() < 12; ++i) {
        projections.push_back(by_stream("p" + std::to_string(i), i % 2 == 0 ? "*" : "Paid, Refunded"));
    }
    const auto rows_of_all = [&] {
        std::vector<Lines> rows;
        for (const auto& each : projections) {
            const std::string name = each->name();
            rows.push_back(test::rows(store, name,
                                      name == "folded"     ? "SELECT key, state FROM folded ORDER BY key"
                                      : name == "payments" ? test::all_payments
                                      : name == "counting" ? test::count_and_position
                                                           : all_rows));
        }
        return rows;
    };
    std::int64_t events = 0;
    for (const auto& each : projections) events += test::rebuild_now(store, *each).events;
    const auto expected = rows_of_all();

    for (const std::size_t threads : {1U, 2U, 5U}) {
        CAPTURE(threads);
        std::int64_t taken = 0;
        const auto results = rebuild_all(store, projections, on(threads));
        REQUIRE(results.size() == projections.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
            CAPTURE(results[i].name, results[i].message);
            CHECK(results[i].name == projections[i]->name());
            CHECK_FALSE(results[i].failed());
            REQUIRE(results[i].rebuilt);
            CHECK(results[i].rebuilt->generation.position == store.head());
            CHECK(results[i].rebuilt->generation.state == "live");
            taken += results[i].rebuilt->events;
        }
        CHECK(taken == events);
        CHECK(rows_of_all() == expected);
    }
}

TEST_CASE("a projection that fails stops itself alone, and its error is its result", "[projections][all]") {
    auto store = EventStore::temporary();
    fill(store, 1'000);
    const auto good = by_stream("good", "*");
    const auto skipping = SqlProjection::parse(
        "--@ projection skipping version 1 on-error skip\n--@ create\nCREATE TABLE t (n INTEGER NOT NULL);\n"
        "--@ on Noted\nINSERT INTO t VALUES (iif($position % 2, 1, NULL));\n",
        "skipping.sql");
    const auto bad = SqlProjection::parse(
        "--@ projection bad version 1\n--@ create\nCREATE TABLE t (n INTEGER NOT NULL);\n"
        "--@ on *\nINSERT INTO t VALUES (nullif($position, 677));\n",
        "bad.sql");
    const auto results = rebuild_all(store, Projections{bad, good, good, skipping}, on(2));

    CHECK_FALSE(results[0].rebuilt);
    CHECK(results[0].message ==
          "projection \"bad\": position 677, Noted v1: bad.sql:5: NOT NULL constraint failed: t.n; "
          "halted at 676");
    CHECK_THROWS_AS(std::rethrow_exception(results[0].error), HandlerFailed);
    CHECK(results[1].rebuilt);
    CHECK_FALSE(results[2].rebuilt);  // the same one twice
    CHECK_THROWS_AS(std::rethrow_exception(results[2].error), ProjectionError);
    CHECK(results[3].rebuilt);
    CHECK(test::rows(store, "skipping", "SELECT count(*) > 10 FROM stele_skipped") == Lines{"1"});
    CHECK(test::model_files(store) == Lines{"good.db", "good.g1.db", "skipping.db", "skipping.g1.db"});
}

TEST_CASE("a stop leaves the old generations and no litter", "[projections][all]") {
    auto store = EventStore::temporary();
    fill(store, 500);
    const Projections projections{by_stream("a", "*"), by_stream("b", "*"), by_stream("rare", "Rare")};
    for (const auto& result : rebuild_all(store, projections, on(2))) REQUIRE(result.rebuilt);
    fill(store, 3'000);
    const auto before = test::model_files(store);

    std::stop_source stop;
    auto options = on(2);
    options.each.stop = stop.get_token();
    options.progress = [&](const Projection& each, const FoldProgress& progress) {
        if (each.name() == "a" && progress.events > 500) stop.request_stop();
    };
    const auto results = rebuild_all(store, projections, options);
    CHECK_FALSE(results[0].rebuilt);
    CHECK_FALSE(results[1].rebuilt);
    for (const auto& result : results) CHECK_FALSE(result.failed());
    if (!results[2].rebuilt) CHECK(test::model_files(store) == before);
    CHECK(ReadModel::open(store, "a").generation().number == 1);
    CHECK(ReadModel::open(store, "b").generation().number == 1);
}

// Goal:   a stop that comes while another thread is in the midst of a page waits for it.
// Method: stop at the n-th event told, for many n, by a thread of its own; with the sanitizers above all.
TEST_CASE("a stop at any moment ends every thread's work before anything goes", "[projections][all]") {
    auto store = EventStore::temporary();
    fill(store, 2'000);
    const Projections projections{by_stream("a", "*"), by_stream("b", "*"), by_stream("c", "*"),
                                  by_stream("d", "*")};
    for (int round = 0; round < 40; ++round) {
        CAPTURE(round);
        std::stop_source stop;
        auto options = on(2);
        options.each.batch = 20;
        options.each.stop = stop.get_token();
        std::atomic<int> told = 0;
        options.progress = [&](const Projection&, const FoldProgress&) {
            if (++told >= 1 + round * 7) stop.request_stop();
        };
        for (const auto& result : rebuild_all(store, projections, options)) {
            CHECK_FALSE(result.failed());
            if (result.rebuilt) CHECK(result.rebuilt->generation.position == store.head());
        }
    }
}

TEST_CASE("rows belong to their position, while others append", "[projections][all][P1]") {
    auto store = EventStore::temporary();
    test::note(store, 2'000);
    std::atomic<bool> done = false;
    std::thread appender{[&] {
        while (!done) test::note(store, 20);
    }};
    const auto count_of = [](const std::string& name) {
        return SqlProjection::parse(
            "--@ projection " + name +
                " version 1\n--@ create\nCREATE TABLE counting (n INTEGER NOT NULL);\n"
                "INSERT INTO counting VALUES (0);\n--@ on *\nUPDATE counting SET n = n + 1;\n",
            name);
    };
    const Projections projections{count_of("a"), count_of("b"), count_of("c")};
    for (int round = 0; round < 3; ++round) {
        for (const auto& result : rebuild_all(store, projections, on(2))) {
            CAPTURE(result.message);
            CHECK(result.rebuilt);
            const auto row =
                test::rows(store, result.name, "SELECT n = position, n >= 2000 FROM counting, stele_projection");
            CHECK(row == Lines{"1 1"});
        }
    }
    done = true;
    appender.join();
}

TEST_CASE("with a bound in the past, each stays there", "[projections][all]") {
    auto store = EventStore::temporary();
    test::pay(store, 400);
    auto options = on(2);
    options.each.until = Position{123};
    const Projections projections{test::payments(), test::counting()};
    for (const auto& result : rebuild_all(store, projections, options)) {
        REQUIRE(result.rebuilt);
        CHECK(result.rebuilt->generation.position == Position{123});
        CHECK(result.rebuilt->generation.state == "paused");
    }
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{123}));
    options.each.until = Position{100'000};
    CHECK_THROWS_AS(rebuild_all(store, projections, options), InvalidInput);
}

// Trap 26: progress saved per skipped event.
TEST_CASE("a projection of a rare type writes its position once a batch of its own events",
          "[projections][trap26]") {
    auto store = EventStore::temporary();
    fill(store, 200);
    const auto rare = by_stream("rare", "Rare");
    test::rebuild_now(store, *rare);
    fill(store, 3'000);
    test::pay(store, 50);
    int transactions = 0;
    CatchUpOptions options;
    options.progress = [&](const FoldProgress&) { ++transactions; };
    options.batch = 10;
    const auto caught_up = catch_up(store, *rare, options);
    CHECK(caught_up.events == 30);
    CHECK(caught_up.position == store.head());
    CHECK(transactions == 4);  // three batches, and the rest of the log
    CHECK(catch_up(store, *rare, options).events == 0);
    CHECK(transactions == 4);
}

}  // namespace
}  // namespace stele
