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

json inferred(const std::vector<json>& values) {
    SchemaInference inference;
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

TEST_CASE("few strings that come again and again are an enum", "[schema][infer]") {
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
    const auto properties = inferred(values).at("properties");
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
        SchemaInference forth;
        SchemaInference back;
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
