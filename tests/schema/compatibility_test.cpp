#include <stele/schema/schema_compatibility.hpp>
#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>

namespace {

using namespace stele;

SchemaComparison compare(const std::string& older, const std::string& newer) {
    return compare_schemas(JsonSchema::compile(JsonText::parse(older)),
                           JsonSchema::compile(JsonText::parse(newer)));
}

/// What is known to hold from the one to the other: "full", "backward", "forward", "none", with a '?' where some
/// direction cannot be told.
std::string known(const std::string& older, const std::string& newer) {
    const auto comparison = compare(older, newer);
    const bool unclear = comparison.backward == Holds::cannot_tell || comparison.forward == Holds::cannot_tell;
    return std::string(to_string(comparison.known())) + (unclear ? "?" : "");
}

}  // namespace

TEST_CASE("what becomes wider reads old data, what becomes narrower is read by old readers", "[schema][compare]") {
    struct Pair {
        std::string narrow;
        std::string wide;
    };
    for (const auto& [narrow, wide] : {
             Pair{R"({"type":"integer"})", R"({"type":"number"})"},
             Pair{R"({"type":"string"})", R"({"type":["string","null"]})"},
             Pair{R"({"type":"string"})", R"({})"},
             Pair{R"({"enum":["a","b"]})", R"({"enum":["b","c","a"]})"},
             Pair{R"({"type":"string","enum":["a"]})", R"({"type":"string"})"},
             Pair{R"({"const":"a"})", R"({"enum":["a","b"]})"},
             Pair{R"({"minimum":2})", R"({"minimum":1})"},
             Pair{R"({"maxLength":5})", R"({})"},
             Pair{R"({"multipleOf":6})", R"({"multipleOf":3})"},
             Pair{R"({"pattern":"^a"})", R"({})"},
             Pair{R"({"uniqueItems":true})", R"({"uniqueItems":false})"},
             Pair{R"({"required":["a","b"]})", R"({"required":["a"]})"},
             Pair{R"({"properties":{"a":{"type":"integer"}}})", R"({"properties":{"a":{"type":"number"}}})"},
             Pair{R"({"properties":{"a":{}},"additionalProperties":false})", R"({"properties":{"a":{}}})"},
             Pair{R"({"properties":{"a":{}},"additionalProperties":false})",
                  R"({"properties":{"a":{},"b":{}},"additionalProperties":false})"},
             Pair{R"({"items":{"type":"string"}})", R"({"items":{"type":["string","integer"]}})"},
             Pair{R"({"items":[{"type":"string"},{"type":"integer"}]})", R"({"items":[{"type":"string"}]})"},
             Pair{R"({"items":[{}],"additionalItems":false})", R"({"items":[{}]})"},
             Pair{R"({"contains":{"const":1}})", R"({})"},
             Pair{R"({"not":{"type":"number"}})", R"({"not":{"type":"integer"}})"},
             Pair{R"({"allOf":[{"minimum":1},{"maximum":5}]})", R"({"allOf":[{"minimum":1}]})"},
             Pair{R"({"anyOf":[{"type":"null"}]})", R"({"anyOf":[{"type":"null"},{"type":"string"}]})"},
             Pair{R"({"oneOf":[{"type":"null"}]})", R"({"oneOf":[{"type":"null"},{"type":"string"}]})"},
             Pair{R"({"dependencies":{"a":["b","c"]}})", R"({"dependencies":{"a":["c"]}})"},
             Pair{R"({"dependencies":{"a":{"required":["b"]}}})", R"({})"},
             Pair{R"({"propertyNames":{"maxLength":3}})", R"({"propertyNames":{"maxLength":4}})"},
             Pair{R"({"if":{"required":["a"]},"then":{"required":["b"]}})",
                  R"({"if":{"required":["a"]},"then":{}})"},
             Pair{R"({"properties":{"a":{"x-stele":"forbidden"}}})", R"({"properties":{"a":{}}})"},
             Pair{R"({"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"maximum":1}}})",
                  R"({"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"maximum":2}}})"},
             Pair{"false", "true"},
         }) {
        CAPTURE(narrow, wide);
        CHECK(known(narrow, wide) == "backward");
        CHECK(known(wide, narrow) == "forward");
    }
}

TEST_CASE("what says the same in other words is fully compatible", "[schema][compare]") {
    for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
             {R"({"type":["string","null"]})", R"({"type":["null","string"]})"},
             {R"({"enum":[1,2]})", R"({"enum":[2.0,1]})"},
             {R"({"description":"a","title":"b","default":1})", R"({"description":"c","format":"email"})"},
             {R"({"minLength":0,"additionalProperties":true})", R"({"additionalProperties":{}})"},
             {R"({"allOf":[{"minimum":1},{"maximum":5}]})", R"({"allOf":[{"maximum":5},{"minimum":1}]})"},
             {R"({"properties":{"a":{"type":"string"}}})",
              R"({"properties":{"a":{"$ref":"#/definitions/s"}},"definitions":{"s":{"type":"string"}}})"},
             {R"({"properties":{"a":{}}})", R"({"properties":{"a":{},"b":{"type":"string"}}})"},
             {R"({"type":"string","enum":["a"]})", R"({"enum":["a"]})"},
             {R"({"items":{"$ref":"#"}})", R"({"items":{"items":{"$ref":"#"}}})"},
         }) {
        CAPTURE(one, other);
        CHECK(known(one, other) == "full");
        CHECK(known(other, one) == "full");
    }
}

TEST_CASE("what cannot be told is not taken for compatible", "[schema][compare]") {
    CHECK(known(R"({"pattern":"^a"})", R"({"pattern":"^ab?"})") == "none?");
    CHECK(known(R"({"if":{"minimum":1},"then":{"maximum":9}})", R"({"if":{"minimum":2},"then":{"maximum":9}})") ==
          "none?");
    CHECK(known(R"({"oneOf":[{"minimum":1}]})", R"({"oneOf":[{"minimum":1},{"maximum":5}]})") == "none?");
    CHECK(
        known(
            R"({"oneOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"type":"object","required":["k"],
                   "properties":{"k":{"const":"a"}}},"b":{"type":"object","required":["k"],"properties":{"k":{"const":"b"}}}}})",
            R"({"oneOf":[{"$ref":"#/definitions/a"},{"$ref":"#/definitions/b"}],"definitions":{"a":{"type":"object",
                   "required":["k"],"properties":{"k":{"const":"a"}}},"b":{"type":"object","required":["k"],
                   "properties":{"k":{"const":"b"}}}}})") == "backward");
    const auto comparison = compare(R"({"pattern":"a"})", R"({"pattern":"b"})");
    CHECK_FALSE(comparison.meets(Compatibility::backward));
    CHECK(comparison.meets(Compatibility::none));
    CHECK(comparison.changes.front().why == "whether the one covers the other cannot be told");
}

TEST_CASE("of oneOf whose alternatives may overlap no change is taken for compatible", "[schema][compare]") {
    // 5 fits the first two alternatives of the wider one, and so no longer the whole.
    CHECK(known(R"({"oneOf":[{"type":"integer"},{"type":"string"}]})",
                R"({"oneOf":[{"type":"integer"},{"type":["string","integer"]}]})") == "none?");
    // 5 fitted both, and so not the whole; now it does.
    CHECK(known(R"({"oneOf":[{"type":"integer"},{"minimum":0}]})", R"({"oneOf":[{"type":"integer"}]})") == "none?");
    for (const auto& [one, other] : {
             std::pair{R"({"oneOf":[{"minimum":1},{"maximum":5}]})", R"({"oneOf":[{"minimum":2},{"maximum":5}]})"},
             std::pair{R"({"oneOf":[{"items":{"minimum":1}},{}]})", R"({"oneOf":[{"items":{"minimum":2}},{}]})"},
             std::pair{R"({"not":{"oneOf":[{"minimum":1},{}]}})", R"({"not":{"oneOf":[{"minimum":1}]}})"},
             std::pair{R"({"oneOf":[{"$ref":"#/definitions/a"},{}],"definitions":{"a":{"minimum":1}}})",
                       R"({"oneOf":[{"$ref":"#/definitions/a"},{}],"definitions":{"a":{"minimum":2}}})"},
         }) {
        CAPTURE(one, other);
        CHECK(known(one, other) == "none?");
        CHECK(known(other, one) == "none?");
        CHECK(known(one, one) == "full");
    }
    CHECK(known(R"({"oneOf":[{"minimum":1},{"maximum":5}]})", R"({"oneOf":[{"maximum":5},{"minimum":1}]})") ==
          "full");

    // What types set apart is as with anyOf.
    CHECK(known(R"({"oneOf":[{"type":"integer","minimum":2},{"type":"string"}]})",
                R"({"oneOf":[{"type":"integer","minimum":1},{"type":"string"}]})") == "backward");
}

TEST_CASE("a change says where, what, whom it breaks and why", "[schema][compare]") {
    const auto comparison = compare(
        R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer"},"plan":{"enum":["free"]}}})",
        R"({"type":"object","required":["a","b"],"properties":{"a":{"type":"string"},"plan":{"enum":["free","pro"]},
                    "b":{"type":"string","description":"new"}}})");

    CHECK(comparison.backward == Holds::no);
    CHECK(comparison.forward == Holds::no);
    CHECK(comparison.known() == Compatibility::none);
    std::vector<std::string> changes;
    for (const auto& change : comparison.changes) {
        changes.push_back(change.pointer + " | " + change.what + " | " + std::string(to_string(change.backward)) +
                          ", " + std::string(to_string(change.forward)) + " | " + change.why);
    }
    CHECK(changes ==
          std::vector<std::string>{
              R"(/required | "b" is required now | no, yes | old data may lack it; an upcaster can add it)",
              "/properties/a/type | type: integer became string | no, no | old data may hold what is not string "
              "here; "
              "old readers expect integer here",
              R"(/properties/b | "b" is new | yes, yes | )",
              R"(/properties/plan/enum | values: added "pro" | yes, no | old readers do not know "pro")"});
    const auto older = nlohmann::json::parse(
        R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer"},"plan":{"enum":["free"]}}})");
    CHECK(older.patch(comparison.patch).at("required").size() == 2);
}

TEST_CASE("a demand is named by its word", "[schema][compare]") {
    CHECK(compatibility_from("full") == Compatibility::full);
    CHECK(compatibility_from("none") == Compatibility::none);
    CHECK_THROWS_AS(compatibility_from("both"), InvalidInput);
}
