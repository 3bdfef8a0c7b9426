// Stream names: what they are made of, how they are read, what is refused.
#include <stele/schema/stream_id.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

#include <set>
#include <unordered_set>

using namespace stele;
using namespace std::string_literals;

TEST_CASE("a stream name is its parts joined", "[schema][stream]") {
    CHECK(StreamId("Site", "site-42").name() == "Site/site-42");
    CHECK(StreamId("acme", "Site", "site-42").name() == "acme:Site/site-42");
    CHECK(StreamId("", "Site", "site-42") == StreamId("Site", "site-42"));
}

TEST_CASE("a stream name is read back into its parts", "[schema][stream]") {
    SECTION("with a tenant") {
        const auto id = StreamId::parse("acme:Site/site-42");
        CHECK(id.tenant() == "acme");
        CHECK(id.aggregate_type() == "Site");
        CHECK(id.aggregate_id() == "site-42");
    }
    SECTION("without a tenant") {
        const auto id = StreamId::parse("Site/site-42");
        CHECK(id.tenant().empty());
        CHECK(id.aggregate_type() == "Site");
        CHECK(id.aggregate_id() == "site-42");
    }
    SECTION("the id is everything behind the first slash, whatever it holds") {
        const auto id = StreamId::parse("file/src/a:b//c:d/");
        CHECK(id.tenant().empty());
        CHECK(id.aggregate_type() == "file");
        CHECK(id.aggregate_id() == "src/a:b//c:d/");
    }
}

TEST_CASE("random stream names survive being written and read", "[schema][stream]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 2000; ++round) {
        const auto id = random.stream();
        CAPTURE(id.name());
        const auto again = StreamId::parse(id.name());
        REQUIRE(again == id);
        REQUIRE(again.tenant() == id.tenant());
        REQUIRE(again.aggregate_type() == id.aggregate_type());
        REQUIRE(again.aggregate_id() == id.aggregate_id());
        REQUIRE(std::hash<StreamId>{}(again) == std::hash<StreamId>{}(id));
    }
}

TEST_CASE("a refused stream name says which part is wrong", "[schema][stream]") {
    struct Case {
        std::string name, field;
    };
    const auto given = GENERATE(values<Case>({{"", "aggregate_id"},
                                              {"Site", "aggregate_id"},
                                              {"Site/", "aggregate_id"},
                                              {"/site-42", "aggregate_type"},
                                              {"acme:/site-42", "aggregate_type"},
                                              {":Site/site-42", "tenant"},
                                              {"a:b:Site/site-42", "aggregate_type"},
                                              {"Si\nte/site-42", "aggregate_type"},
                                              {"ac\tme:Site/site-42", "tenant"},
                                              {"Site/site\x7f", "aggregate_id"},
                                              {"Site/site\0x"s, "aggregate_id"},
                                              {"Site/\xff", "aggregate_id"},
                                              {"S\xc3/x", "aggregate_type"},
                                              {"\xed\xa0\x80:Site/x", "tenant"}}));
    CAPTURE(given.name);
    CHECK(test::refused_field([&] { (void)StreamId::parse(given.name); }) == given.field);
}

TEST_CASE("parts of a stream name hold no separator", "[schema][stream]") {
    CHECK(test::refused_field([] { StreamId("a/b", "Site", "x"); }) == "tenant");
    CHECK(test::refused_field([] { StreamId("a:b", "Site", "x"); }) == "tenant");
    CHECK(test::refused_field([] { StreamId("Si:te", "x"); }) == "aggregate_type");
    CHECK(test::refused_field([] { StreamId("Si/te", "x"); }) == "aggregate_type");
    CHECK(test::refusal_text([] { StreamId("Si/te", "x"); }) ==
          R"(aggregate_type: expected text without ':' and '/', found "Si/te")");
}

TEST_CASE("a message about broken text is valid text itself", "[schema][stream]") {
    const auto refused = test::refusal([] { StreamId("a\n\xff:\xe2\x82", "x"); });
    CHECK_NOTHROW(refused.facts().dump());
    const auto control = test::refusal([] { StreamId("a\n\xc3\xa9", "x"); });
    CHECK_THAT(control.what(), ContainsSubstring("\"a\\x0A\u00e9\""));
}

TEST_CASE("copies of a stream name are equal and outlive the original", "[schema][stream]") {
    std::vector<StreamId> copies;
    {
        const StreamId original{"acme", "Site", "site-42"};
        copies.assign(3, original);
    }
    CHECK(copies[0] == copies[2]);
    CHECK(copies[1].name() == "acme:Site/site-42");
}

TEST_CASE("stream names are ordered by their text and work as keys", "[schema][stream]") {
    const std::set<StreamId> ordered{{"Site", "b"}, {"Site", "a"}, {"Order", "z"}, {"Site", "a"}};
    REQUIRE(ordered.size() == 3);
    CHECK(ordered.begin()->name() == "Order/z");
    CHECK(std::unordered_set<StreamId>{{"Site", "a"}, {"Site", "a"}}.size() == 1);
}
