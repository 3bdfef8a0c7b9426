// bisect: the event behind which a condition begins to hold, or ceases to.

#include <stele/replay/bisect.hpp>
#include <stele/test/store.hpp>

#include "history.hpp"

#include <random>

using nlohmann::json;
using namespace stele;

namespace {

const StreamId stock{"Stock", "lamp"};

EventStore store_of(const std::vector<json>& data) {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    for (const auto& one : data) store.append(stock, expect::any, {event("Counted", one)});
    return store;
}

sql::Condition condition(std::string text) {
    return {{std::move(text), "condition"}, sql::Condition::Over::event_and_state};
}

// The version of the first event behind which it holds; 0: none.
std::int64_t first(const EventStore& store, std::string text, const ReplayOptions& options = {}) {
    auto compiled = condition(std::move(text));
    const auto turn = bisect(store, stock, merge_patch(), compiled, options);
    return turn ? turn->event.version.value() : 0;
}

}  // namespace

TEST_CASE("bisect finds the first event behind which the condition holds", "[replay][bisect]") {
    const auto store = store_of({{{"n", 1}}, {{"n", 5}}, {{"n", 2}}, {{"n", 7}}});
    CHECK(first(store, "$state(n) > 0") == 1);
    CHECK(first(store, "$state(n) > 1") == 2);
    CHECK(first(store, "$state(n) > 5") == 4);
    CHECK(first(store, "$state(n) > 7") == 0);
    CHECK(first(store, "json_extract($state, '$.n') = 2") == 3);
}

TEST_CASE("a condition may ask for the event as well", "[replay][bisect]") {
    const auto store = store_of({{{"n", 1}}, {{"m", 1}}, {{"n", 1}}});
    CHECK(first(store, "$state(n) = 1 AND $data(n) IS NULL") == 2);
    CHECK(first(store, "$version >= 3") == 3);
}

TEST_CASE("what is NULL does not hold, and neither does its opposite", "[replay][bisect]") {
    const auto store = store_of({{{"n", 1}}, {{"m", 1}}});
    CHECK(first(store, "$state(m) = 1") == 2);
    CHECK(first(store, "NOT $state(x) = 1") == 0);
    CHECK(first(store, "$state(m) IS NULL") == 1);
    CHECK(first(store, "NULL") == 0);
}

TEST_CASE("bisect shows the state around the event", "[replay][bisect]") {
    const auto store = store_of({{{"n", 1}}, {{"n", 5}}});
    auto large = condition("$state(n) > 1");
    const auto turn = bisect(store, stock, merge_patch(), large);
    REQUIRE(turn);
    CHECK(turn->holds);
    CHECK(turn->before.value().at("n") == 1);
    CHECK(turn->after.value().at("n") == 5);
    CHECK(turn->event == *store.at(Position{2}));
}

TEST_CASE("bisect looks no further than the bounds", "[replay][bisect]") {
    const auto store = store_of({{{"n", 1}}, {{"n", 5}}, {{"n", 9}}});
    CHECK(first(store, "$state(n) > 5", {.at_version = Version{2}}) == 0);
    CHECK_THROWS_AS(first(store, "1", {.at_version = Version{4}}), NotFound);
}

TEST_CASE("turns are the events at which the truth changes", "[replay][bisect][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 10; ++round) {
        std::vector<json> data;
        std::vector<std::pair<std::int64_t, bool>> expected;
        bool held = false;
        for (std::int64_t version = 1; version <= 30; ++version) {
            const auto n = random() % 4;
            data.push_back({{"n", n}});
            if ((n == 3) != held) expected.emplace_back(version, n == 3);
            held = n == 3;
        }
        std::vector<std::pair<std::int64_t, bool>> found;
        auto three = condition("$state(n) = 3");
        const auto looked_at = turns(store_of(data), stock, merge_patch(), three, {}, [&](const Turn& turn) {
            found.emplace_back(turn.event.version.value(), turn.holds);
            return true;
        });
        CHECK(found == expected);
        CHECK(looked_at == 30);
    }
}

TEST_CASE("a condition that is no SQL says what is wrong and where", "[replay][bisect]") {
    try {
        (void)condition("$state(n) >\n> 1");
        FAIL("was compiled");
    } catch (const sql::DefinitionError& error) {
        CHECK(error.file() == "condition");
        CHECK(error.line() == 2);
    }
    CHECK_THROWS_AS(condition(""), sql::DefinitionError);
    CHECK_THROWS_AS(condition("$status = 1"), sql::DefinitionError);
    CHECK_THROWS_AS(condition("$state = random()"), sql::DefinitionError);
    CHECK_THROWS_AS(condition("(SELECT name FROM sqlite_master)"), sql::DefinitionError);
    CHECK_THROWS_AS((sql::Condition{{"$state(n)", "find"}, sql::Condition::Over::event}), sql::DefinitionError);
}

TEST_CASE("a condition that fails at an event names it", "[replay][bisect]") {
    const auto store = store_of({{{"n", 1}}, {{"text", "no JSON"}}});
    try {
        first(store, "json($data(text)) IS 1");
        FAIL("was computed");
    } catch (const sql::ConditionError& error) {
        CHECK_THAT(error.what(), ContainsSubstring("condition: Stock/lamp: version 2, position 2, Counted"));
        CHECK_THAT(error.what(), ContainsSubstring("malformed JSON"));
        CHECK(error.facts().at("version") == 2);
    }
}
