// stele export: the log as lines that can be imported again.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::event_lines;
using test::Workplace;

namespace {

Workplace& seeded(Workplace& at) {
    at.write("lines.jsonl",
             event_lines(300) +
                 test::event_line("x", "Other", R"(,"tenant":"acme","tags":["t:1"],"metadata":{ "actor" : "u" })"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

// What an import of an export gives again; positions too, where all was exported.
json without_recorded_at(json event) {
    event.erase("recorded_at");
    return event;
}

std::vector<json> without_recorded_at(const std::vector<json>& events) {
    std::vector<json> all;
    for (const auto& event : events) all.push_back(without_recorded_at(event));
    return all;
}

}  // namespace

TEST_CASE("an export imported into a new store gives the same events under the same ids", "[e2e][export]") {
    Workplace at;
    seeded(at);
    for (const std::string file : {"all.jsonl", "all.jsonl.gz"}) {
        CAPTURE(file);
        const auto exported = at.stele({"export", file, "--json"});
        REQUIRE(exported.status == 0);
        CHECK(exported.json().at("events") == 301);
        CHECK_FALSE(at.exists(file + ".tmp"));
        const auto store = file + ".stele";
        REQUIRE(at.stele({"import", file, "--store", store}).status == 0);
        const auto copied = at.stele({"events", "--json", "--store", store}).json_lines();
        CHECK(without_recorded_at(copied) == without_recorded_at(at.log()));
        CHECK(at.stele({"export", "--store", store}).out.find(R"("metadata":{ "actor" : "u" })") !=
              std::string::npos);
    }
    CHECK(at.text_of("all.jsonl.gz").substr(0, 2) == "\x1f\x8b");
}

TEST_CASE("an export imported into its own store appends nothing", "[e2e][export]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"export", "all.jsonl"}).status == 0);
    const auto ran = at.stele({"import", "all.jsonl", "--json"});
    CHECK(ran.json().at("duplicates") == 301);
    CHECK(ran.json().at("appended") == 0);
}

TEST_CASE("export takes the filters of events, and writes standard output by default", "[e2e][export]") {
    Workplace at;
    seeded(at);
    CHECK(at.stele({"export"}).json_lines().size() == 301);
    CHECK(at.stele({"export", "-", "--tenant", "acme"}).json_lines().size() == 1);
    CHECK(at.stele({"export", "--type", "Counted", "--after", "100", "--limit", "5"}).json_lines().size() == 5);
    CHECK(at.stele({"export", "--until-position", "10"}).json_lines().size() == 10);
}

TEST_CASE("an export that cannot be written leaves the old file as it was", "[e2e][export]") {
    Workplace at;
    seeded(at);
    const auto ran = at.stele({"export", "missing/all.jsonl"});
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, ContainsSubstring("missing/all.jsonl"));
    at.write("all.jsonl", "old");
    CHECK(at.stele({"export", "all.jsonl", "--store", "none.stele"}).status == 4);
    CHECK(at.text_of("all.jsonl") == "old");
}
