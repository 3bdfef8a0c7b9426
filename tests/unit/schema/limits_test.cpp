// Limits: how much of an event there may be, and which rule of the format a refused one breaks.
#include <stele/schema/event.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

using namespace stele;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

std::string refused_field(const NewEvent& event, const Limits& limits = {}) {
    return test::refused_field([&] { limits.check(event); });
}
std::string refused_field(const StreamId& stream, const Limits& limits = {}) {
    return test::refused_field([&] { limits.check(stream); });
}

JsonText string_of(std::size_t bytes) { return JsonText::parse('"' + std::string(bytes - 2, 'x') + '"'); }

}  // namespace

TEST_CASE("an event within the limits passes", "[schema][limits]") {
    const Limits limits;
    CHECK_NOTHROW(limits.check(event("SiteCreated", {{"domain", "example.org"}}).by("user-7").tag("plan:pro")));
    CHECK_NOTHROW(limits.check(event(std::string(255, 't')).tag(std::string(150, 'g'))));
    CHECK_NOTHROW(limits.check(event("T").at(first_moment)));
    CHECK_NOTHROW(limits.check(event("T").at(last_moment)));
    CHECK_NOTHROW(limits.check(StreamId{std::string(255, 'c'), std::string(255, 't'), std::string(255, 'i')}));

    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 200; ++round) {
        const auto any = random.new_event();
        CAPTURE(any.type);
        REQUIRE_NOTHROW(limits.check(any));
    }
}

TEST_CASE("a stream name over the limit names the part", "[schema][limits]") {
    const std::string long_part(256, 'x');
    CHECK(refused_field(StreamId{long_part, "Site", "x"}) == "tenant");
    CHECK(refused_field(StreamId{long_part, "x"}) == "aggregate_type");
    CHECK(refused_field(StreamId{"Site", long_part}) == "aggregate_id");
    CHECK(test::refusal_text([&] {
              Limits{}.check(StreamId{"Site", long_part});
          }) == "aggregate_id: expected at most 255 bytes, found 256");
    CHECK_NOTHROW(Limits{.identifier_bytes = 256}.check(StreamId{"Site", long_part}));
}

TEST_CASE("an event that breaks a rule names the field", "[schema][limits]") {
    CHECK(refused_field(event("")) == "type");
    CHECK(refused_field(event("a\nb")) == "type");
    CHECK(refused_field(event("a\0b"s)) == "type");
    CHECK(refused_field(event("\xff")) == "type");
    CHECK(refused_field(event(std::string(256, 't'))) == "type");
    CHECK(refused_field(event("T").with_id(EventId{})) == "id");
    CHECK(refused_field(event("T").schema(0)) == "schema_version");
    CHECK(refused_field(event("T").schema(-1)) == "schema_version");
    CHECK(refused_field(event("T").at(first_moment - 1us)) == "occurred_at");
    CHECK(refused_field(event("T").at(last_moment + 1us)) == "occurred_at");
    auto array_as_metadata = event("T");
    array_as_metadata.metadata = JsonText::parse("[]");
    CHECK(refused_field(array_as_metadata) == "metadata");
}

TEST_CASE("a tag that breaks a rule is named by its place", "[schema][limits]") {
    CHECK(refused_field(event("T").tag("a").tag("")) == "tags[1]");
    CHECK(refused_field(event("T").tag(std::string(151, 'g'))) == "tags[0]");
    CHECK(refused_field(event("T").tag("a").tag("b").tag("\xc3")) == "tags[2]");
    CHECK(refused_field(event("T").tag("a").tag("b").tag("a")) == "tags[2]");
    CHECK_NOTHROW(Limits{}.check(event("T").tag("a").tag("A").tag("a ").tag("\n")));
    CHECK(test::refused_field([] { Limits{}.check_tag("", "query.tags[0]"); }) == "query.tags[0]");
    CHECK(test::refused_field([] { Limits{}.check_type("", "query.types[0]"); }) == "query.types[0]");
}

TEST_CASE("a tag given twice is found among many", "[schema][limits]") {
    NewEvent many = event("T");
    for (int i = 0; i < 1000; ++i) many.tag("tag-" + std::to_string(i));
    CHECK_NOTHROW(Limits{}.check(many));
    many.tag("tag-500");
    CHECK_THAT(test::refusal_text([&] { Limits{}.check(many); }), ContainsSubstring("\"tag-500\" again"));
}

TEST_CASE("data and metadata are limited together", "[schema][limits]") {
    const Limits limits{.event_bytes = 100};
    NewEvent exact = event("T");
    exact.data = string_of(98);
    CHECK_NOTHROW(limits.check(exact));
    exact.metadata = JsonText::parse("{ }");
    CHECK(test::refusal_text([&] { limits.check(exact); }) ==
          "data: expected at most 100 bytes together with metadata, found 101");

    NewEvent large = event("T");
    large.data = string_of(Limits{}.event_bytes - 2);
    CHECK_NOTHROW(Limits{}.check(large));
    large.data = string_of(Limits{}.event_bytes - 1);
    CHECK(refused_field(large) == "data");
}
