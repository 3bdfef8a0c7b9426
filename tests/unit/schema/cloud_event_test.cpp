// CloudEvents: where each attribute goes, that the same event is the same event, and what a refusal says.
#include <stele/schema/cloud_event.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/refusal.hpp>

#include <map>

using namespace stele;
using nlohmann::json;

namespace {

/// A CloudEvent with the required attributes, changed: one set to the JSON text given, or left out where it is
/// empty.
std::string cloud_event(const std::map<std::string, std::string>& changes = {}) {
    std::map<std::string, std::string> attributes{{"specversion", R"("1.0")"},
                                                  {"id", R"("A234-1234-1234")"},
                                                  {"source", R"("https://shop.example/eu/orders")"},
                                                  {"type", R"("OrderPlaced")"}};
    for (const auto& [name, text] : changes) attributes[name] = text;
    std::string line;
    for (const auto& [name, text] : attributes) {
        if (text.empty()) continue;
        line += (line.empty() ? "{\"" : ",\"") + name + "\":" + text;
    }
    return line + "}";
}

EventLine read(const std::map<std::string, std::string>& changes) {
    return parse_cloud_event(cloud_event(changes));
}

std::string stream_of(const std::string& source, const std::string& subject = "") {
    return read({{"source", source}, {"subject", subject}}).stream.name();
}

InvalidInput refusal_of(const std::map<std::string, std::string>& changes) {
    return test::refusal([&] { (void)read(changes); });
}

}  // namespace

TEST_CASE("the attributes of a CloudEvent become an event", "[schema][cloudevents]") {
    const auto [stream, event] = read({{"id", R"("0193A1B2-0000-7000-8000-0000000000FF")"},
                                       {"subject", R"("o-1")"},
                                       {"time", R"("2018-04-05T17:31:00Z")"},
                                       {"datacontenttype", R"("application/json")"},
                                       {"correlationid", R"("c-9")"},
                                       {"causationid", R"("e-8")"},
                                       {"sampledrate", "5"},
                                       {"data", R"({ "total": 1.50 })"}});
    CHECK(stream == StreamId{"orders", "o-1"});
    CHECK(event.type == "OrderPlaced");
    CHECK(event.id == EventId::parse("0193a1b2-0000-7000-8000-0000000000ff"));
    CHECK(event.occurred_at == parse_rfc3339("2018-04-05T17:31:00Z"));
    CHECK(event.data.text() == R"({ "total": 1.50 })");
    CHECK(event.metadata.value() == json{{"source", "https://shop.example/eu/orders"},
                                         {"datacontenttype", "application/json"},
                                         {"correlation_id", "c-9"},
                                         {"causation_id", "e-8"},
                                         {"sampledrate", 5}});
    CHECK(event.schema_version == 1);
    CHECK(event.tags.empty());
}

TEST_CASE("the aggregate of a CloudEvent is the last segment of its source, and its subject",
          "[schema][cloudevents]") {
    CHECK(stream_of(R"("https://shop.example/eu/orders/")", R"("o-1")") == "orders/o-1");
    CHECK(stream_of(R"("https://shop.example/eu/orders?page=2#top")", R"("o-1")") == "orders/o-1");
    CHECK(stream_of(R"("urn:example:sensors")", R"("s/1")") == "sensors/s/1");
    CHECK(stream_of(R"("backup")", R"("b")") == "backup/b");
    CHECK(stream_of(R"("/eu/orders")") == "orders//eu/orders");
    CHECK(stream_of(R"("/eu/orders")", "null") == "orders//eu/orders");
}

TEST_CASE("an id that is no UUID gives the same event id each time, and another for another source",
          "[schema][cloudevents]") {
    const auto first = read({});
    CHECK(read({}).event.id == first.event.id);
    CHECK(first.event.id.uuid().version() == boost::uuids::uuid::version_name_based_sha1);
    CHECK(first.event.metadata.value().at("source_id") == "A234-1234-1234");
    CHECK(read({{"id", R"("A234-1234-1235")"}}).event.id != first.event.id);
    CHECK(read({{"source", R"("https://shop.example/us/orders")"}}).event.id != first.event.id);
}

TEST_CASE("data of a CloudEvent may be absent, any JSON, or base64", "[schema][cloudevents]") {
    CHECK(read({}).event.data.text() == "{}");
    CHECK(read({{"data", "[1, 2]"}}).event.data.text() == "[1, 2]");
    CHECK(read({{"data", "null"}}).event.data.text() == "null");
    const auto binary = read({{"data_base64", R"("aGk=")"}}).event;
    CHECK(binary.data.text() == R"("aGk=")");
    CHECK(binary.metadata.value().at("data_encoding") == "base64");
}

TEST_CASE("what is no CloudEvent is refused by the name of the attribute", "[schema][cloudevents]") {
    for (const auto* required : {"specversion", "id", "source", "type"}) {
        CAPTURE(required);
        CHECK(refusal_of({{required, ""}}).field() == required);
        CHECK(refusal_of({{required, R"("")"}}).field() == required);
        CHECK(refusal_of({{required, "7"}}).field() == required);
        CHECK(refusal_of({{required, "null"}}).field() == required);
    }
    CHECK(refusal_of({{"specversion", R"("0.3")"}}).field() == "specversion");
    CHECK(refusal_of({{"source", R"("//")"}}).field() == "source");
    CHECK(refusal_of({{"time", R"("yesterday")"}}).field() == "time");
    CHECK(refusal_of({{"data", "{}"}, {"data_base64", R"("aGk=")"}}).field() == "data_base64");
    CHECK(refusal_of({{"extension", R"({"a":1})"}}).field() == "extension");
    CHECK(refusal_of({{"source_id", R"("x")"}}).field() == "source_id");
    CHECK_THROWS_AS(parse_cloud_event("[]"), InvalidInput);
    CHECK_THROWS_AS(parse_cloud_event(cloud_event() + "x"), InvalidInput);
    CHECK_THROWS_AS(parse_cloud_event(R"({"id":"1","id":"2"})"), InvalidInput);
}
