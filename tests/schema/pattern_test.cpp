// That a search for a pattern takes a number of steps that grows no faster than the string. Steps are counted,
// never timed.
#include "pattern.hpp"
#include "budget.hpp"

#include <stele/schema/json_schema.hpp>
#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace {

using namespace stele;
using namespace stele::detail::json_schema;

std::string repeated(int times, const std::string& text) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

Searched searched(const std::string& pattern, const std::string& text) {
    return Pattern{pattern}.search(text, Budget::most_of_a_search(text.size()));
}

struct Case {
    std::string pattern;
    std::string text;
};

// Each of them takes at least as many steps as the text has bytes squared, or has not ended for other reasons. The
// text ends in what the pattern must end in, else PCRE2 would see at once that it cannot be found.
std::vector<Case> hard(int length) {
    const std::string one(static_cast<std::size_t>(length), 'a');
    return {{"(a+)+$", one + "!"},
            {"a+b", one + "cb"},
            {"\\w+\\W\\d", one},
            {".*x.*y", repeated(length / 2, "ax") + "\ny"},
            {"(?=.*x)(?=.*y)a", one},
            {".{0,20}.{0,20}.{0,20}z", one + "\nz"},
            {"(?:a*b|a)*c", one + "\nbc"},
            {"a.*b|c", one},
            {"\\s+$", repeated(length, " ") + "a"},
            {"[ab]{10000}", repeated(length / 10'000, std::string(9'999, 'a') + "c")},
            {"(a+)\\1z", one + "\nz"},
            {"(?<=a{200}[^a])b", repeated(length / 2, "ab") + "cb"},
            {"[a-z0-9.-]+@[a-z0-9.-]+\\.[a-z]+", one + " @."}};
}

}  // namespace

TEST_CASE("a search in a long string is given up after steps that grow with the string", "[schema][pattern]") {
    for (const int length : {200'000, 1'000'000}) {
        for (const auto& [pattern, text] : hard(length)) {
            CAPTURE(length, pattern);
            const auto most = Budget::most_of_a_search(text.size());
            const auto found = searched(pattern, text);
            CHECK(found.match == Match::gave_up);
            CHECK(found.steps >= most);
            CHECK(found.steps <= most + text.size() / 25);
        }
    }
}

TEST_CASE("the violation says that the pattern took too long", "[schema][pattern]") {
    for (const auto& [pattern, text] : hard(1'000'000)) {
        CAPTURE(pattern);
        const auto schema = JsonSchema::compile(JsonText{{{"properties", {{"a", {{"pattern", pattern}}}}}}});
        const auto violation = schema.check(nlohmann::json{{"a", text}});
        REQUIRE(violation);
        CHECK(violation->pointer == "/a");
        CHECK(violation->expected == "a string that \"" + pattern + "\" is matched with in bounded time");
        CHECK(violation->found == "one of " + std::to_string(text.size()) + " bytes that takes too long");
    }
}

TEST_CASE("a search in a long string that takes few steps for each byte comes to its end", "[schema][pattern]") {
    const auto words = repeated(125'000, "words a ");
    const std::string one(1'000'000, 'a');
    const auto comes_to = [](Match match, const std::string& pattern, const std::string& text) {
        CAPTURE(pattern);
        const auto found = searched(pattern, text);
        CHECK(found.match == match);
        CHECK(found.steps >= text.size() / 100);
        CHECK(found.steps <= text.size());
        CHECK(found.steps == searched(pattern, text).steps);
    };
    comes_to(Match::yes, "^[a-z ]+$", words);
    comes_to(Match::no, "^[a-z]+$", words);
    comes_to(Match::yes, "^(?:[a-z]+ )*$", words);
    comes_to(Match::no, "[a-z0-9.-]+@[a-z0-9.-]+\\.[a-z]+", words + "@.");
    comes_to(Match::no, ".*x.*y", one + "y");
    comes_to(Match::no, "^(?=.*x)(?=.*y)a", one);
    comes_to(Match::yes, "a$", one);
    comes_to(Match::no, "foo", one);
    comes_to(Match::yes, "^(a+)+$", one);
}

TEST_CASE("a check that asks for many patterns in a long string ends as its steps are spent", "[schema][pattern]") {
    // Each takes some 330,000 steps of the 10,000,000.
    auto patterns = nlohmann::json::array();
    for (int i = 0; i < 40; ++i) patterns.push_back({{"not", {{"pattern", ".*x" + std::to_string(i) + "?.*y"}}}});
    const auto schema = JsonSchema::compile(JsonText{{{"allOf", patterns}}});
    const auto violation = schema.check(nlohmann::json(std::string(1'000'000, 'a') + "y"));
    REQUIRE(violation);
    CHECK(violation->expected == "a value that is checked in bounded time");
}

// A pattern of 10,000 bytes leaves no room for the callouts that count.
TEST_CASE("a pattern that is too large to be counted is bounded as well", "[schema][pattern]") {
    std::string words;
    for (int i = 0; i < 2'400; ++i) words += (i == 0 ? "" : "|") + std::to_string(1'000 + i).substr(1);
    const auto anchored = "^(?:" + words + ")$";
    CHECK(searched(anchored, "0399").match == Match::no);
    CHECK(searched(anchored, "999").match == Match::yes);
    CHECK(JsonSchema::compile(JsonText{{{"pattern", anchored}}}).check(nlohmann::json("0399")));
    CHECK_FALSE(JsonSchema::compile(JsonText{{{"pattern", anchored}}}).check(nlohmann::json("999")));

    const auto repeating = "(?:" + words + ")*$";
    const auto text = repeated(100'000, "123") + "4";
    const auto found = searched(repeating, text);
    CHECK(found.match == Match::gave_up);
    CHECK(found.steps <= Budget::most_of_a_search(text.size()) + 1);
}

TEST_CASE("a property of characters may be repeated", "[schema][pattern]") {
    CHECK(searched("^\\p{L}+$", "Grüße").match == Match::yes);
    CHECK(searched("^[\\p{L}+]+\\P{L}+$", "é+12").match == Match::yes);
    CHECK(searched("^\\p{L}{2}$", "éé").match == Match::yes);
    CHECK_THROWS_AS(Pattern{"^\\p{L}++$"}, PatternError);
    CHECK_THROWS_AS(Pattern{"\\p{L"}, PatternError);
}
