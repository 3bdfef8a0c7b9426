// Schemas and values that nobody would write: none of them ends the process, and text and value are judged alike.
#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <optional>
#include <string>

namespace {

using namespace stele;
using nlohmann::json;

constexpr std::array<const char*, 42> keywords{"$id",
                                               "$ref",
                                               "$schema",
                                               "additionalItems",
                                               "additionalProperties",
                                               "allOf",
                                               "anyOf",
                                               "const",
                                               "contains",
                                               "contentEncoding",
                                               "default",
                                               "definitions",
                                               "dependencies",
                                               "description",
                                               "else",
                                               "enum",
                                               "exclusiveMaximum",
                                               "exclusiveMinimum",
                                               "format",
                                               "id",
                                               "if",
                                               "items",
                                               "maxItems",
                                               "maxLength",
                                               "maxProperties",
                                               "maximum",
                                               "minItems",
                                               "minLength",
                                               "minProperties",
                                               "minimum",
                                               "multipleOf",
                                               "not",
                                               "oneOf",
                                               "pattern",
                                               "patternProperties",
                                               "properties",
                                               "propertyNames",
                                               "required",
                                               "then",
                                               "type",
                                               "uniqueItems",
                                               "x-stele"};
constexpr std::array<const char*, 7> types{"array", "boolean", "integer", "null", "number", "object", "string"};
constexpr std::array<const char*, 5> names{"a", "b", "a/b", "", "\u00e9"};
constexpr std::array<const char*, 8> references{
    "#", "#/definitions/a", "#/properties/b", "#b", "x", "#/", "http://json-schema.org/draft-07/schema#", "//[:::"};
constexpr std::array<const char*, 9> patterns{"^a",     "(a|b)*c", "[",  "\\",    "(?<!a)b",
                                              "\\u{1}", "a{1,2}",  "^$", "\\1(a)"};

json any_value(test::Random& random, int depth) {
    switch (random.below(depth > 0 ? 9 : 7)) {
        case 0:
            return nullptr;
        case 1:
            return random.one_in(2);
        case 2:
            return random.between(-3, 3);
        case 3:
            return random.bits();
        case 4:
            return static_cast<double>(random.between(-100, 100)) / 8;
        case 5:
            return random.one_of(names);
        case 6:
            return random.text(6);
        case 7: {
            auto array = json::array();
            for (auto i = random.below(4); i > 0; --i) array.push_back(any_value(random, depth - 1));
            return array;
        }
        default: {
            auto object = json::object();
            for (auto i = random.below(4); i > 0; --i) object[random.one_of(names)] = any_value(random, depth - 1);
            return object;
        }
    }
}

json any_schema(test::Random& random, int depth);

json schemas_by_name(test::Random& random, int depth, bool by_pattern) {
    auto map = json::object();
    for (auto i = random.below(3); i > 0; --i) {
        map[by_pattern ? random.one_of(patterns) : random.one_of(names)] = any_schema(random, depth - 1);
    }
    return map;
}

json schema_list(test::Random& random, int depth) {
    auto list = json::array();
    for (auto i = random.below(3) + 1; i > 0; --i) list.push_back(any_schema(random, depth - 1));
    return list;
}

/// What a keyword mostly has.
json fitting(test::Random& random, const std::string& keyword, int depth) {
    if (keyword == "$ref" || keyword == "$id") return random.one_of(references);
    if (keyword == "type") return random.one_of(types);
    if (keyword == "pattern") return random.one_of(patterns);
    if (keyword == "uniqueItems") return random.one_in(2);
    if (keyword == "x-stele") return "forbidden";
    if (keyword == "enum") return json::array({any_value(random, 2), any_value(random, 2)});
    if (keyword == "const" || keyword == "default") return any_value(random, 3);
    if (keyword == "required") return json::array({random.one_of(names)});
    if (keyword == "multipleOf") return random.one_in(2) ? json(0.5) : json(2);
    if (keyword.starts_with("min") || keyword.starts_with("max") || keyword.starts_with("exclusive")) {
        return random.between(0, 3);
    }
    if (depth <= 0) return true;
    if (keyword == "properties" || keyword == "definitions" || keyword == "dependencies") {
        return schemas_by_name(random, depth, false);
    }
    if (keyword == "patternProperties") return schemas_by_name(random, depth, true);
    if (keyword.ends_with("Of") || (keyword == "items" && random.one_in(2))) return schema_list(random, depth);
    return any_schema(random, depth - 1);
}

json any_schema(test::Random& random, int depth) {
    if (random.one_in(12)) return random.one_in(2);
    auto schema = json::object();
    for (auto i = random.below(4) + 1; i > 0; --i) {
        const std::string keyword = random.one_of(keywords);
        schema[keyword] = random.one_in(30) ? any_value(random, 2) : fitting(random, keyword, depth);
    }
    return schema;
}

}  // namespace

TEST_CASE("random schemas are compiled or refused, and judge random values", "[schema][random]") {
    test::Random random;
    CAPTURE(random.seed());
    int compiled = 0;
    int judged = 0;
    for (int i = 0; i < 5'000; ++i) {
        const auto document = any_schema(random, 4);
        std::optional<JsonSchema> schema;
        try {
            schema = JsonSchema::compile(JsonText{document});
        } catch (const SchemaError& error) {
            if (std::string(error.what()).find("expected ") == std::string::npos) FAIL_CHECK(error.what());
            continue;
        }
        ++compiled;
        for (int k = 0; k < 4; ++k) {
            const auto value = any_value(random, 4);
            const JsonText text{value};
            const auto first = schema->check(text);
            const auto all = schema->violations(value);
            ++judged;
            if (first.has_value() == !all.empty() && (!first || *first == all.front())) continue;
            INFO(document.dump() << "\n" << value.dump());
            FAIL_CHECK("text and value are judged differently");
        }
    }
    CHECK(compiled > 500);
    CHECK(judged == 4 * compiled);
}

TEST_CASE("schemas with a few bytes changed are compiled or refused", "[schema][random]") {
    test::Random random;
    CAPTURE(random.seed());
    const std::string model = R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object",
        "properties":{"a":{"$ref":"#/definitions/n"},"b":{"items":[{"type":"string","pattern":"^(a|b)+$"}],
        "additionalItems":false}},"patternProperties":{"^x-":{"anyOf":[{"const":1},{"not":{"minimum":2.5}}]}},
        "dependencies":{"a":["b"]},"required":["a"],"definitions":{"n":{"multipleOf":0.01,"maximum":1e5}}})";
    int refused = 0;
    int tried = 0;
    for (int i = 0; i < 20'000; ++i) {
        auto text = model;
        for (auto k = random.below(4) + 1; k > 0; --k) {
            text[random.below(text.size())] = "{}[]\",:0a#$^1\\ "[random.below(15)];
        }
        try {
            auto document = JsonText::parse(text);
            ++tried;
            const auto schema = JsonSchema::compile(std::move(document));
            (void)schema.check(any_value(random, 3));
        } catch (const InvalidInput&) {  // no JSON
        } catch (const SchemaError&) {
            ++refused;
        }
    }
    CHECK(tried > 100);
    CHECK(refused > 50);
}
