// stele events and read: each filter alone and together, and both forms of output.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Workplace;

namespace {

using Types = std::vector<std::string>;

Workplace& seeded(Workplace& at) {
    at.write(
        "lines.jsonl",
        event_line("1", "A", R"(,"tenant":"acme","tags":["x","y"],"metadata":{"correlation_id":"c1"})") +
            event_line("1", "B", R"(,"tags":["x"])") +
            event_line("2", "C", R"(,"metadata":{"correlation_id":"c1"})") +
            R"({"aggregate_type":"Backup","aggregate_id":"1","type":"D","data":{"n":4},"occurred_at":"2020-02-02T02:02:02Z"})"
            "\n");
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

Types types_of(const test::Ran& ran) {
    INFO(ran);
    REQUIRE(ran.status == 0);
    Types types;
    for (const auto& event : ran.json_lines()) types.push_back(event.at("type").get<std::string>());
    return types;
}

Types events(const Workplace& at, std::vector<std::string> filters) {
    filters.insert(filters.begin(), {"events", "--json"});
    return types_of(at.stele(filters));
}

}  // namespace

TEST_CASE("each filter of events selects what it says, and several add up", "[e2e][events]") {
    Workplace at;
    seeded(at);
    CHECK(events(at, {}) == Types{"A", "B", "C", "D"});
    CHECK(events(at, {"--after", "2"}) == Types{"C", "D"});
    CHECK(events(at, {"--until-position", "2"}) == Types{"A", "B"});
    CHECK(events(at, {"--type", "A", "--type", "D"}) == Types{"A", "D"});
    CHECK(events(at, {"--aggregate-type", "Backup"}) == Types{"D"});
    CHECK(events(at, {"--tenant", "acme"}) == Types{"A"});
    CHECK(events(at, {"--tenant", ""}) == Types{"B", "C", "D"});
    CHECK(events(at, {"--tag", "x"}) == Types{"A", "B"});
    CHECK(events(at, {"--tag", "x", "--tag", "y"}) == Types{"A"});
    CHECK(events(at, {"--correlation", "c1"}) == Types{"A", "C"});
    CHECK(events(at, {"--correlation", "c1", "--after", "1"}) == Types{"C"});
    CHECK(events(at, {"--since", "2020-01-01"}) == Types{"A", "B", "C", "D"});
    CHECK(events(at, {"--until", "2020-01-01"}).empty());
    CHECK(events(at, {"--backward", "--limit", "2"}) == Types{"D", "C"});
    CHECK(events(at, {"--limit", "0"}).empty());
    CHECK(events(at, {"--type", "Z"}).empty());
}

TEST_CASE("time bounds are those of recording, to the microsecond", "[e2e][events]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"append", "Site/9", "Later"}).status == 0);
    const auto recorded = at.log().back().at("recorded_at").get<std::string>();
    CHECK(events(at, {"--since", recorded}) == Types{"Later"});
    CHECK(events(at, {"--until", recorded}).size() == 5);
}

TEST_CASE("an event line has every field", "[e2e][events]") {
    Workplace at;
    seeded(at);
    const auto event = at.stele({"events", "--json", "--limit", "1"}).json();
    for (const auto* field : {"tenant", "aggregate_type", "aggregate_id", "type", "schema_version", "id",
                              "occurred_at", "data", "metadata", "tags", "position", "version", "recorded_at"}) {
        CAPTURE(field);
        CHECK(event.contains(field));
    }
}

TEST_CASE("for people, events are a table with all of the data", "[e2e][events]") {
    Workplace at;
    seeded(at);
    const auto ran = at.stele({"events", "--after", "3"});
    CHECK(ran.out ==
          "POSITION  VERSION  OCCURRED AT           STREAM    TYPE  DATA\n"
          "       4        1  2020-02-02T02:02:02Z  Backup/1  D     {\"n\":4}\n");
    CHECK(ran.err.empty());
}

TEST_CASE("a type that does not occur is pointed out to people", "[e2e][events]") {
    Workplace at;
    REQUIRE(at.stele({"append", "Site/1", "SiteCreated"}).status == 0);
    const auto ran = at.stele({"events", "--type", "SiteCreatd"});
    CHECK(ran.status == 0);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, ContainsSubstring("no event is of type \"SiteCreatd\"; did you mean \"SiteCreated\"?"));
}

TEST_CASE("control characters do not reach the terminal", "[e2e][events]") {
    const Workplace at;
    REQUIRE(at.stele({"append", "Site/1", "T", "--data",
                      "\"\x7f\xc2\x9b"
                      "31m\""})
                .status == 0);
    const auto ran = at.stele({"events"});
    CHECK_THAT(ran.out, ContainsSubstring("··31m"));
    CHECK_THAT(ran.out, !ContainsSubstring("\x7f"));
}

TEST_CASE("read prints one stream, from a version, either way", "[e2e][read]") {
    Workplace at;
    for (const std::string type : {"A", "B", "C", "D"}) REQUIRE(at.stele({"append", "Site/1", type}).status == 0);
    REQUIRE(at.stele({"append", "Site/2", "Z"}).status == 0);
    const auto read = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"read", "Site/1", "--json"});
        return types_of(at.stele(more));
    };
    CHECK(read({}) == Types{"A", "B", "C", "D"});
    CHECK(read({"--from", "3"}) == Types{"C", "D"});
    CHECK(read({"--from", "2", "--until", "3"}) == Types{"B", "C"});
    CHECK(read({"--backward", "--limit", "1"}) == Types{"D"});
    CHECK(read({"--from", "9"}).empty());
    CHECK_THAT(at.stele({"read", "Site/1"}).out, !ContainsSubstring("STREAM"));
}

TEST_CASE("a stream that is not there is not found, and the nearest is named", "[e2e][read]") {
    Workplace at;
    REQUIRE(at.stele({"append", "Site/site-42", "T"}).status == 0);
    const auto ran = at.stele({"read", "Site/site-24"});
    CHECK(ran.status == 4);
    CHECK_THAT(ran.err, ContainsSubstring("log.stele: no stream \"Site/site-24\"\ntry: stele read Site/site-42\n"));
    CHECK(at.stele({"read", "Site/site-24", "--json"}).error().at("stream") == "Site/site-24");
}

TEST_CASE("a reader of the output that goes away ends the command quietly", "[e2e][events]") {
    Workplace at;
    at.write("many.jsonl", test::event_lines(20'000));
    REQUIRE(at.stele({"import", "many.jsonl"}).status == 0);
    std::optional<test::Process> process{at.start({"events", "--json"})};
    REQUIRE(process->read_line());
    process->close_output();
    CHECK(process->wait() == 0);
}
