// The JSON of a listener's row in control.db.
#include "listeners/listener_counts.hpp"

#include <stele/test/catch.hpp>

#include <stele/store/append.hpp>

namespace stele {
namespace {

TEST_CASE("a duration is counted below the first bound that it does not exceed", "[listeners][counts]") {
    DurationHistogram histogram;
    histogram.add(0.0001);
    histogram.add(0.00011, 2);
    histogram.add(60);
    histogram.add(61, 3);
    CHECK(histogram.counts.front() == 1);
    CHECK(histogram.counts.at(1) == 2);
    CHECK(histogram.counts.at(13) == 1);
    CHECK(histogram.counts.back() == 3);
    CHECK(histogram.count() == 7);
    CHECK(histogram.sum > 243);

    auto twice = histogram;
    twice.add(histogram);
    CHECK(twice.count() == 14);
    CHECK(twice.counts.back() == 6);
}

TEST_CASE("counts come back from their JSON, and an empty object is none", "[listeners][counts]") {
    ListenerCounts counts;
    counts.dispatched = 9;
    counts.delivered = 5;
    counts.failed = 4;
    counts.retried = 3;
    counts.dead = 2;
    counts.deduplicated = 1;
    counts.failed_by_cause = {{"timeout", 3}, {"odd \xff", 1}};
    counts.dead_by_cause = {{"timeout", 2}};
    counts.durations.add(0.25, 9);

    const auto back = counts_of(counts_json(counts));
    CHECK(back.dispatched == 9);
    CHECK(back.delivered == 5);
    CHECK(back.failed == 4);
    CHECK(back.retried == 3);
    CHECK(back.dead == 2);
    CHECK(back.deduplicated == 1);
    CHECK(back.failed_by_cause.at("timeout") == 3);
    CHECK(back.failed_by_cause.size() == 2);
    CHECK(back.dead_by_cause == counts.dead_by_cause);
    CHECK(back.durations == counts.durations);

    CHECK(counts_of("{}").dispatched == 0);
    CHECK(counts_of("{}").durations.count() == 0);
    CHECK_THROWS_AS(counts_of("{"), StoreError);
    CHECK_THROWS_AS(counts_of(R"({"durations":{"counts":[1],"sum":0}})"), StoreError);
}

TEST_CASE("a breaker comes back from its JSON, and a listener without one has an empty object",
          "[listeners][counts]") {
    CHECK(breaker_json(std::nullopt) == "{}");
    CHECK_FALSE(breaker_of("{}"));

    const BreakerStatus open{"crm", "open", 5, Timestamp{std::chrono::microseconds{1'767'607'200'000'000}},
                             "refused"};
    const auto back = breaker_of(breaker_json(open));
    REQUIRE(back);
    CHECK(back->target == "crm");
    CHECK(back->state == "open");
    CHECK(back->failures == 5);
    CHECK(back->until == open.until);
    CHECK(back->error == "refused");
    CHECK_FALSE(breaker_of(breaker_json(BreakerStatus{.target = "crm"}))->until);
}

TEST_CASE("positions under way are written as distances", "[listeners][counts]") {
    const std::vector<Position> positions{Position{90'112}, Position{90'113}, Position{90'118}};
    CHECK(under_way_json(positions) == "[90112,1,5]");
    CHECK(under_way_of("[90112,1,5]") == positions);
    CHECK(under_way_json({}) == "[]");
    CHECK(under_way_of("[]").empty());
    CHECK_THROWS_AS(under_way_of("[\"1\"]"), StoreError);
}

}  // namespace
}  // namespace stele
