// JsonText: what is JSON and what is not, where a fault is, and that the bytes stay.
#include "json_cases.hpp"

#include <stele/schema/json_text.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

#include <simdjson.h>

#include <cmath>
#include <limits>
#include <optional>

using namespace stele;
using namespace std::string_literals;
using nlohmann::json;

namespace {

bool accepts(const std::string& text) {
    try {
        (void)JsonText::parse(text);
        return true;
    } catch (const InvalidInput&) {
        return false;
    }
}

/// What nlohmann's parser says; nothing where a number is beyond a double, because it stops there.
std::optional<bool> nlohmann_accepts(const std::string& text) {
    try {
        return !json::parse(text).is_discarded();
    } catch (const json::out_of_range&) {
        return std::nullopt;
    } catch (const json::exception&) {
        return false;
    }
}

/// What simdjson says; nothing where it refuses a number, because it refuses those beyond its range too.
std::optional<bool> simdjson_accepts(const std::string& text) {
    static simdjson::dom::parser parser;
    switch (parser.parse(text).error()) {
        case simdjson::SUCCESS:
            return true;
        case simdjson::NUMBER_ERROR:
            return std::nullopt;
        default:
            return false;
    }
}

std::string refusal_of(const std::string& text) {
    return test::refusal_text([&] { (void)JsonText::parse(text, "data"); });
}

/// An array in an array in an array …
json nested(int levels) {
    json value = json::array();
    for (int level = 1; level < levels; ++level) {
        json outer = json::array();
        outer.push_back(std::move(value));
        value = std::move(outer);
    }
    return value;
}

}  // namespace

TEST_CASE("JSON that RFC 8259 allows is kept byte for byte", "[schema][json]") {
    for (const auto& text : test::json_to_accept()) {
        CAPTURE(text.substr(0, 200));
        REQUIRE(accepts(text));
        REQUIRE(JsonText::parse(text).text() == text);
    }
}

TEST_CASE("JSON that RFC 8259 forbids is refused", "[schema][json]") {
    for (const auto& text : test::json_to_refuse()) {
        CAPTURE(text.substr(0, 200));
        REQUIRE_FALSE(accepts(text));
        REQUIRE_NOTHROW(test::refusal([&] { (void)JsonText::parse(text); }).facts().dump());
    }
}

TEST_CASE("a refusal names the field, the byte and what is wrong there", "[schema][json]") {
    CHECK(refusal_of("") == "data: expected a JSON value at byte 0, found the end");
    CHECK(refusal_of("[1,2") == "data: expected ',' or ']' behind an element at byte 4, found the end");
    CHECK(refusal_of(R"({"a":1 "b":2})") == "data: expected ',' or '}' behind a member at byte 7, found '\"'");
    CHECK(refusal_of("{'a':1}") == "data: expected a member's name in quotes at byte 1, found '''");
    CHECK(refusal_of(R"({"a"=1})") == "data: expected ':' behind a member's name at byte 4, found '='");
    CHECK(refusal_of("[nul]") == "data: expected a JSON value at byte 1, found 'n'");
    CHECK(refusal_of("[01]") == "data: expected no digit behind a leading 0 at byte 2, found '1'");
    CHECK(refusal_of("[1.]") == "data: expected a digit at byte 3, found ']'");
    CHECK(refusal_of("{} x") == "data: expected nothing behind the value at byte 3, found 'x'");
    CHECK(refusal_of("\xEF\xBB\xBF{}") == "data: expected a JSON value at byte 0, found a byte order mark");
    CHECK(refusal_of(R"("\ud800")") == R"(data: expected surrogates in pairs at byte 1, found \uD800 alone)");
    CHECK(refusal_of(R"("\u12G4")") ==
          R"(data: expected four hexadecimal digits behind '\u' at byte 5, found 'G')");
    CHECK(refusal_of("\"a\nb\"") ==
          "data: expected control characters in a string escaped at byte 2, found the byte 0x0A");
    CHECK(refusal_of("\"abc") == "data: expected '\"' at the end of a string at byte 4, found the end");
    CHECK(refusal_of("\"caf\xe9\"") == "data: expected UTF-8, found the byte 0xE9 at byte 4");
    CHECK(refusal_of("{}\0"s) == "data: expected nothing behind the value at byte 2, found the byte 0x00");
    CHECK(refusal_of(std::string(1001, '[')) ==
          "data: expected at most 1000 levels of nesting at byte 1000, found one more");
    CHECK(test::refused_field([] { (void)JsonText::parse("x", "result"); }) == "result");
}

TEST_CASE("random JSON is accepted, with the meaning that others give it", "[schema][json]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 3000; ++round) {
        const auto text = random.json();
        CAPTURE(text);
        REQUIRE(accepts(text));
        REQUIRE(JsonText::parse(text).value() == json::parse(text));
    }
}

// Goal:   we accept exactly what others accept.
// Method: change, drop and add bytes of random JSON, and ask two other parsers about the same text. (NUL ends the
//         input of one and it skips a byte order mark, so neither is used here; both are in the tables.)
TEST_CASE("random JSON with random damage is accepted or refused as by others", "[schema][json]") {
    test::Random random;
    CAPTURE(random.seed());
    constexpr std::string_view bytes =
        "\"\"\\\\{}[]::,,  \n\t0019.-+eEtrufalsn/bud8DcA\x01\x1f\x7f\xc3\xa9\xed\xa0\xf0";
    int refused = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto text = random.json();
        for (auto left = 1 + random.below(3); left > 0 && !text.empty(); --left) {
            const auto at = random.below(text.size());
            switch (random.below(3)) {
                case 0:
                    text.insert(at, 1, random.one_of(bytes));
                    break;
                case 1:
                    text.erase(at, 1);
                    break;
                default:
                    text[at] = random.one_of(bytes);
            }
        }
        if (text.starts_with("\xEF\xBB\xBF")) continue;
        CAPTURE(text);
        const bool accepted = accepts(text);
        REQUIRE(nlohmann_accepts(text).value_or(accepted) == accepted);
        REQUIRE(simdjson_accepts(text).value_or(accepted) == accepted);
        refused += accepted ? 0 : 1;
    }
    CHECK(refused > 1000);
}

TEST_CASE("a quote, a backslash or a control character is seen wherever it stands in a long string",
          "[schema][json]") {
    for (std::size_t length = 0; length <= 40; ++length) {
        for (std::size_t at = 0; at < length; ++at) {
            CAPTURE(length, at);
            const auto with = [&](char c) {
                auto text = std::string(length, '\x7f');
                text[at] = c;
                return '"' + text + '"';
            };
            REQUIRE(accepts(with('!')));
            REQUIRE(accepts(with(' ')));
            REQUIRE_FALSE(accepts(with('"')));
            REQUIRE_FALSE(accepts(with('\x1f')));
            REQUIRE_FALSE(accepts(with('\0')));
            REQUIRE(accepts(with('\\')) == false);  // what follows is no escape
        }
    }
}

TEST_CASE("metadata must be an object", "[schema][json]") {
    CHECK(JsonText::parse_object(" \n{\"a\":1}").text() == " \n{\"a\":1}");
    CHECK(JsonText::parse_object("{}").is_object());
    const auto text = GENERATE(as<std::string>{}, "[]", "null", "1", "\"{}\"", " [ {} ] ");
    const auto refused = test::refusal([&] { (void)JsonText::parse_object(text); });
    CHECK(refused.field() == "metadata");
    CHECK_THAT(refused.what(), ContainsSubstring("expected an object, found"));
    CHECK_FALSE(JsonText::parse(text).is_object());
}

TEST_CASE("a JSON value is written compactly", "[schema][json]") {
    CHECK(JsonText{}.text() == "{}");
    CHECK(JsonText{json{{"domain", "example.org"}, {"n", 1}}}.text() == R"({"domain":"example.org","n":1})");
    CHECK(JsonText{json(nullptr)}.text() == "null");
    CHECK(JsonText{json("\u00e9\n")}.text() == "\"\u00e9\\n\"");
}

TEST_CASE("a JSON value that text cannot say is refused", "[schema][json]") {
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK_THAT(test::refusal_text([&] { JsonText{json{{"x", infinity}}}; }), ContainsSubstring("finite numbers"));
    CHECK_THAT(test::refusal_text([&] { JsonText{json(std::nan(""))}; }), ContainsSubstring("finite numbers"));
    CHECK_THAT(test::refusal_text([&] {
                   JsonText{json::array({json::binary({1, 2})})};
               }),
               ContainsSubstring("binary data"));
    CHECK_THAT(test::refusal_text([&] { JsonText{json(json::value_t::discarded)}; }),
               ContainsSubstring("discarded"));
    CHECK_THAT(test::refusal_text([&] { JsonText{json{{"x", "\xff"}}}; }), ContainsSubstring("strings in UTF-8"));
    CHECK_THAT(test::refusal_text([&] { JsonText{json{{"\xff", 1}}}; }), ContainsSubstring("strings in UTF-8"));
    CHECK(test::refused_field([&] { (void)JsonText::write("\xff", "state"); }) == "state");
}

TEST_CASE("a JSON value is written up to 1000 levels deep and no deeper", "[schema][json]") {
    CHECK(JsonText{nested(1000)}.text() == std::string(1000, '[') + std::string(1000, ']'));
    CHECK_THROWS_AS(JsonText{nested(1001)}, InvalidInput);
    CHECK_THROWS_AS(JsonText{nested(1'000'000)}, InvalidInput);  // would overflow the stack of a recursive writer
}

TEST_CASE("what is written is what would be accepted", "[schema][json]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 500; ++round) {
        const JsonText written{json{{random.text(), random.text()}, {random.name(), json::parse(random.json())}}};
        CAPTURE(written);
        REQUIRE(accepts(written.text()));
    }
}

TEST_CASE("the value of text keeps the last of several members and large integers as doubles", "[schema][json]") {
    CHECK(JsonText::parse(R"({"a":1,"a":2})").value() == json{{"a", 2}});
    CHECK(JsonText::parse("18446744073709551616").value() == json(18446744073709551616.0));
    CHECK_THROWS_AS(JsonText::parse("[1e999]").value(), InvalidInput);
}

TEST_CASE("JSON texts are equal when their bytes are", "[schema][json]") {
    CHECK(JsonText::parse("{}") == JsonText{});
    CHECK(JsonText::parse("{ }") != JsonText{});
    auto reused = JsonText::parse("[1]");
    reused.assign_trusted("[2]");
    CHECK(reused == JsonText::trusted("[2]"));
}

TEST_CASE("a kept value comes back unparsed, and its text is what writing it gives", "[schema][json]") {
    const nlohmann::json value{{"domain", "exämple.org"}, {"sizes", {1, 2.5, true, nullptr}}};
    const auto kept = JsonText::keep(value);

    REQUIRE(kept.kept() != nullptr);
    CHECK(*kept.kept() == value);
    CHECK(kept.value() == value);
    CHECK(kept.is_object());
    CHECK(kept == JsonText{value});
    CHECK(kept.text() == value.dump());
    CHECK(JsonText{value}.kept() == nullptr);

    auto reused = kept;
    reused.assign_trusted("[2]");
    CHECK(reused.kept() == nullptr);
    CHECK(reused.text() == "[2]");
    CHECK(kept.value() == value);
}

TEST_CASE("a value that cannot be written is refused when it is kept", "[schema][json]") {
    CHECK_THROWS_AS(JsonText::keep("\xC3("), InvalidInput);
    CHECK_THROWS_AS(JsonText::keep({{"a", {{"\xFF", 1}}}}), InvalidInput);
    CHECK_THROWS_AS(JsonText::keep(std::numeric_limits<double>::infinity()), InvalidInput);
    nlohmann::json deep = nlohmann::json::array();
    for (int i = 1; i < JsonText::max_depth; ++i) deep = nlohmann::json::array({std::move(deep)});
    CHECK_NOTHROW(JsonText::keep(deep));
    CHECK_THROWS_AS(JsonText::keep(nlohmann::json::array({deep})), InvalidInput);
}
