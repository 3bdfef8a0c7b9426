#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>

#include <string>

namespace {

using namespace stele;

JsonSchema schema_of(const std::string& text) { return JsonSchema::compile(JsonText::parse(text), "Test.v1.json"); }

std::string first_violation(const std::string& schema, const std::string& value) {
    const auto violation = schema_of(schema).check(JsonText::parse(value));
    return violation ? to_string(*violation) : "";
}

}  // namespace

TEST_CASE("a violation says where, what was expected and what was found", "[schema]") {
    const auto* schema = R"({"type":"object","required":["domain"],"properties":{
        "domain":{"type":"string","maxLength":8},"amount":{"type":"integer","minimum":1},
        "plan":{"enum":["free","pro"]}},"additionalProperties":false})";

    CHECK(first_violation(schema, R"({"domain":"a.org","amount":3,"plan":"pro"})").empty());
    CHECK(first_violation(schema, R"({"domain":"a.org","amount":"12.50"})") ==
          R"(/amount: expected integer, found "12.50")");
    CHECK(first_violation(schema, R"({"amount":3})") == R"(expected a member "domain", found none)");
    CHECK(first_violation(schema, R"([1,2])") == "expected object, found an array of 2 items");
    CHECK(first_violation(schema, R"({"domain":"a.org","plan":"gold"})") ==
          R"(/plan: expected one of "free", "pro", found "gold")");
}
