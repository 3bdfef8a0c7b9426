#include "history.hpp"

using nlohmann::json;
using namespace stele;
using test::history;
using test::state_after;

namespace {

const StreamId site{"Site", "site-42"};

// The state that `data`, one event each, leaves behind; without `$type`.
json merged(const std::vector<json>& data) {
    std::vector<test::Happening> happenings;
    for (const auto& value : data) happenings.push_back({"Changed", value});
    auto state = state_after(merge_patch(), history(site, happenings));
    REQUIRE(state.at("$type") == "Changed");
    state.erase("$type");
    return state;
}

}  // namespace

TEST_CASE("before the first event the default state is an empty object", "[replay][merge-patch]") {
    CHECK(merge_patch().begin()->state() == JsonText{});
}

TEST_CASE("the default state is all data merged, and the type of the last event", "[replay][merge-patch]") {
    const auto events = history(site, {{"SiteCreated", {{"domain", "example.org"}, {"plan", "free"}}},
                                       {"PlanChanged", {{"plan", "pro"}}},
                                       {"SiteClosed", json::object()}});
    CHECK(state_after(merge_patch(), events) ==
          json{{"domain", "example.org"}, {"plan", "pro"}, {"$type", "SiteClosed"}});
}

TEST_CASE("an event's type stands before what its data calls $type", "[replay][merge-patch]") {
    const auto events =
        history(site, {{"SiteCreated", {{"$type", "something"}}}, {"Closed", {{"$type", nullptr}}}});
    CHECK(state_after(merge_patch(), events) == json{{"$type", "Closed"}});
}

TEST_CASE("data that is no object becomes the member $data and disturbs nothing else", "[replay][merge-patch]") {
    CHECK(merged({{{"a", 1}}, 7}) == json{{"a", 1}, {"$data", 7}});
    CHECK(merged({{{"a", 1}}, nullptr}) == json{{"a", 1}, {"$data", nullptr}});
    CHECK(merged({"first", json::array({1, 2}), {{"a", 1}}}) == json{{"a", 1}, {"$data", {1, 2}}});
    CHECK(merged({"first", {{"$data", nullptr}}}) == json::object());
}

// RFC 7396, appendix A: original, patch, result. One level down, as data is an object or is not merged at all.
TEST_CASE("members merge as the test cases of RFC 7396 say", "[replay][merge-patch]") {
    struct Case {
        const char* original;
        const char* patch;
        const char* result;
    };
    const Case cases[] = {
        {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        {R"({"a":"b"})", R"({"a":null})", R"({})"},
        {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
        {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
        {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
        {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
        {R"({"a":"foo"})", R"(null)", R"(null)"},
        {R"({"a":"foo"})", R"("bar")", R"("bar")"},
        {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
        {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
        {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
    };
    for (const auto& [original, patch, result] : cases) {
        CAPTURE(original, patch, result);
        const auto folding = merge_patch().begin();
        folding->resume(JsonText{json{{"member", json::parse(original)}}});
        folding->apply(history(site, {{"Changed", {{"member", json::parse(patch)}}}}).front());

        json expected{{"$type", "Changed"}};
        // A member that becomes null is one that goes.
        if (const auto value = json::parse(result); !value.is_null()) expected["member"] = value;
        CHECK(folding->state().value() == expected);
    }
}

TEST_CASE("integers of 64 bits and doubles survive a default state", "[replay][merge-patch]") {
    auto events = history(site, {{"Measured", {}}});
    events[0].data = JsonText::parse(R"({"high":18446744073709551615,"low":-9223372036854775808,"real":0.1})");
    const auto folding = merge_patch().begin();
    folding->apply(events[0]);
    CHECK(folding->state().text() ==
          R"({"$type":"Measured","high":18446744073709551615,"low":-9223372036854775808,"real":0.1})");
}

TEST_CASE("a number that no state can hold is refused with the event that has it", "[replay][merge-patch]") {
    auto events = history(site, {{"Measured", {}}});
    events[0].data = JsonText::parse(R"({"value":1e999})");
    const auto folding = merge_patch().begin();
    CHECK_THROWS_WITH(folding->apply(events[0]),
                      ContainsSubstring("Site/site-42: version 1, position 11, Measured"));
    CHECK(folding->state() == JsonText{});
}
