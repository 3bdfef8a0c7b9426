// The event line: what goes in, what comes out, that bytes stay, and what a refusal says.
#include <stele/schema/event_json.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/random.hpp>
#include <stele/test/refusal.hpp>

#include <map>

using namespace stele;
using namespace std::string_literals;
using nlohmann::json;

namespace {

const std::string id_text = "01941f29-7c00-7000-8000-000000000001";

Event stored(const StreamId& stream, const NewEvent& event) {
    return {Position{7},
            Version{2},
            stream,
            event.type,
            event.schema_version,
            event.id,
            event.occurred_at.value_or(now()),
            now(),
            event.data,
            event.metadata,
            event.tags};
}

/// A line with the required fields, changed: a field set to the JSON text given, or taken out where that is empty.
std::string line_with(const std::map<std::string, std::string>& changes) {
    std::map<std::string, std::string> fields{{"aggregate_type", R"("Site")"},
                                              {"aggregate_id", R"("site-42")"},
                                              {"type", R"("SiteCreated")"},
                                              {"data", "{}"}};
    for (const auto& [name, text] : changes) fields[name] = text;
    std::string line;
    for (const auto& [name, text] : fields) {
        if (text.empty()) continue;
        line += (line.empty() ? "{\"" : ",\"") + name + "\":" + text;
    }
    return line + "}";
}

InvalidInput refusal_of(const std::string& line, const Limits& limits = {}) {
    return test::refusal([&] { (void)parse_event_line(line, limits); });
}

std::string refused_field(const std::string& name, const std::string& json_text) {
    return refusal_of(line_with({{name, json_text}})).field();
}

}  // namespace

TEST_CASE("a line with the four required fields is an event with the rest by default", "[schema][line]") {
    const auto [stream, event] = parse_event_line(
        R"({"aggregate_type":"Site","aggregate_id":"site-42","type":"SiteCreated","data":{"a":1}})");
    CHECK(stream == StreamId{"Site", "site-42"});
    CHECK(event.type == "SiteCreated");
    CHECK(event.data.text() == R"({"a":1})");
    CHECK(event.metadata.text() == "{}");
    CHECK(event.schema_version == 1);
    CHECK(event.tags.empty());
    CHECK_FALSE(event.occurred_at);
    CHECK_FALSE(event.id.is_nil());
}

TEST_CASE("a line with every field is read in full, in any order and spacing", "[schema][line]") {
    const auto [stream, event] = parse_event_line(
        " { \"tags\" : [ \"plan:pro\" , \"eu\" ] , \"data\" : [ 1.0 ,\t2e2 ] , \"metadata\" : { \"actor\" : \"u\" "
        "} ,"
        "\"occurred_at\":\"2026-01-05T11:00:00+01:00\",\"id\":\"" +
        id_text +
        "\",\"schema_version\":3,\"type\":\"SiteCreated\",\"tenant\":\"acme\","
        "\"aggregate_id\":\"a/b:c\",\"aggregate_type\":\"Site\",\"position\":9,\"version\":4,"
        "\"recorded_at\":\"2026-01-05T10:00:00.000000Z\"}\r");
    CHECK(stream.name() == "acme:Site/a/b:c");
    CHECK(event.id.to_string() == id_text);
    CHECK(event.schema_version == 3);
    CHECK(event.occurred_at == parse_rfc3339("2026-01-05T10:00:00Z"));
    CHECK(event.tags == std::vector<std::string>{"plan:pro", "eu"});
    CHECK(event.data.text() == "[ 1.0 ,\t2e2 ]");
    CHECK(event.metadata.text() == "{ \"actor\" : \"u\" }");
}

TEST_CASE("names and strings of a line may be escaped", "[schema][line]") {
    const auto [stream, event] = parse_event_line(
        R"({"\u0061ggregate_type":"S\u0069te","aggregate_id":"\uD83D\uDE00\/","type":"a\"b","data":"\u0000"})");
    CHECK(stream == StreamId{"Site", "\U0001F600/"});
    CHECK(event.type == "a\"b");
    CHECK(event.data.text() == R"("\u0000")");
}

TEST_CASE("data of a line is any JSON value, kept byte for byte", "[schema][line]") {
    const auto text =
        GENERATE(as<std::string>{}, "null", "true", "0", "-1.50e+07", "\"x\"", "[]", "{}", "{ \"a\" : 1 }", "1e999",
                 "123456789012345678901234567890", R"({"data":{"tags":["}"]}})", R"("}{][\"")");
    CHECK(parse_event_line(line_with({{"data", text}})).event.data.text() == text);
}

TEST_CASE("an event survives being written as a line and read", "[schema][line]") {
    test::Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 1000; ++round) {
        const auto event = stored(random.stream(), random.new_event());
        const auto line = to_event_line(event);
        CAPTURE(line);
        REQUIRE(line.find_first_of("\r\n") == std::string::npos);
        const auto again = parse_event_line(line);
        REQUIRE(again.stream == event.stream);
        REQUIRE(again.event.type == event.type);
        REQUIRE(again.event.schema_version == event.schema_version);
        REQUIRE(again.event.id == event.id);
        REQUIRE(again.event.occurred_at == event.occurred_at);
        REQUIRE(again.event.tags == event.tags);
        REQUIRE(again.event.data.value() == event.data.value());
        REQUIRE(again.event.metadata.value() == event.metadata.value());
        if (event.data.text().find_first_of("\r\n") == std::string::npos) {
            REQUIRE(again.event.data == event.data);
        }

        const auto parsed = json::parse(line);  // another parser sees the same
        REQUIRE(parsed.at("type") == event.type);
        REQUIRE(parsed.at("aggregate_id") == std::string(event.stream.aggregate_id()));
        REQUIRE(parsed.at("data") == event.data.value());
        REQUIRE(parsed.value("tags", std::vector<std::string>{}) == event.tags);
    }
}

TEST_CASE("a line has its fields in a fixed order", "[schema][line]") {
    Event event = stored(StreamId{"acme", "Site", "site-42"}, stele::event("SiteCreated", {{"n", 1}}).by("user-7"));
    event.id = EventId::parse(id_text);
    event.occurred_at = parse_rfc3339("2026-01-05T10:00:00Z");
    event.recorded_at = parse_rfc3339("2026-01-05T10:00:01Z");
    event.tags = {"plan:pro"};
    CHECK(to_event_line(event) ==
          R"({"aggregate_type":"Site","aggregate_id":"site-42","tenant":"acme","type":"SiteCreated",)"
          R"("schema_version":1,"id":")" +
              id_text +
              R"(","occurred_at":"2026-01-05T10:00:00.000000Z","data":{"n":1},"metadata":{"actor":"user-7"},)"
              R"("tags":["plan:pro"],"position":7,"version":2,"recorded_at":"2026-01-05T10:00:01.000000Z"})");

    event.stream = StreamId{"Site", "site-42"};
    event.tags.clear();
    std::string out = "before\n";
    append_event_line(out, event);
    CHECK_THAT(out,
               ContainsSubstring("before\n{\"aggregate_type\":\"Site\",\"aggregate_id\":\"site-42\",\"type\""));
    CHECK_THAT(out, ContainsSubstring("\"metadata\":{\"actor\":\"user-7\"},\"position\":7"));
}

TEST_CASE("line breaks between the tokens of data and metadata become spaces", "[schema][line]") {
    NewEvent made = event("T");
    made.data = JsonText::parse("{\r\n\t\"a\": \"x\\ny\"\n}");
    made.metadata = JsonText::parse_object("{\n}\n");
    const auto line = to_event_line(stored(StreamId{"Site", "x"}, made));
    CHECK_THAT(line, ContainsSubstring("\"data\":{  \t\"a\": \"x\\ny\" },\"metadata\":{ } ,"));
}

TEST_CASE("a field that is missing is named", "[schema][line]") {
    const auto name = GENERATE(as<std::string>{}, "aggregate_type", "aggregate_id", "type", "data");
    const auto refused = refusal_of(line_with({{name, ""}}));
    CHECK(refused.field() == name);
    CHECK(refused.what() == name + ": expected a value, found none");
}

TEST_CASE("a field that does not exist is refused by its name", "[schema][line]") {
    const auto refused = refusal_of(line_with({{"dta", "1"}}));
    CHECK(refused.field() == "dta");
    CHECK_THAT(refused.what(), ContainsSubstring("expected one of aggregate_type, aggregate_id, "));
    CHECK(refusal_of(line_with({{"Data", "1"}})).field() == "Data");
    CHECK(refusal_of(line_with({{"", "1"}})).field() == "\"\"");
}

TEST_CASE("a field that is there twice is refused by its name", "[schema][line]") {
    for (const std::string name :
         {"aggregate_type", "aggregate_id", "tenant", "type", "schema_version", "id", "occurred_at", "data",
          "metadata", "tags", "position", "version", "recorded_at"}) {
        std::map<std::string, std::string> values{{"schema_version", "1"},
                                                  {"id", '"' + id_text + '"'},
                                                  {"occurred_at", "\"2026-01-05T10:00:00Z\""},
                                                  {"metadata", "{}"},
                                                  {"tags", "[]"}};
        const auto value = values.count(name) != 0 ? values[name] : "\"x\"";
        auto line = line_with({{name, value}});
        line.insert(1, '"' + name + "\":" + value + ',');
        CAPTURE(line);
        const auto refused = refusal_of(line);
        CHECK(refused.field() == name);
        CHECK_THAT(refused.what(), ContainsSubstring("each field once"));
    }
}

TEST_CASE("a field of the wrong type is refused with what stands there", "[schema][line]") {
    for (const std::string name : {"aggregate_type", "aggregate_id", "tenant", "type", "id", "occurred_at"}) {
        CAPTURE(name);
        CHECK(refusal_of(line_with({{name, "1"}})).what() == name + ": expected a string, found 1");
        CHECK(refused_field(name, "null") == name);
        CHECK(refused_field(name, "[\"x\"]") == name);
        CHECK(refused_field(name, "{}") == name);
    }
    CHECK(refusal_of(line_with({{"schema_version", "\"1\""}})).what() ==
          "schema_version: expected a whole number, found \"1\""s);
    CHECK(refused_field("schema_version", "1.0") == "schema_version");
    CHECK(refused_field("schema_version", "1e0") == "schema_version");
    CHECK(refused_field("schema_version", "99999999999") == "schema_version");
    CHECK(refused_field("schema_version", "null") == "schema_version");
    CHECK(refused_field("metadata", "[]") == "metadata");
    CHECK(refused_field("metadata", "null") == "metadata");
    CHECK(refused_field("tags", "\"x\"") == "tags");
    CHECK(refused_field("tags", "{}") == "tags");
    CHECK(refused_field("tags", "[\"a\",1]") == "tags[1]");
    CHECK(refused_field("tags", "[\"a\",[]]") == "tags[1]");
}

TEST_CASE("a value that breaks a rule is refused by its field", "[schema][line]") {
    CHECK(refused_field("aggregate_type", "\"\"") == "aggregate_type");
    CHECK(refused_field("aggregate_type", "\"a:b\"") == "aggregate_type");
    CHECK(refused_field("aggregate_id", "\"\"") == "aggregate_id");
    CHECK(refused_field("aggregate_id", R"("a\u0000")") == "aggregate_id");
    CHECK(refused_field("tenant", "\"a/b\"") == "tenant");
    CHECK(refused_field("type", "\"\"") == "type");
    CHECK(refused_field("type", R"("a\n")") == "type");
    CHECK(refused_field("schema_version", "0") == "schema_version");
    CHECK(refused_field("id", "\"x\"") == "id");
    CHECK(refused_field("id", "\"00000000-0000-0000-0000-000000000000\"") == "id");
    CHECK(refused_field("occurred_at", "\"yesterday\"") == "occurred_at");
    CHECK(refused_field("tags", R"(["a",""])") == "tags[1]");
    CHECK(refused_field("tags", R"(["a","a"])") == "tags[1]");
    CHECK(refused_field("aggregate_id", '"' + std::string(256, 'x') + '"') == "aggregate_id");
    CHECK(refusal_of(line_with({{"data", "[1,2,3,4]"}}), Limits{.event_bytes = 10}).field() == "data");
    CHECK(refusal_of(line_with({{"type", "\"abc\""}}), Limits{.type_bytes = 2}).field() == "type");
}

TEST_CASE("an empty tenant is none", "[schema][line]") {
    CHECK(parse_event_line(line_with({{"tenant", "\"\""}})).stream == StreamId{"Site", "site-42"});
}

TEST_CASE("a line that is not JSON is refused with the field and the byte", "[schema][line]") {
    CHECK(refusal_of("").what() == "line: expected an object at byte 0 of the line, found the end"s);
    CHECK(refusal_of("[]").what() == "line: expected an object at byte 0 of the line, found '['"s);
    CHECK(refusal_of("{\"data\":{\"a\":}}").what() ==
          "data: expected a JSON value at byte 13 of the line, found '}'"s);
    CHECK(refusal_of("{\"data\":[1,]}").field() == "data");
    CHECK(refusal_of("{\"data\":1").field() == "line");
    CHECK(refusal_of("{\"data\"").field() == "line");
    CHECK(refusal_of("{\"data\":").field() == "data");
    CHECK(refusal_of(line_with({}) + "x").field() == "line");
    CHECK(refusal_of(line_with({}) + line_with({})).field() == "line");
    CHECK(refusal_of("\xEF\xBB\xBF" + line_with({})).what() ==
          "line: expected an object at byte 0 of the line, found a byte order mark"s);
    CHECK_THAT(refusal_of(line_with({{"data", "\"\xff\""}})).what(),
               ContainsSubstring("expected UTF-8, found the byte 0xFF"));
    CHECK(refused_field("data", std::string(1001, '[') + std::string(1001, ']')) == "data");
    CHECK(refused_field("data", R"("\ud800")") == "data");
    CHECK(refused_field("position", "x") == "position");
    CHECK_NOTHROW(parse_event_line(line_with({{"data", std::string(1000, '[') + std::string(1000, ']')}})));
}
