#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace stele;
using nlohmann::json;

JsonSchema schema_of(const std::string& text) { return JsonSchema::compile(JsonText::parse(text), "Test.v1.json"); }

/// The first violation, as a sentence; empty where the value fits.
std::string wrong(const std::string& schema, const std::string& value) {
    const auto violation = schema_of(schema).check(JsonText::parse(value));
    return violation ? to_string(*violation) : "";
}

/// Why a document is refused; empty where it is not.
std::string refusal(const std::string& schema) {
    try {
        (void)schema_of(schema);
        return "";
    } catch (const SchemaError& error) {
        CHECK(error.code() == "schema");
        CHECK(error.file() == "Test.v1.json");
        CHECK(error.facts().at("pointer") == error.pointer());
        return error.what();
    }
}

constexpr const char* site_created = R"({"type":"object","required":["domain"],"properties":{
    "domain":{"type":"string","maxLength":8},"amount":{"type":"integer","minimum":1},
    "plan":{"enum":["free","pro"]},"by":{"type":["string","null"]}},"additionalProperties":false})";

}  // namespace

TEST_CASE("a violation says where, what was expected and what was found", "[schema]") {
    CHECK(wrong(site_created, R"({"domain":"a.org","amount":3,"plan":"pro","by":null})").empty());
    CHECK(wrong(site_created, R"({"domain":"a.org","amount":"12.50"})") ==
          R"(/amount: expected integer, found "12.50")");
    CHECK(wrong(site_created, R"({"domain":"a.org","amount":0})") == "/amount: expected at least 1, found 0");
    CHECK(wrong(site_created, R"({"domain":"a.org","amount":1.5})") == "/amount: expected integer, found 1.5");
    CHECK(wrong(site_created, R"({"amount":3})") == R"(expected a member "domain", found none)");
    CHECK(wrong(site_created, R"([1,2])") == "expected object, found an array of 2 items");
    CHECK(wrong(site_created, R"({"domain":"a.org","plan":"gold"})") ==
          R"(/plan: expected one of "free", "pro", found "gold")");
    CHECK(wrong(site_created, R"({"domain":"example.org"})") == "/domain: expected at most 8 characters, found 11");
    CHECK(wrong(site_created, R"({"domain":"a.org","by":{"id":1}})") ==
          "/by: expected string or null, found an object of 1 member");
    CHECK(wrong(site_created, R"({"domain":"a.org","emial":1})") ==
          "/emial: expected only members that the schema names, found another one");
    CHECK(wrong(R"({"items":{"pattern":"^a/b$"}})", R"(["a/b",["x"],"ab"])") ==
          R"(/2: expected what matches "^a/b$", found "ab")");
    CHECK(wrong(R"({"properties":{"a/b~":{"const":1}}})", R"({"a/b~":2})") == "/a~1b~0: expected 1, found 2");
}

TEST_CASE("all violations of a value are told in one go, up to a limit", "[schema]") {
    const auto schema = schema_of(site_created);
    const auto value = JsonText::parse(R"({"amount":-1,"plan":"gold","by":7,"x":1})");

    const auto all = schema.violations(value);

    std::vector<std::string> pointers;
    for (const auto& violation : all) pointers.push_back(violation.pointer);
    CHECK(pointers == std::vector<std::string>{"", "/amount", "/plan", "/by", "/x"});
    CHECK(schema.violations(value, 2).size() == 2);
    CHECK(schema.violations(value.value()).size() == 5);
    CHECK(all[1].schema_pointer == "/properties/amount/minimum");
    std::ostringstream printed;
    printed << all[1];
    CHECK(printed.str() == "/amount: expected at least 1, found -1");
}

TEST_CASE("of alternatives that all fail, the nearest is told", "[schema]") {
    const auto* payment = R"({"oneOf":[
        {"properties":{"kind":{"const":"card"},"number":{"type":"string"}},"required":["kind","number"]},
        {"properties":{"kind":{"const":"cash"},"amount":{"type":"integer"}},"required":["kind","amount"]}]})";
    CHECK(wrong(payment, R"({"kind":"cash","amount":"5"})") == R"(/amount: expected integer, found "5")");
    CHECK(wrong(R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "5") == "expected string, or null, found 5");
    CHECK(wrong(R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "5") ==
          "expected what fits one of 2 alternatives, found 5 that fits more than one");
    CHECK(wrong(R"({"not":{"type":"string"}})", R"("a")") ==
          R"(expected what does not fit the schema under "not", found "a")");
    CHECK(wrong(R"({"contains":{"const":1}})", "[2,3]") ==
          R"(expected an item that fits what the schema says under "contains", found none)");
    CHECK(wrong(R"({"propertyNames":{"maxLength":3}})", R"({"abcd":1})") ==
          "expected at most 3 characters, found 4");
    CHECK(wrong(R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}})", R"({"a":1})") ==
          R"(expected a member "b", found none)");
    CHECK(wrong(R"({"dependencies":{"a":["b"]}})", R"({"a":1})") ==
          R"(expected a member "b" beside "a", found none)");
    CHECK(wrong(R"({"uniqueItems":true})", R"([{"a":1,"b":2},3,{"b":2.0,"a":1}])") ==
          "expected each item once, found item 2 again");
}

TEST_CASE("what is forbidden refuses the value and is shown in no message", "[schema][forbidden]") {
    const auto* schema = R"({"type":"object","properties":{"user":{"type":"string"},
        "password":{"x-stele":"forbidden"},"login":{"properties":{"token":{"type":"integer","x-stele":"forbidden"}}}}})";
    CHECK(schema_of(schema).forbids_something());
    CHECK_FALSE(schema_of(site_created).forbids_something());
    CHECK(wrong(schema, R"({"user":"u"})").empty());
    CHECK(wrong(schema, R"({"user":"u","login":{}})").empty());
    CHECK(wrong(schema, R"({"user":5})") == "/user: expected string, found 5");
    const auto violations =
        schema_of(schema).violations(JsonText::parse(R"({"password":"hunter2","login":{"token":"hunter2"}})"));
    REQUIRE(violations.size() == 2);
    CHECK(violations[0].pointer == "/password");
    CHECK(violations[1].pointer == "/login/token");
    CHECK(violations[0].expected == "no value here: it is marked as forbidden");

    // Whatever else is said of the place or of what it stands in.
    const std::vector<std::string> sly{
        R"({"properties":{"password":{"type":"integer"}},"patternProperties":{"^pass":{"x-stele":"forbidden"}}})",
        R"({"properties":{"password":{"anyOf":[{"type":"integer"},{"x-stele":"forbidden"}]}}})",
        R"({"properties":{"password":{"enum":["a"],"not":{"x-stele":"forbidden"}}}})",
        R"({"additionalProperties":{"$ref":"#/definitions/secret"},"definitions":{"secret":{"x-stele":"forbidden"}}})",
        R"({"properties":{"password":{"$ref":"#/definitions/text","x-stele":"forbidden"}},"definitions":{"text":{}}})",
        R"({"anyOf":[{"properties":{"password":{"const":1}}},{"properties":{"password":{"x-stele":"forbidden"}}}]})",
        R"({"allOf":[{"properties":{"password":{"maxLength":2}}},{"properties":{"password":{"x-stele":"forbidden"}}}]})",
        R"({"type":"string","properties":{"password":{"x-stele":"forbidden"}}})"};
    for (const auto& one : sly) {
        CAPTURE(one);
        const auto found = schema_of(one).violations(JsonText::parse(R"({"password":"hunter2"})"));
        REQUIRE_FALSE(found.empty());
        for (const auto& violation : found) {
            CHECK(to_string(violation).find("hunter2") == std::string::npos);
        }
    }
    CHECK(refusal(R"({"properties":{"p":{"x-stele":"secret"}}})") ==
          R"(Test.v1.json: /properties/p/x-stele: expected "forbidden", found "secret")");
}

TEST_CASE("a document that is no schema is refused with its place", "[schema][compile]") {
    CHECK(refusal(R"({"properties":{"a":{"minimum":"x"}}})") ==
          R"(Test.v1.json: /properties/a/minimum: expected number, found "x")");
    CHECK(refusal(R"({"type":"text"})").find("Test.v1.json: /type: expected ") == 0);
    CHECK(refusal(R"({"required":["a","a"]})").find("/required: expected each item once") != std::string::npos);
    CHECK(refusal(R"([1])").find("expected object or boolean") != std::string::npos);
    CHECK(refusal(R"({"pattern":"(a"})").find("/pattern: expected a regular expression, found missing") !=
          std::string::npos);
    CHECK(refusal(R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})").find("write it for draft-07") !=
          std::string::npos);
    CHECK(refusal(R"({"$schema":"http://json-schema.org/draft-07/schema"})").empty());
    CHECK(refusal(R"({"minimum":1e999})").find("numbers that a double can hold") != std::string::npos);
}

TEST_CASE("references stay within the document", "[schema][compile]") {
    const auto elsewhere = refusal(R"({"properties":{"a":{"$ref":"https://example.org/other.json"}}})");
    CHECK(elsewhere.find("/properties/a/$ref: expected a reference within this document") != std::string::npos);
    CHECK(elsewhere.find("copy what it stands for under \"definitions\"") != std::string::npos);
    CHECK(refusal(R"({"$ref":"#/definitions/a"})").find("expected a reference to what is there") !=
          std::string::npos);
    CHECK(refusal(R"({"$ref":"#/definitions","definitions":{}})").empty());
    CHECK(refusal(R"({"$ref":"#/title","title":"a"})").find("where a string stands") == std::string::npos);
    CHECK(refusal(R"({"properties":{"a":{"$ref":"#/title"}},"title":"a"})").find("where string stands") !=
          std::string::npos);
    CHECK(wrong(R"({"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"number"}}})",
                R"({"a":"x"})") == R"(/a: expected number, found "x")");
    // The metaschema is at hand.
    CHECK(wrong(R"({"$ref":"http://json-schema.org/draft-07/schema#"})", R"({"type":"object"})").empty());
    CHECK_FALSE(wrong(R"({"$ref":"http://json-schema.org/draft-07/schema#"})", R"({"minLength":-1})").empty());
}

TEST_CASE("references in a circle are refused, those that go deeper are not", "[schema][compile]") {
    for (
        const auto* circle :
        {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})", R"({"anyOf":[{"not":{"$ref":"#"}}]})",
         R"({"if":{"$ref":"#"}})", R"({"dependencies":{"a":{"$ref":"#"}}})",
         R"({"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}})",
         R"({"definitions":{"a":{"allOf":[{"$ref":"#/definitions/b"}]},"b":{"oneOf":[{"$ref":"#/definitions/a"}]}},
              "items":{"$ref":"#/definitions/a"}})"}) {
        CAPTURE(circle);
        CHECK_FALSE(refusal(circle).empty());
    }
    const auto* tree = R"({"type":"object","properties":{"child":{"$ref":"#"},"name":{"type":"string"}}})";
    CHECK(wrong(tree, R"({"child":{"child":{"name":"x"}}})").empty());
    CHECK(wrong(tree, R"({"child":{"child":{"name":1}}})") == "/child/child/name: expected string, found 1");
}

TEST_CASE("names may hold any character", "[schema]") {
    const auto* schema = R"({"properties":{"a\u0000b":{"type":"null"},"~1":{"type":"string"}},
        "required":["a\u0000b"],"dependencies":{"a\u0000b":["~1"]}})";
    CHECK(wrong(schema, R"({"a\u0000b":null,"~1":""})").empty());
    CHECK_FALSE(wrong(schema, R"({"a\u0000b":1,"~1":""})").empty());
    CHECK_FALSE(wrong(schema, R"({"a\u0000b":null})").empty());
    CHECK_FALSE(wrong(schema, R"({"a":null,"~1":""})").empty());
    CHECK(wrong(schema, R"({"a\u0000b":null,"~1":7})") == "/~01: expected string, found 7");
}

TEST_CASE("the fingerprint is that of what a schema says, not of how it is written", "[schema]") {
    const auto one = schema_of(R"({"type":"object","properties":{"a":{"type":"string"},"b":{}}})");
    const auto same = schema_of(R"({ "properties" : {"b":{},"a":{"type":"string"}},
                                     "type":"object" })");
    const auto other = schema_of(R"({"type":"object","properties":{"a":{"type":"string"},"c":{}}})");
    CHECK(one.fingerprint() == same.fingerprint());
    CHECK(one.fingerprint() != other.fingerprint());
    CHECK(one.fingerprint().size() == 64);
    CHECK(same.document().text().find("\n") != std::string::npos);
    CHECK(one.file() == "Test.v1.json");
}

TEST_CASE("numbers are compared as what they stand for", "[schema][numbers]") {
    CHECK(wrong(R"({"type":"integer"})", "1.0").empty());
    CHECK(wrong(R"({"const":1})", "1.0").empty());
    CHECK(wrong(R"({"enum":[100]})", "1e2").empty());
    CHECK_FALSE(wrong(R"({"maximum":9007199254740993})", "9007199254740994").empty());
    CHECK(wrong(R"({"maximum":9007199254740993})", "9007199254740993").empty());
    CHECK_FALSE(wrong(R"({"const":18446744073709551615})", "18446744073709551614").empty());
    CHECK(wrong(R"({"multipleOf":0.01})", "4.35").empty());
    CHECK(wrong(R"({"multipleOf":0.01})", "4.355") == "expected a multiple of 0.01, found 4.355");
    CHECK(wrong(R"({"multipleOf":0.1})", "1e300").empty());
    CHECK_FALSE(wrong(R"({"multipleOf":7})", "1e300").empty());
    CHECK(wrong(R"({"multipleOf":1e300})", "0").empty());
    CHECK(wrong(R"({"type":"integer"})", "123456789012345678901234567890").empty());
    CHECK(wrong(R"({"type":"string"})", "123456789012345678901234567890") ==
          "expected string, found 1.2345678901234568e+29");
    CHECK(wrong(R"({"type":"number"})", "1e999") ==
          "expected numbers that a double can hold, found one that is larger");
    CHECK(wrong(R"({"minLength":2.0})", R"("a")") == "expected at least 2 characters, found 1");
}

TEST_CASE("patterns are those of ECMAScript", "[schema][patterns]") {
    const auto fits = [](const std::string& pattern, const std::string& text) {
        return !schema_of(json{{"pattern", pattern}}.dump()).check(json(text));
    };
    CHECK(fits("b+", "abc"));  // anywhere
    CHECK(fits("^\\d+$", "12"));
    CHECK_FALSE(fits("^\\d+$", "12\n"));
    CHECK_FALSE(fits("^\\d+$", "\u0663"));  // an Arabic 3
    CHECK(fits("^\\w\\S\\s$", "a\u00e9\u00a0"));
    CHECK(fits("^[\\s]$", "\u2029"));
    CHECK(fits("^\\u{1f432}\\uD83D\\uDC32$", "\U0001f432\U0001f432"));
    CHECK(fits("^.$", "\U0001f432"));
    CHECK(fits("^(?<year>\\d{4})-\\k<year>$", "2026-2026"));
    CHECK(fits("^(?!-)[a-z-]+(?<!-)$", "a-b"));
    CHECK_FALSE(fits("^(?!-)[a-z-]+(?<!-)$", "-ab"));
    CHECK(fits("^[[:]$", ":"));
    CHECK(fits("^a/b\\/c$", "a/b/c"));
    CHECK_FALSE(fits("[]", "a"));
    CHECK(fits("^[^]$", "\n"));
    CHECK_FALSE(fits("", "\xff"));  // no UTF-8
    for (const auto* refused : {"\\Z", "\\A", "(?i)a", "(?>a)", "a++", "(?R)", "(?P<n>a)", "(*UTF)a", "\\Qa\\E",
                                "[a", "\\", "a{2", "\\ud800", "(?#note)", "[b-a]"}) {
        CAPTURE(refused);
        const auto why = refusal(json{{"pattern", refused}}.dump());
        if (std::string(refused) == "a{2") {
            CHECK(why.empty());
        } else {
            CHECK(why.find("/pattern: expected ") != std::string::npos);
        }
    }
    CHECK(refusal(R"({"patternProperties":{"(":{}}})").find("/patternProperties/(") != std::string::npos);
}
