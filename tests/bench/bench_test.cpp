// The benchmark itself: both sides of every workload do the same work, and a difference would be noticed. No test
// looks at a time.
#include <both_sides.hpp>
#include <history.hpp>
#include <measure.hpp>
#include <same_rows.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>
#include <workload.hpp>

#include <cmath>
#include <set>

using namespace stele;
using namespace stele::bench;

namespace {

// Workloads throw where the two sides stored or read different rows.
void run_tiny(const Workload& workload) {
    CAPTURE(workload.name);
    const test::TemporaryFolder folder;
    Context context{folder.path(), Sizes::tiny()};
    context.tool = STELE_TOOL;

    const auto measurements = workload.prepare(context)();

    REQUIRE(measurements.size() == workload.figures.size());
    CHECK(context.events_compared() > 0);
    for (const auto& measurement : measurements) {
        CHECK(std::isfinite(measurement.stele));
        CHECK(measurement.stele >= 0);
        if (measurement.other) CHECK(*measurement.other > 0);
    }
}

Workload workload_named(const std::string& name) {
    for (auto& workload : workloads())
        if (workload.name == name) return workload;
    throw std::runtime_error("no workload " + name);
}

}  // namespace

TEST_CASE("both sides of a workload store and read the same rows", "[bench]") {
    run_tiny(workload_named(
        GENERATE(as<std::string>{}, "append-one-full", "append-one-relaxed", "append-hundred-full",
                 "append-64-threads", "append-conditioned", "read-stream", "read-log", "delivery-in-process",
                 "delivery-other-process", "idle", "bytes-on-disk", "rebuild-sql", "rebuild-cpp", "rebuild-keyed",
                 "rebuild-together", "rebuild-rare", "append-beside-rebuild", "append-sync", "read-beside-switches",
                 "replay-typed", "replay-sql", "handle-cached", "handle-cached-full", "load-snapshot")));
}

#ifdef STELE_HAS_TOOL
TEST_CASE("the command and bare SQLite end with the same rows", "[bench][tool]") {
    run_tiny(workload_named(GENERATE(as<std::string>{}, "import", "rebuild", "memory")));
}
#endif

TEST_CASE("workloads and figures have names of their own", "[bench]") {
    std::set<std::string> workload_names;
    std::set<std::string> figure_names;
    for (const auto& workload : workloads()) {
        CHECK(workload_names.insert(workload.name).second);
        for (const auto& figure : workload.figures) CHECK(figure_names.insert(figure.name).second);
    }
    CHECK(workload_names.size() == 34);
}

TEST_CASE("a row that only one side has, or that differs, is noticed", "[bench]") {
    const test::TemporaryFolder folder;
    const Context context{folder.path(), Sizes::tiny()};
    const Payloads payloads{3};
    BothSides sides{context, payloads, Durability::relaxed};
    const auto bare_file = *sides.folder / "bare.db";
    CHECK(require_same(sides.store, bare_file) == 3);

    auto planned = payloads.event(7, 1);
    const auto insert_bare = [&] {
        sides.bare.begin();
        sides.bare.insert(planned, now());
        sides.bare.commit();
    };

    SECTION("one row more") {
        insert_bare();
        CHECK_THROWS_AS(require_same(sides.store, bare_file), BenchError);
    }
    SECTION("another stream") {
        sides.store.append(payloads.streams()[2], expect::any, {planned.event});
        insert_bare();
        CHECK_THROWS_AS(require_same(sides.store, bare_file), BenchError);
    }
    SECTION("another payload") {
        sides.store.append(payloads.streams()[1], expect::any, {planned.event});
        planned.event.data = payloads.event(8, 1).event.data;
        insert_bare();
        CHECK_THROWS_AS(require_same(sides.store, bare_file), BenchError);
    }
    SECTION("another id") {
        sides.store.append(payloads.streams()[1], expect::any, {planned.event});
        planned.event.id = EventId::generate();
        insert_bare();
        CHECK_THROWS_AS(require_same(sides.store, bare_file), BenchError);
        CHECK(require_same(sides.store, bare_file, Order::same, Ids::own) == 4);
    }
    SECTION("another order") {
        const auto other = payloads.event(8, 2);
        sides.store.append(payloads.streams()[1], expect::any, {planned.event});
        sides.store.append(payloads.streams()[2], expect::any, {other.event});
        sides.bare.begin();
        sides.bare.insert(other, now());
        sides.bare.insert(planned, now());
        sides.bare.commit();
        CHECK_THROWS_AS(require_same(sides.store, bare_file), BenchError);
        CHECK(require_same(sides.store, bare_file, Order::any) == 5);
    }
    SECTION("a tag that one side lacks") {
        auto tagged = planned.event;
        tagged.tags = {"seat:1"};
        sides.store.append(payloads.streams()[1], expect::any, {tagged});
        insert_bare();
        CHECK_THROWS_AS(require_same(sides.store, bare_file), BenchError);
    }
}

TEST_CASE("payloads have the sizes that the figures are about", "[bench]") {
    const Payloads payloads{10};
    for (const auto& planned : payloads.events(0, 1'000)) {
        CHECK(planned.event.data.text().size() == 250);
        CHECK(planned.event.metadata.text().size() == 100);
        CHECK_NOTHROW(JsonText::parse_object(planned.event.data.text()));
        CHECK_NOTHROW(JsonText::parse_object(planned.event.metadata.text()));
        CHECK(planned.event.type == Payloads::types()[planned.type]);
    }
}

TEST_CASE("the order in which streams are filled reaches each of them once", "[bench]") {
    const auto streams = GENERATE(std::size_t{1}, std::size_t{20}, std::size_t{7'919}, std::size_t{10'000});
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < streams; ++i) seen.insert(scattered(i, streams));
    CHECK(seen.size() == streams);
    CHECK(*seen.rbegin() == streams - 1);
}

TEST_CASE("generated history has as many lines as were asked for, and they are event lines", "[bench]") {
    const test::TemporaryFolder folder;
    make_history(folder / "history.jsonl.gz", 500);

    const auto history = parse_history(folder / "history.jsonl.gz");

    CHECK(history.events.size() == 500);
    CHECK(history.types.size() == 3);
    CHECK(history.streams.size() > 50);
    for (const auto& planned : history.events) CHECK(planned.event.occurred_at.has_value());
}

TEST_CASE("medians and percentiles", "[bench]") {
    CHECK(median({3, 1, 2}) == 2);
    CHECK(median({4, 1, 2, 3}) == 2.5);
    CHECK(percentile({5, 1, 4, 2, 3}, 50) == 3);
    CHECK(percentile({5, 1, 4, 2, 3}, 99) == 5);
    CHECK(percentile({7}, 50) == 7);
}
