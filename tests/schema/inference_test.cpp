#include <stele/schema/json_schema.hpp>
#include <stele/schema/schema_inference.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace stele;
using nlohmann::json;

json inferred(const std::vector<json>& values, SchemaInferenceOptions options = {}) {
    SchemaInference inference{options};
    for (const auto& value : values) inference.add(value);
    auto schema = inference.schema().value();
    CHECK(schema.at("$schema") == "http://json-schema.org/draft-07/schema#");
    schema.erase("$schema");
    return schema;
}

}  // namespace

TEST_CASE("a schema is inferred from what values have in common", "[schema][infer]") {
    const auto schema = inferred({json::parse(R"({"domain":"a.org","amount":1,"price":2.5,"by":null,"tags":["x"],
                                                 "site":{"id":7,"note":"n"},"at":"2026-01-05T10:00:00Z","open":null})"),
                                  json::parse(R"({"domain":"b.org","amount":2.0,"price":3,"by":"u","tags":[],
                                                 "site":{"id":8},"at":"2026-01-05T10:00:00.123456+01:00","open":null,
                                                 "note":"only here"})")});
    CHECK(schema == json::parse(R"({"type":"object",
        "required":["amount","at","by","domain","open","price","site","tags"],
        "properties":{"amount":{"type":"integer"},"at":{"type":"string","format":"date-time"},
            "by":{"type":["string","null"]},"domain":{"type":"string"},"note":{"type":"string"},"open":{},
            "price":{"type":"number"},"site":{"type":"object","required":["id"],
                "properties":{"id":{"type":"integer"},"note":{"type":"string"}}},
            "tags":{"type":"array","items":{"type":"string"}}}})"));
    CHECK(inferred({}) == json::object());
}

TEST_CASE("few strings that come again and again are an enum where that is asked for", "[schema][infer]") {
    std::vector<json> values;
    for (int i = 0; i < 30; ++i) {
        values.push_back({{"status", i % 3 == 0   ? "ok"
                                     : i % 3 == 1 ? "late"
                                                  : "failed"},
                          {"name", "name " + std::to_string(i)},
                          {"currency", "EUR"},
                          {"once", i == 7 ? "my secret" : "none"},
                          {"long", i % 2 == 0 ? std::string(25, 'x') : "y"},
                          {"maybe", i % 2 == 0   ? json("yes")
                                    : i % 3 == 0 ? json(nullptr)
                                                 : json("no")}});
    }
    CHECK(inferred(values).dump().find("enum") == std::string::npos);
    const auto properties = inferred(values, {.enums = true}).at("properties");
    CHECK(properties.at("status") == json{{"type", "string"}, {"enum", {"failed", "late", "ok"}}});
    CHECK(properties.at("name") == json{{"type", "string"}});
    CHECK(properties.at("currency") == json{{"type", "string"}});
    CHECK(properties.at("once") == json{{"type", "string"}});
    CHECK(properties.at("long") == json{{"type", "string"}});
    CHECK(properties.at("maybe").at("enum") == json{"no", "yes", nullptr});
}

TEST_CASE("an object with very many names is a map", "[schema][infer]") {
    std::vector<json> values;
    for (int i = 0; i < 300; ++i) values.push_back({{"by_user", {{"user-" + std::to_string(i), {{"count", i}}}}}});
    CHECK(inferred(values).at("properties").at("by_user") ==
          json::parse(R"({"type":"object","additionalProperties":{"type":"object","required":["count"],
                          "properties":{"count":{"type":"integer"}}}})"));
}

TEST_CASE("a member with a long name is left open and part of a map", "[schema][infer]") {
    const auto name = [](std::size_t bytes) { return std::string(bytes, 'n'); };
    CHECK(
        inferred({{{name(100), 1}, {name(101), 2}}}) ==
        json{{"type", "object"}, {"required", {name(100)}}, {"properties", {{name(100), {{"type", "integer"}}}}}});

    json map;
    for (int i = 0; i < 201; ++i) map["user-" + std::to_string(i)] = i;
    for (const auto& values : {std::vector<json>{map, {{name(101), "text"}}}, {{{name(101), "text"}}, map}}) {
        CHECK(inferred(values) ==
              json::parse(R"({"type":"object","additionalProperties":{"type":["string","integer"]}})"));
    }
}

namespace {

// Objects of objects with members "PREFIX0", "PREFIX1", …
json two_levels(int outer, int inner, const json& value) {
    json all;
    for (int i = 0; i < outer; ++i) {
        for (int k = 0; k < inner; ++k) all["o" + std::to_string(i)]["i" + std::to_string(k)] = value;
    }
    return all;
}

// How many schemas `schema` has below "properties", and in itself.
std::size_t places_in(const json& schema) {
    std::size_t places = 1;
    if (schema.contains("properties")) {
        for (const auto& member : schema.at("properties")) places += places_in(member);
    }
    return places;
}

void check_all_fit(const std::vector<json>& values) {
    SchemaInference inference;
    for (const auto& value : values) inference.add(value);
    const auto schema = JsonSchema::compile(inference.schema());
    for (const auto& value : values) CHECK_FALSE(schema.check(value));
}

}  // namespace

TEST_CASE("what would take more than 20,000 places is left open", "[schema][infer]") {
    const auto large = two_levels(190, 190, 1);
    CHECK(places_in(inferred({large})) == 20'000);
    // More of the like adds nothing.
    auto values = std::vector<json>{large};
    for (int i = 0; i < 20; ++i) values.push_back({{"more" + std::to_string(i), large}});
    CHECK(places_in(inferred(values)) == 20'000);
    check_all_fit(values);
}

// Goal:   what was not looked at, as there was no room, is not described by what is looked at once there is.
// Method: objects of 200 names and what fills them take all places, so that members of others are passed over. With
// one
//         name more, the objects are maps and take few. Then come members of the same names as those that were
//         passed over, with other types: in objects, in items, under a long name, and in a map that was made of a
//         place which is whole and one which is not.
TEST_CASE("room that a map makes is used again but for nothing that was passed over", "[schema][infer]") {
    const std::string long_name(101, 'n');
    const auto passed_over = [&](const json& value) {
        return json{{"a", value}, {"in", {{"x", value}}}, {"items", {value}}, {long_name, value}};
    };
    const auto numbered = [](const std::string& prefix, int count, const json& value) {
        json all;
        for (int i = 0; i < count; ++i) all[prefix + std::to_string(i)] = value;
        return all;
    };
    const json open{{"in", json::object()}, {"items", json::array()}, {"full", json::object()}};
    const json pair{{"pair", numbered("p", 199, {{"f", 1}, {"z", "text"}})}};
    const json full{{"full", two_levels(200, 95, 1)}};
    const json filler{{"filler", numbered("i", 148, 1)}};
    const auto cut = [&](const json& value) {
        auto members = numbered("g", 199, value);
        members["z"] = value;  // the last of them
        return json{{"pair", {{"p199", std::move(members)}}}};
    };
    const json one_more{{"pair", {{"p200", {{"f", 1}}}}}, {"full", {{"o200", {{"i0", 1}}}}}};

    const std::vector<json> values{open,           pair,
                                   full,           filler,
                                   cut(1),         passed_over("text"),
                                   one_more,       cut("no"),
                                   passed_over(1), {{"full", {{"o1", {{"new", 1}}}}}}};
    check_all_fit(values);
    const auto members = inferred(values).at("properties");
    CHECK(members.at("full").at("additionalProperties").at("properties").contains("new"));
    CHECK(members.at("pair").contains("additionalProperties"));
    CHECK(members.at("in") == json{{"type", "object"}});
    CHECK(members.at("items") == json{{"type", "array"}});
    CHECK_FALSE(members.contains("a"));
}

TEST_CASE("deep values give a schema that can be used", "[schema][infer]") {
    json deep = 1;
    for (int i = 0; i < 500; ++i) deep = i % 2 == 0 ? json{{"a", std::move(deep)}} : json::array({std::move(deep)});
    SchemaInference inference;
    inference.add(deep);
    const auto schema = JsonSchema::compile(inference.schema());
    CHECK_FALSE(schema.check(deep));
}

TEST_CASE("all values that were added fit the schema, whatever their order", "[schema][infer][random]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 60; ++round) {
        std::vector<JsonText> values;
        for (auto left = 1 + random.below(40); left > 0; --left) {
            const auto text = JsonText::parse(random.json_object(4));
            try {
                values.emplace_back(text.value());  // members of the same name are one then
            } catch (const InvalidInput&) {         // a number such as 1e999
            }
        }
        const SchemaInferenceOptions options{.enums = random.below(2) == 0};
        SchemaInference forth{options};
        SchemaInference back{options};
        for (const auto& value : values) forth.add(value);
        std::reverse(values.begin(), values.end());
        for (const auto& value : values) back.add(value);

        CHECK(forth.count() == values.size());
        CHECK(forth.schema().text() == back.schema().text());
        const auto schema = JsonSchema::compile(forth.schema());
        for (const auto& value : values) {
            const auto violation = schema.check(value);
            if (violation) FAIL_CHECK(forth.schema().text() << value.text() << to_string(*violation));
        }
    }
}
