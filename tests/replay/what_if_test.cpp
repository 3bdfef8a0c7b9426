// compare_folds: the state that is, beside one that might be.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/json_diff.hpp>
#include <stele/replay/what_if.hpp>
#include <stele/test/store.hpp>

#include "history.hpp"

#include <random>

using nlohmann::json;
using namespace stele;

namespace {

const StreamId thing{"Thing", "1"};

EventStore store_of(const std::vector<test::Happening>& happenings) {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    for (const auto& [type, data] : happenings) store.append(thing, expect::any, {event(type, data)});
    return store;
}

AggregateFile aggregate(const std::string& sections) {
    return AggregateFile::parse("--@ aggregate Thing version 1\n" + sections, "thing.sql");
}

}  // namespace

TEST_CASE("without an event, the fold parts there", "[replay][what_if]") {
    const auto store = store_of({{"A", {{"a", 1}}}, {"B", {{"b", 1}}}, {"C", {{"c", 1}}}});
    const auto comparison = compare_folds(store, thing, merge_patch(), {.without = {Version{2}}});
    CHECK(comparison.state == replay(store, thing, merge_patch()));
    CHECK(comparison.other.json.value() == json{{"a", 1}, {"c", 1}, {"$type", "C"}});
    CHECK(comparison.patch == json::parse(R"([{"op":"remove","path":"/b"}])"));
    REQUIRE(comparison.parted);
    CHECK(comparison.parted->event.version == Version{2});
    CHECK(comparison.parted->patch.size() == 2);
    CHECK_FALSE(comparison.met);
    CHECK_FALSE(comparison.failed);
}

TEST_CASE("an event whose effect is undone later leaves no difference, and it shows where", "[replay][what_if]") {
    const auto store = store_of({{"A", {{"a", 1}}}, {"A", {{"a", 2}}}, {"B", {{"b", 1}}}, {"A", {{"a", 3}}}});
    const auto comparison = compare_folds(store, thing, merge_patch(), {.without = {Version{2}}});
    CHECK(comparison.patch == json::array());
    CHECK(comparison.parted->event.version == Version{2});
    CHECK(comparison.met == Version{4});
}

TEST_CASE("folds that come together and part again do not meet", "[replay][what_if]") {
    const auto store = store_of({{"A", {{"a", 1}}}, {"A", {{"a", 2}}}, {"A", {{"a", 1}}}, {"A", {{"a", 5}}}});
    const auto comparison = compare_folds(store, thing, merge_patch(), {.without = {Version{2}, Version{4}}});
    CHECK(comparison.parted->event.version == Version{2});
    CHECK_FALSE(comparison.met);
    CHECK(comparison.patch == json::parse(R"([{"op":"replace","path":"/a","value":1}])"));
}

TEST_CASE("by another aggregate, the folds part where it disagrees", "[replay][what_if]") {
    const auto store = store_of({{"A", {{"n", 1}}}, {"A", {{"n", 2}}}, {"Reset", {}}, {"A", {{"n", 4}}}});
    const auto sum = aggregate("--@ initial\n0\n--@ on A\n$state + $data(n)\n");
    const auto with_reset = aggregate("--@ initial\n0\n--@ on A\n$state + $data(n)\n--@ on Reset\n0\n");
    const auto comparison = compare_folds(store, thing, sum, {.without = {}, .with = &with_reset});
    CHECK(comparison.state.json.text() == "7");
    CHECK(comparison.other.json.text() == "4");
    CHECK(comparison.parted->event.type == "Reset");
    CHECK_FALSE(comparison.began_apart);
    CHECK_FALSE(compare_folds(store, thing, sum, {.without = {}, .with = &sum}).parted);
}

TEST_CASE("folds that differ before the first event say so", "[replay][what_if]") {
    const auto store = store_of({{"A", {{"n", 1}}}, {"Reset", {}}});
    const auto from_0 = aggregate("--@ initial\n0\n--@ on Reset\n9\n");
    const auto from_1 = aggregate("--@ initial\n1\n--@ on Reset\n9\n");
    const auto comparison = compare_folds(store, thing, from_0, {.without = {}, .with = &from_1});
    CHECK(comparison.began_apart);
    CHECK_FALSE(comparison.parted);
    CHECK(comparison.met == Version{2});
}

TEST_CASE("where the other fold fails, it says at which event, and how they stood before", "[replay][what_if]") {
    const auto store = store_of({{"Opened", {{"n", 1}}}, {"Filled", {{"n", 2}}}, {"Filled", {{"n", 3}}}});
    const auto file = aggregate(
        "--@ on Opened\njson_object('n', $data(n))\n"
        "--@ on Filled\n$state(n) || '' || $data(n)\n--@ on Filled\njson_object('n', json($state))\n");
    const auto comparison = compare_folds(store, thing, file, {.without = {Version{1}}});
    REQUIRE(comparison.failed);
    CHECK(comparison.failed->event.version == Version{2});
    CHECK_THAT(comparison.failed->message, ContainsSubstring("thing.sql:5: Thing/1: version 2"));
    CHECK(comparison.state.version == Version{1});
    CHECK(comparison.patch == json::parse(R"([{"op":"remove","path":"/n"}])"));
}

TEST_CASE("without a version that is not there is refused", "[replay][what_if]") {
    const auto store = store_of({{"A", {}}});
    CHECK_THROWS_AS(compare_folds(store, thing, merge_patch(), {.without = {Version{2}}}), NotFound);
    CHECK_THROWS_AS(compare_folds(store, thing, merge_patch(), {.without = {Version{0}}}), InvalidInput);
    CHECK_THROWS_AS(compare_folds(store, {"Thing", "2"}, merge_patch(), {.without = {Version{1}}}), NotFound);
}

TEST_CASE("any history: without some events it is the fold of the others", "[replay][what_if][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 20; ++round) {
        std::vector<test::Happening> happenings;
        for (int n = 0; n < 20; ++n)
            happenings.push_back({"Set", {{std::string(1, static_cast<char>('a' + random() % 3)), random() % 3}}});
        std::set<Version> without;
        for (auto n = random() % 4 + 1; n > 0; --n) without.insert(Version{static_cast<int>(random() % 20) + 1});

        const auto store = store_of(happenings);
        auto is = json::object();
        auto might_be = json::object();
        std::int64_t parted = 0;
        for (std::int64_t version = 1; version <= 20; ++version) {
            const auto& data = happenings[static_cast<std::size_t>(version - 1)].data;
            is.merge_patch(data);
            if (!without.contains(Version{version})) might_be.merge_patch(data);
            is["$type"] = "Set";
            if (!without.contains(Version{version})) might_be["$type"] = "Set";
            if (is != might_be && parted == 0) parted = version;
        }
        const auto comparison = compare_folds(store, thing, merge_patch(), {.without = without});
        CHECK(comparison.state.json.value() == is);
        CHECK(comparison.other.json.value() == might_be);
        CHECK(is.patch(comparison.patch) == might_be);
        CHECK((comparison.parted ? comparison.parted->event.version.value() : 0) == parted);
    }
}
