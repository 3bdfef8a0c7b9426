// Typed events: what is written of a struct, and what is read into one.
#include <stele/schema/error.hpp>
#include <stele/schema/typed_event.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/refusal.hpp>

#include <limits>

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

}  // namespace
}  // namespace stele
