#include <stele/replay/json_diff.hpp>
#include <stele/test/catch.hpp>

#include <random>

using nlohmann::json;
using stele::json_diff;

namespace {

json diff(const char* before, const char* after) { return json_diff(json::parse(before), json::parse(after)); }

// A value of few names and few values, so that two of them often agree in part.
json random_value(std::mt19937_64& random, int depth) {
    const auto below = [&](std::uint64_t n) { return random() % n; };
    switch (below(depth > 0 ? 9 : 7)) {
        case 0:
            return nullptr;
        case 1:
            return below(2) == 0;
        case 2:
            return below(3);
        case 3:
            return -static_cast<std::int64_t>(below(3));
        case 4:
            return static_cast<double>(below(3)) * 0.5;
        case 5:
            return ~std::uint64_t{0} - below(2);
        case 6:
            return std::string(below(3), below(2) == 0 ? 'x' : '~');
        case 7: {
            auto array = json::array();
            for (auto n = below(5); n > 0; --n) array.push_back(random_value(random, depth - 1));
            return array;
        }
        default: {
            static constexpr const char* names[] = {"a", "b", "a/b", "m~n", "", "ü"};
            auto object = json::object();
            for (auto n = below(5); n > 0; --n) object[names[below(6)]] = random_value(random, depth - 1);
            return object;
        }
    }
}

}  // namespace

TEST_CASE("values that are the same differ in nothing", "[replay][diff]") {
    CHECK(diff(R"({"a":[1,{"b":null}]})", R"({"a":[1,{"b":null}]})") == json::array());
    CHECK(json_diff(json(5), json::parse("5")) == json::array());
}

TEST_CASE("a member that comes, goes or changes is one operation with its path", "[replay][diff]") {
    CHECK(diff(R"({"gone":1,"kept":2,"other":{"x":1}})", R"({"kept":2,"new":[3],"other":{"x":2}})") ==
          json::parse(R"([{"op":"remove","path":"/gone"},
                          {"op":"add","path":"/new","value":[3]},
                          {"op":"replace","path":"/other/x","value":2}])"));
}

TEST_CASE("an element that is put in, taken out or changed is one operation with its index", "[replay][diff]") {
    CHECK(diff("[1,2,3]", "[1,2,3,4]") == json::parse(R"([{"op":"add","path":"/3","value":4}])"));
    CHECK(diff("[1,2,3]", "[0,1,2,3]") == json::parse(R"([{"op":"add","path":"/0","value":0}])"));
    CHECK(diff("[1,2,3]", "[1,3]") == json::parse(R"([{"op":"remove","path":"/1"}])"));
    CHECK(diff("[1,[2],3]", "[1,[9],3]") == json::parse(R"([{"op":"replace","path":"/1/0","value":9}])"));
}

TEST_CASE("several elements are taken out from behind, so that each index is still true", "[replay][diff]") {
    CHECK(diff("[1,2,3,4]", "[1,4]") ==
          json::parse(R"([{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}])"));
}

TEST_CASE("elements that stay between others that come and go are left alone", "[replay][diff]") {
    CHECK(diff("[1,2,3,4,5]", "[2,9,4]") == json::parse(R"([{"op":"remove","path":"/0"},
                          {"op":"replace","path":"/1","value":9},
                          {"op":"remove","path":"/3"}])"));
    CHECK(diff(R"([{"a":1,"b":1},{"a":2},{"a":3,"b":3}])", R"([{"a":1,"b":9},{"a":2},{"a":3,"b":9}])") ==
          json::parse(R"([{"op":"replace","path":"/0/b","value":9},{"op":"replace","path":"/2/b","value":9}])"));
}

TEST_CASE("arrays in which a hundred and more elements came or went are compared by place", "[replay][diff]") {
    auto before = json::array();
    auto after = json::array();
    for (int n = 0; n < 150; ++n) {
        before.push_back(n);
        before.push_back("stays " + std::to_string(n));
        after.push_back("stays " + std::to_string(n));
    }
    const auto patch = json_diff(before, after);
    CHECK(before.patch(patch) == after);
    CHECK(patch.size() > 150);
    before.erase(before.begin() + 100, before.end());
    after.erase(after.begin() + 50, after.end());
    CHECK(json_diff(before, after).size() == 50);
}

TEST_CASE("names are escaped as JSON Pointer wants it", "[replay][diff]") {
    CHECK(diff(R"({})", R"({"a/b~c":1})") == json::parse(R"([{"op":"add","path":"/a~1b~0c","value":1}])"));
    CHECK(diff(R"({"":1})", R"({"":2})") == json::parse(R"([{"op":"replace","path":"/","value":2}])"));
}

TEST_CASE("a value that changes kind is replaced as a whole", "[replay][diff]") {
    CHECK(diff("{}", "[]") == json::parse(R"([{"op":"replace","path":"","value":[]}])"));
    CHECK(diff(R"({"a":{"b":1}})", R"({"a":null})") ==
          json::parse(R"([{"op":"replace","path":"/a","value":null}])"));
}

TEST_CASE("numbers that are written differently differ", "[replay][diff]") {
    CHECK_FALSE(diff("1", "1.0").empty());
    CHECK_FALSE(diff("0.0", "-0.0").empty());
    CHECK_FALSE(diff("18446744073709551615", "-1").empty());
    CHECK_FALSE(diff("9007199254740993", "9007199254740992.0").empty());
}

TEST_CASE("a patch between arrays of few values leads from the one to the other", "[replay][diff][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 5'000; ++round) {
        const auto list = [&] {
            auto array = json::array();
            for (auto n = random() % 12; n > 0; --n) array.push_back(random() % 4);
            return array;
        };
        const auto before = list();
        const auto after = list();
        CAPTURE(before.dump(), after.dump());
        REQUIRE(before.patch(json_diff(before, after)) == after);
    }
}

TEST_CASE("applying the patch to one random value gives the other, to the byte", "[replay][diff][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 5'000; ++round) {
        const auto before = random_value(random, 4);
        const auto after = random_value(random, 4);
        CAPTURE(before.dump(), after.dump());
        const auto patch = json_diff(before, after);
        REQUIRE(before.patch(patch).dump() == after.dump());
        REQUIRE(patch.empty() == (before.dump() == after.dump()));
    }
}
