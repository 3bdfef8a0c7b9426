// JSON laid out anew: white space changes and nothing else.
#include "json_layout.hpp"

#include <stele/test/catch.hpp>

#include <nlohmann/json.hpp>

using namespace stele::tool;

TEST_CASE("members stand a line each, and what is empty stays on its line", "[tools][json]") {
    CHECK(json_indented(R"({"a":1,"b":[true,null],"c":{},"d":[ ],"e":{"f":"g"}})") == R"({
  "a": 1,
  "b": [
    true,
    null
  ],
  "c": {},
  "d": [],
  "e": {
    "f": "g"
  }
})");
    CHECK(json_indented(" 7 ") == "7");
    CHECK(json_indented("{ }") == "{}");
}

TEST_CASE("numbers and strings keep every byte", "[tools][json]") {
    CHECK(json_indented(R"([1.50,1e400,123456789012345678901234567890,"a\" : ,{ }\\"])") == R"([
  1.50,
  1e400,
  123456789012345678901234567890,
  "a\" : ,{ }\\"
])");
}

TEST_CASE("what is laid out is what an indenting JSON library gives", "[tools][json]") {
    for (const std::string text : {R"({"a":[[[]],{"b":{}}],"c":"x, y: {z}"})", R"([[1,2],[3,[4]]])", R"("text")"}) {
        CAPTURE(text);
        CHECK(json_indented(text) == nlohmann::ordered_json::parse(text).dump(2));
        CHECK(json_indented(json_indented(text)) == json_indented(text));
    }
}

TEST_CASE("JSON comes onto one line", "[tools][json]") {
    CHECK(json_on_one_line("{\n\"a\":\r\n1}") == "{ \"a\":  1}");
}
