// stele streams, types and status: what is there.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Workplace;

namespace {

Workplace& seeded(Workplace& at) {
    at.write("lines.jsonl",
             event_line("2", "A") + event_line("1", "B", R"(,"tenant":"acme")") + event_line("2", "B"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

}  // namespace

TEST_CASE("streams lists each stream with its events, first and last", "[e2e][streams]") {
    Workplace at;
    seeded(at);
    const auto streams = at.stele({"streams", "--json"}).json_lines();
    REQUIRE(streams.size() == 2);
    auto first = streams.at(0);
    CHECK(first.at("last_recorded_at").get<std::string>().size() == 27);
    first.erase("last_recorded_at");
    CHECK(first == json{{"tenant", ""},
                        {"aggregate_type", "Site"},
                        {"aggregate_id", "2"},
                        {"version", 2},
                        {"first_position", 1},
                        {"last_position", 3}});
    CHECK(streams.at(1).at("tenant") == "acme");

    CHECK(at.stele({"streams", "--json", "--tenant", "acme"}).json().at("aggregate_id") == "1");
    CHECK(at.stele({"streams", "--json", "--aggregate-type", "Site", "--limit", "1"}).json_lines().size() == 1);
    CHECK(at.stele({"streams", "--json", "--aggregate-type", "Order"}).out.empty());
    const auto table = at.stele({"streams"}).out;
    CHECK_THAT(table, ContainsSubstring("STREAM       EVENTS  FIRST  LAST"));
    CHECK_THAT(table, ContainsSubstring("\nacme:Site/1       1      2     2"));
}

TEST_CASE("types lists each type with its events, first and last", "[e2e][types]") {
    Workplace at;
    seeded(at);
    CHECK(at.stele({"types", "--json"}).json_lines() ==
          std::vector<json>{{{"type", "A"}, {"count", 1}, {"first_position", 1}, {"last_position", 1}},
                            {{"type", "B"}, {"count", 2}, {"first_position", 2}, {"last_position", 3}}});
    CHECK(at.stele({"types"}).out ==
          "TYPE  EVENTS  FIRST  LAST\nA          1      1     1\nB          2      2     3\n");
}

TEST_CASE("status says what the store is and holds", "[e2e][status]") {
    Workplace at;
    seeded(at);
    const auto status = at.stele({"status", "--json"}).json();
    CHECK(status.at("store") == "log.stele");
    CHECK(status.at("backend") == "sqlite");
    CHECK(status.at("format") == 1);
    CHECK(status.at("head") == 3);
    CHECK(status.at("events") == 3);
    CHECK(status.at("streams") == 2);
    CHECK(status.at("types") == 2);
    CHECK(status.at("bytes").get<int>() > 3 * 4096);
    CHECK(status.at("projections") == json::array());
    CHECK(status.at("listeners") == json::array());

    at.write("all.sql",
             "--@ projection everything version 1\n--@ create\nCREATE TABLE t (p INTEGER);\n--@ on *\nINSERT INTO "
             "t VALUES ($position);\n");
    REQUIRE(at.stele({"projection", "rebuild", "all.sql"}).status == 0);
    const auto with_projection = at.stele({"status", "--json"}).json().at("projections");
    REQUIRE(with_projection.size() == 1);
    CHECK(with_projection.at(0).at("name") == "everything");
    CHECK(with_projection.at(0).at("position") == 3);

    const auto text = at.stele({"status"}).out;
    CHECK_THAT(text, ContainsSubstring("log.stele: sqlite, format 1"));
    CHECK_THAT(text, ContainsSubstring("3 events of 2 types in 2 streams"));
    CHECK_THAT(text, ContainsSubstring("everything"));
}
