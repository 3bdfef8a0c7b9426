// diff: two points of a history, by version, by position and by time.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/diff.hpp>
#include <stele/test/store.hpp>

#include "order.hpp"

using nlohmann::json;
using namespace stele;
using test::minute;
using test::order;

namespace {

EventStore store_with_an_order() {
    return test::store_with_an_order(event("Noted", {{"note", "late"}, {"customer", nullptr}}));
}

struct Points {
    std::int64_t from;
    std::int64_t to;
    friend bool operator==(const Points&, const Points&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Points& points) {
        return out << points.from << " to " << points.to;
    }
};

Points points(const EventStore& store, const Moment& from, const Moment& to, DiffOptions options = {}) {
    const auto difference = diff(store, order, merge_patch(), from, to, options);
    CHECK(difference.from.json.value().patch(difference.patch) == difference.to.json.value());
    return {difference.from.version.value(), difference.to.version.value()};
}

}  // namespace

TEST_CASE("diff between two versions is the patch from the one to the other", "[replay][diff]") {
    const auto store = store_with_an_order();
    const auto difference = diff(store, order, merge_patch(), Version{1}, Version{3});
    CHECK(difference.from == replay(store, order, merge_patch(), {.at_version = Version{1}}));
    CHECK(difference.to == replay(store, order, merge_patch(), {.at_version = Version{3}}));
    CHECK(difference.patch == json::parse(R"([{"op":"replace","path":"/$type","value":"Shipped"},
                                              {"op":"replace","path":"/lines","value":1},
                                              {"op":"add","path":"/shipped","value":true}])"));
}

TEST_CASE("diff from version 0 begins with the initial state", "[replay][diff]") {
    const auto store = store_with_an_order();
    const auto difference = diff(store, order, merge_patch(), Version{0}, Version{1});
    CHECK(difference.from == Replay{order, merge_patch()}.state());
    CHECK(difference.patch.size() == 3);
}

TEST_CASE("diff towards an earlier version leads back", "[replay][diff]") {
    const auto store = store_with_an_order();
    CHECK(points(store, Version{4}, Version{1}) == Points{4, 1});
    CHECK(points(store, Version{1}, Version{0}) == Points{1, 0});
}

TEST_CASE("diff of a version with itself is empty", "[replay][diff]") {
    const auto store = store_with_an_order();
    CHECK(diff(store, order, merge_patch(), Version{2}, Version{2}).patch == json::array());
    CHECK(diff(store, order, merge_patch(), Version{0}, Version{0}).patch == json::array());
}

TEST_CASE("diff takes positions and times of the log for the version that was there", "[replay][diff]") {
    const auto store = store_with_an_order();
    CHECK(points(store, Position{2}, Position{4}) == Points{1, 3});
    CHECK(points(store, Position{0}, Position{90'112}) == Points{0, 4});
    CHECK(points(store, minute(3), minute(4)) == Points{2, 3});
    CHECK(points(store, minute(0), Version{2}) == Points{0, 2});
    CHECK(points(store, minute(1000), Position{3}) == Points{4, 2});
}

TEST_CASE("diff by times of occurrence leaves out what happened later", "[replay][diff]") {
    const auto store = store_with_an_order();
    const DiffOptions occurred{.time_of = TimeOf::occurred};
    const auto difference = diff(store, order, merge_patch(), minute(-95), minute(-90), occurred);
    CHECK(difference.from.json.value() == json{{"$type", "Noted"}, {"lines", 0}, {"note", "late"}});
    CHECK(difference.patch == json::parse(R"([{"op":"replace","path":"/lines","value":1}])"));
    CHECK(points(store, minute(-101), Version{1}, occurred) == Points{0, 1});
}

TEST_CASE("diff of what is not there says what is", "[replay][diff]") {
    const auto store = store_with_an_order();
    CHECK_THROWS_AS(diff(store, {"order", "1"}, merge_patch(), Version{1}, Version{2}), NotFound);
    CHECK_THROWS_AS(diff(store, {"order", "1"}, merge_patch(), Position{1}, Version{2}), NotFound);
    CHECK_THROWS_AS(diff(store, order, merge_patch(), Version{1}, Version{5}), NotFound);
    CHECK_THROWS_AS(diff(store, order, merge_patch(), Version{-1}, Version{1}), InvalidInput);
    CHECK_THROWS_AS(diff(store, order, merge_patch(), Position{-1}, Version{1}), InvalidInput);
}

TEST_CASE("a state that no value can hold is named where it stands in the way", "[replay][diff]") {
    auto store = store_with_an_order();
    store.append(order, expect::any, {NewEvent{.type = "Big", .data = JsonText::parse(R"({"x":1e999})", "data")}});
    const auto last = AggregateFile::parse("--@ aggregate order version 1\n--@ on *\njson($data)\n", "last.sql");
    CHECK(replay(store, order, last).json.text() == R"({"x":1e999})");
    CHECK_THROWS_WITH(diff(store, order, last, Version{1}, Version{5}),
                      ContainsSubstring("state of order/10248 at version 5: expected one that can be compared") &&
                          ContainsSubstring("1e999") && ContainsSubstring("leave that field out of the state"));
}

TEST_CASE("a moment is written as a version, a position or a time", "[replay][diff]") {
    CHECK(parse_moment("5") == Moment{Version{5}});
    CHECK(parse_moment("0") == Moment{Version{0}});
    CHECK(parse_moment("@1234") == Moment{Position{1234}});
    CHECK(parse_moment("2026-01-05T10:00:00Z") == Moment{minute(0)});
    CHECK(parse_moment("2026-01-05") == Moment{minute(-600)});
    for (const char* wrong : {"", "@", "-1", "@-1", "@2026-01-05", "yesterday", "5 ", "1.5"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_moment(wrong), InvalidInput);
    }
}
