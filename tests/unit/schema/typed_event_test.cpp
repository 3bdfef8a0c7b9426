// Typed events: what is written of a struct, and what is read into one.
#include <stele/schema/error.hpp>
#include <stele/schema/typed_event.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/refusal.hpp>

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace stele {
namespace {

struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 2;
    std::string domain;
    std::string plan;
    [[nodiscard]] std::vector<std::string> tags() const { return {"plan:" + plan}; }
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain, plan)
};
struct SiteDeleted {
    static constexpr std::string_view type = "SiteDeleted";
    static constexpr int version = 1;
};
struct Measured {  // with conversions of its own, and a member that is called tags
    static constexpr auto type = "Measured";
    static constexpr int version = 1;
    double value = 0;
    std::vector<int> tags{};
    friend void to_json(nlohmann::json& json, const Measured& measured) { json = {{"value", measured.value}}; }
    friend void from_json(const nlohmann::json& json, Measured& measured) {
        json.at("value").get_to(measured.value);
    }
};

Event stored(const NewEvent& made) {
    Event event{.stream = StreamId{"Site", "site-1"}};
    event.type = made.type;
    event.schema_version = made.schema_version;
    event.data = made.data;
    return event;
}

TEST_CASE("a struct becomes an event with its type and schema version and data and tags", "[schema][typed]") {
    const auto made = event(SiteCreated{"example.org", "pro"}).by("user-7").tag("vip");
    CHECK(made.type == "SiteCreated");
    CHECK(made.schema_version == 2);
    CHECK(made.data.text() == R"({"domain":"example.org","plan":"pro"})");
    CHECK(made.metadata.text() == R"({"actor":"user-7"})");
    CHECK(made.tags == std::vector<std::string>{"plan:pro", "vip"});
    CHECK_FALSE(made.id.is_nil());
}

TEST_CASE("members do as well as the struct", "[schema][typed]") {
    const auto& same = event<SiteCreated>("example.org", "pro");
    CHECK(same.data.text() == R"({"domain":"example.org","plan":"pro"})");
    CHECK(same.tags == std::vector<std::string>{"plan:pro"});
    CHECK(event<SiteCreated>({.domain = "a", .plan = "b"}).data.text() == R"({"domain":"a","plan":"b"})");
    const SiteCreated kept{"example.com", "free"};
    CHECK(event<SiteCreated>(kept).data == event(kept).data);
    CHECK(event<SiteCreated>().data.text() == R"({"domain":"","plan":""})");
}

TEST_CASE("a struct without members needs no conversion", "[schema][typed]") {
    const auto made = event(SiteDeleted{});
    CHECK(made.type == "SiteDeleted");
    CHECK(made.data.text() == "{}");
    CHECK(made.tags.empty());
}

TEST_CASE("conversions of one's own are used, and a member called tags is no tags", "[schema][typed]") {
    const auto made = event(Measured{.value = 2.5, .tags = {1, 2}});
    CHECK(made.data.text() == R"({"value":2.5})");
    CHECK(as<Measured>(stored(made)).value == 2.5);
    CHECK(made.tags.empty());
}

TEST_CASE("a name in any form of string is the name of a type", "[schema][typed]") {
    const std::string name = "SiteCreated";
    CHECK(event(name).type == name);
    CHECK(event(std::string{name}, {{"domain", "d"}}).data.text() == R"({"domain":"d"})");
    CHECK(event("SiteCreated", {}).data.text() == "{}");
}

TEST_CASE("what JSON cannot say is refused when the event is made", "[schema][typed]") {
    const auto refusal =
        test::refusal([] { (void)event(Measured{.value = std::numeric_limits<double>::infinity()}); });
    CHECK(refusal.field() == "data");
}

TEST_CASE("an event is read into the struct of its type", "[schema][typed]") {
    CHECK(as<SiteCreated>(stored(event<SiteCreated>("example.org", "pro"))).domain == "example.org");
    CHECK(std::string{test::refusal([] { (void)as<SiteCreated>(stored(event(SiteDeleted{}))); }).what()} ==
          "type of the event at Site/site-1: expected SiteCreated, found SiteDeleted");
    const auto missing = test::refusal([] {
        (void)as<SiteCreated>(stored(event("SiteCreated", {{"domain", "d"}})));
    });
    CHECK(std::string{missing.what()} == "/plan: expected a value, found none");
    const auto newer = stored(event("SiteCreated", {{"domain", "d"}}).schema(3));
    CHECK_THROWS_AS(as<SiteCreated>(newer), InvalidInput);
}

struct Lines {
    static constexpr auto type = "Lines";
    static constexpr int version = 1;
    std::vector<std::string> lines;
    std::map<std::string, int> counts;
    friend void from_json(const nlohmann::json& json, Lines& read) {
        json.at("lines").get_to(read.lines);
        json.at("counts").get_to(read.counts);
    }
};

// Goal:   data that a struct cannot be read from is told by the member that is wrong, or by one around it; never by
//         one that is right.
// Method: one wrong element, wherever it stands, in arrays of several sizes; one wrong member of an object too
// large
//         to look at every one.
TEST_CASE("what cannot be read is told by its place in data of any size", "[schema][typed]") {
    const auto refusal_of = [](const nlohmann::json& data) {
        return std::string{test::refusal([&] { (void)as<Lines>(stored(event("Lines", data))); }).what()};
    };
    const int size = GENERATE(1, 2, 31, 32, 33, 34, 1'000, 30'000);
    nlohmann::json data{{"lines", nlohmann::json::array()}, {"counts", nlohmann::json::object()}};
    for (int i = 0; i < size; ++i) data["lines"].push_back("line " + std::to_string(i));
    for (const int wrong : {0, size / 3, size / 2, size - 1}) {
        CAPTURE(size, wrong);
        auto one_wrong = data;
        one_wrong["lines"][static_cast<std::size_t>(wrong)] = 5;
        CHECK(refusal_of(one_wrong) == "/lines/" + std::to_string(wrong) + ": expected string, found 5");
    }

    for (int i = 0; i < size; ++i) data["counts"]["name " + std::to_string(i)] = i;
    data["counts"]["name 0"] = "none";
    const auto told = refusal_of(data);
    if (size <= 32) {
        CHECK(told == R"(/counts/name 0: expected number, found "none")");
    } else {
        CAPTURE(size, told);
        CHECK((told.rfind("/counts/name 0: expected number", 0) == 0 ||
               told.rfind("/counts: expected number", 0) == 0));
    }
}

}  // namespace
}  // namespace stele
