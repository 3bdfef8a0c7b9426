// Writing an event in one expression, and what it does to the metadata's text.
#include <stele/schema/event.hpp>
#include <stele/schema/event_json.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

#include <sstream>
#include <type_traits>

using namespace stele;
using nlohmann::json;

static_assert(!std::is_convertible_v<Version, Position>);
static_assert(!std::is_convertible_v<Position, Version>);
static_assert(!std::is_convertible_v<std::int64_t, Position>);
static_assert(!std::is_convertible_v<Position, std::int64_t>);
static_assert(Position{1}.next() == Position{2});
static_assert(Position{2}.previous() == Position{1});
static_assert(Version{} < Version{1});

namespace {

/// The metadata text of an event that starts with `metadata` and gets the member `key`.
std::string with(std::string metadata, std::string_view key, const json& value) {
    NewEvent made = event("T");
    made.metadata = JsonText::parse_object(std::move(metadata));
    return made.with_metadata(key, value).metadata.text();
}

}  // namespace

TEST_CASE("an event is written in one expression", "[schema][event]") {
    const auto id = EventId::generate();
    const auto time = parse_rfc3339("2026-01-05T10:00:00Z");
    const NewEvent made = event("SiteCreated", {{"domain", "example.org"}})
                              .by("user-7")
                              .correlation("c-1")
                              .caused_by("e-1")
                              .with_metadata("ip", "::1")
                              .tag("plan:pro")
                              .tag("eu")
                              .at(time)
                              .schema(2)
                              .with_id(id);
    CHECK(made.type == "SiteCreated");
    CHECK(made.data.text() == R"({"domain":"example.org"})");
    CHECK(made.metadata.text() == R"({"actor":"user-7","correlation_id":"c-1","causation_id":"e-1","ip":"::1"})");
    CHECK(made.tags == std::vector<std::string>{"plan:pro", "eu"});
    CHECK(made.occurred_at == time);
    CHECK(made.schema_version == 2);
    CHECK(made.id == id);
}

TEST_CASE("an event without more than a type has empty objects and an id of its own", "[schema][event]") {
    const auto one = event("SiteCreated");
    const auto other = event("SiteCreated", {});
    CHECK(one.data.text() == "{}");
    CHECK(other.data.text() == "{}");
    CHECK(one.metadata.text() == "{}");
    CHECK(one.schema_version == 1);
    CHECK_FALSE(one.occurred_at);
    CHECK(one.id < other.id);
}

TEST_CASE("data may be any JSON value", "[schema][event]") {
    CHECK(event("T", nullptr).data.text() == "null");
    CHECK(event("T", 1).data.text() == "1");
    CHECK(event("T", "x").data.text() == "\"x\"");
    CHECK(event("T", {1, 2}).data.text() == "[1,2]");
    CHECK(event("T", json::array()).data.text() == "[]");
    CHECK(test::refused_field([] { (void)event("T", "\xff"); }) == "data");
}

TEST_CASE("a member of metadata is set behind the others or in its place, and nothing else changes",
          "[schema][event]") {
    CHECK(with("{}", "a", 1) == R"({"a":1})");
    CHECK(with(" { } ", "a", 1) == R"( { "a":1} )");
    CHECK(with(R"({"z":1e2, "y" : [ ]})", "a", 1) == R"({"z":1e2, "y" : [ ],"a":1})");
    CHECK(with(R"({"z":1.0, "a" : [ 1, {"a":2}] , "y":0})", "a", "x") == R"({"z":1.0, "a" : "x" , "y":0})");
    CHECK(with(R"({"a":1})", "a", {{"b", nullptr}}) == R"({"a":{"b":null}})");
    CHECK(with(R"({"a":1,"b":{"a":3},"a":2})", "a", 0) == R"({"a":0,"b":{"a":3},"a":0})");
    CHECK(with(R"({"\u0061":1})", "a", 2) == R"({"\u0061":2})");
    CHECK(with("{}", "\"\\\n", 2) == R"({"\"\\\n":2})");
    CHECK(with("{}", "", 2) == R"({"":2})");
}

TEST_CASE("a member set on random metadata is there, and all others as before", "[schema][event]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 1000; ++round) {
        const auto before = random.json_object();
        const auto key = random.text();
        const auto value = json::parse(random.json());
        CAPTURE(before, key, value);
        auto expected = json::parse(before);
        expected[key] = value;
        REQUIRE(json::parse(with(before, key, value)) == expected);
    }
}

TEST_CASE("metadata that cannot take a member is refused", "[schema][event]") {
    NewEvent made = event("T");
    made.metadata = JsonText::parse("[]");
    CHECK(test::refused_field([&] { made.by("user-7"); }) == "metadata");
    CHECK(test::refused_field([] { (void)event("T").by("\xff"); }) == "metadata.actor");
    CHECK(test::refused_field([] { (void)event("T").with_metadata("\xff", 1); }) == "metadata");
}

TEST_CASE("a stored event prints itself as its line and is equal to its copy", "[schema][event]") {
    const Event stored{Position{7},   Version{2},  StreamId{"Site", "site-42"},
                       "SiteCreated", 1,           EventId::generate(),
                       now(),         now(),       JsonText{},
                       JsonText{},    {"plan:pro"}};
    std::ostringstream out;
    out << stored;
    CHECK(out.str() == to_event_line(stored));
    auto copy = stored;
    CHECK(copy == stored);
    copy.tags.clear();
    CHECK(copy != stored);
}
