// HistoryWalk: wherever it goes and whatever it keeps, it shows what a fold from the beginning shows.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/history_walk.hpp>
#include <stele/replay/json_diff.hpp>
#include <stele/test/store.hpp>

#include "history.hpp"

#include <random>

using nlohmann::json;
using namespace stele;

namespace {

const StreamId thing{"Thing", "1"};

EventStore store_of(const std::vector<json>& data) {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    std::vector<NewEvent> events;
    for (const auto& one : data) events.push_back(event("Set", one));
    store.append(thing, expect::any, events);
    return store;
}

EventStore counting_to(int last) {
    std::vector<json> data;
    for (int n = 1; n <= last; ++n) data.push_back({{"n", n}, {"tens", n / 10}});
    return store_of(data);
}

}  // namespace

TEST_CASE("a walk begins before the first event and ends at the last", "[replay][walk]") {
    const auto store = counting_to(3);
    HistoryWalk walk{store, thing, merge_patch()};
    CHECK(walk.version() == Version{0});
    CHECK(walk.last() == Version{3});
    CHECK(walk.events().empty());
    CHECK(walk.changes() == json::array());
    CHECK_FALSE(walk.back());
    CHECK(walk.forward());
    CHECK(walk.state() == replay(store, thing, merge_patch(), {.at_version = Version{1}}));
    CHECK(walk.events().front() == *store.at(Position{1}));
    CHECK(walk.changes().size() == 3);
    walk.go_to(Version{9});
    CHECK(walk.version() == Version{3});
    CHECK_FALSE(walk.forward());
    CHECK(walk.back());
    CHECK(walk.state().json.value().at("n") == 2);
    CHECK_THROWS_AS((HistoryWalk{store, {"Thing", "2"}, merge_patch()}), NotFound);
    CHECK_THROWS_WITH((HistoryWalk{store, thing, merge_patch(), {.keep_every = 0}}),
                      "keep_every: expected 1 or more, found 0");
}

TEST_CASE("a walk finds where a field changed, in either direction", "[replay][walk]") {
    const auto store = counting_to(45);
    HistoryWalk walk{store, thing, merge_patch(), {.keep_every = 4, .most_kept = 4}};
    for (const int version : {1, 10, 20, 30, 40}) {
        CHECK(walk.next_change("/tens"));
        CHECK(walk.version() == Version{version});
    }
    CHECK_FALSE(walk.next_change("/tens"));
    CHECK(walk.version() == Version{40});
    for (const int version : {30, 20, 10, 1}) {
        CHECK(walk.previous_change("/tens"));
        CHECK(walk.version() == Version{version});
    }
    CHECK_FALSE(walk.previous_change("/tens"));
    CHECK_FALSE(walk.next_change("/nothing"));
    CHECK_THROWS_AS(walk.next_change("tens"), InvalidInput);
    CHECK(walk.version() == Version{1});
}

TEST_CASE("however long the stream, few states are kept", "[replay][walk]") {
    const auto store = counting_to(3'000);
    HistoryWalk walk{store, thing, merge_patch(), {.keep_every = 2, .most_kept = 16}};
    walk.go_to(walk.last());
    CHECK(walk.kept() <= 16);
    CHECK(walk.kept() >= 8);
    walk.go_to(Version{1'234});
    CHECK(walk.state().json.value().at("n") == 1'234);

    HistoryWalk small{store, thing, merge_patch(), {.keep_every = 1, .most_kept = 10'000, .most_bytes = 500}};
    small.go_to(small.last());
    CHECK(small.kept() <= 20);
    small.go_to(Version{77});
    CHECK(small.state().json.value().at("n") == 77);
}

TEST_CASE("a walk that cannot go on stands where it stood", "[replay][walk]") {
    const auto store = store_of({{{"n", 1}}, {{"n", 2}}, {{"x", 3}}, {{"n", 4}}});
    const auto aggregate = AggregateFile::parse("--@ aggregate Thing version 1\n--@ on *\n$data(n)\n", "n.sql");
    HistoryWalk walk{store, thing, aggregate};
    walk.go_to(Version{2});
    CHECK_THROWS_AS(walk.forward(), ReplayError);
    CHECK_THROWS_AS(walk.go_to(Version{4}), ReplayError);
    CHECK(walk.version() == Version{2});
    CHECK(walk.state().json.text() == "2");
    CHECK(walk.back());
    CHECK(walk.state().json.text() == "1");
}

TEST_CASE("any walk shows what a fold from the beginning shows", "[replay][walk][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 10; ++round) {
        std::vector<json> data;
        const auto length = static_cast<int>(random() % 80 + 1);
        for (int n = 0; n < length; ++n)
            data.push_back({{std::string(1, static_cast<char>('a' + random() % 3)), random() % 3}});
        const auto store = store_of(data);
        std::vector<State> states{Replay{thing, merge_patch()}.state()};
        Replay run{thing, merge_patch()};
        for (const auto& event : test::events_in(store, thing)) {
            run.apply(event);
            states.push_back(run.state());
        }
        const auto field = [&](std::size_t version) { return states[version].json.value().value("a", json{}); };

        HistoryWalk walk{store,
                         thing,
                         merge_patch(),
                         {.keep_every = 1 + static_cast<int>(random() % 8), .most_kept = 1 + random() % 10}};
        for (int step = 0; step < 60; ++step) {
            auto expected = static_cast<std::size_t>(walk.version().value());
            switch (random() % 5) {
                case 0:
                    expected = std::min(expected + 1, states.size() - 1);
                    walk.forward();
                    break;
                case 1:
                    expected -= expected == 0 ? 0 : 1;
                    walk.back();
                    break;
                case 2:
                    expected = random() % states.size();
                    walk.go_to(Version{static_cast<std::int64_t>(expected)});
                    break;
                case 3: {
                    auto at = expected + 1;
                    while (at < states.size() && field(at) == field(at - 1)) ++at;
                    REQUIRE(walk.next_change("/a") == (at < states.size()));
                    if (at < states.size()) expected = at;
                    break;
                }
                default: {
                    auto at = expected == 0 ? 0 : expected - 1;
                    while (at > 0 && field(at) == field(at - 1)) --at;
                    REQUIRE(walk.previous_change("/a") == (at > 0));
                    if (at > 0) expected = at;
                }
            }
            CAPTURE(round, step, expected);
            REQUIRE(walk.state() == states[expected]);
            REQUIRE(walk.before() == states[expected == 0 ? 0 : expected - 1]);
            REQUIRE(walk.events().size() == (expected == 0 ? 0U : 1U));
        }
    }
}
