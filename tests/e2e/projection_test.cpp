// stele projection list, rebuild and query.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Workplace;

namespace {

const char* const counts = R"(--@ projection counts version 2
--@ create
CREATE TABLE counts (type TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE other (x TEXT);
--@ on *
INSERT INTO counts VALUES ($type, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1;
)";

const char* const fails_at_b = R"(--@ projection fails version 1
--@ create
CREATE TABLE fails (type TEXT NOT NULL CHECK (type <> 'B'));
--@ on *
INSERT INTO fails VALUES ($type);
)";

// A project with the projection `counts`, and the events A, B, A.
Workplace& seeded(Workplace& at) {
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("projections/counts.sql", counts);
    at.write("lines.jsonl", event_line("1", "A") + event_line("2", "B") + event_line("1", "A"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

}  // namespace

TEST_CASE("a projection is listed, built, listed again and asked", "[e2e][projection]") {
    Workplace at;
    seeded(at);
    const auto before = at.stele({"projection", "list", "--json"}).json();
    CHECK(before.at("name") == "counts");
    CHECK(before.at("state") == "absent");
    CHECK(before.at("generation") == 0);
    CHECK(before.at("lag_events") == 3);

    const auto rebuilt = at.stele({"projection", "rebuild", "counts", "--json"});
    INFO(rebuilt);
    REQUIRE(rebuilt.status == 0);
    CHECK(rebuilt.json().at("generation") == 1);
    CHECK(rebuilt.json().at("position") == 3);
    CHECK(rebuilt.json().at("events") == 3);
    CHECK(rebuilt.json().at("state") == "live");

    const auto after = at.stele({"projection", "list", "--json"}).json();
    for (const auto& [field, value] : std::map<std::string, json>{{"version", 2},
                                                                  {"generation", 1},
                                                                  {"mode", "async"},
                                                                  {"state", "live"},
                                                                  {"position", 3},
                                                                  {"head", 3},
                                                                  {"lag_events", 0},
                                                                  {"error", nullptr}}) {
        CAPTURE(field);
        CHECK(after.at(field) == value);
    }
    CHECK(after.at("lag_seconds") == 0);

    const auto rows = at.stele({"projection", "query", "counts", "--json"}).json_lines();
    CHECK(rows == std::vector<json>{{{"type", "A"}, {"n", 2}}, {{"type", "B"}, {"n", 1}}});
}

TEST_CASE("a projection is asked for people, as CSV, and with SQL", "[e2e][projection]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "--all"}).status == 0);
    CHECK(at.stele({"projection", "query", "counts"}).out == "type  n\nA     2\nB     1\n");
    CHECK(at.stele({"projection", "query", "counts", "--csv"}).out == "type,n\nA,2\nB,1\n");
    CHECK(at.stele({"projection", "query", "counts",
                    "SELECT 'a,\"b' AS t, NULL AS u, '' AS v, 1.5 AS r, x'0aff' AS h", "--csv"})
              .out == "t,u,v,r,h\n\"a,\"\"b\",,\"\",1.5,0aff\n");
    CHECK(
        at.stele({"projection", "query", "counts", "SELECT sum(n) AS n, NULL AS u, 1.5 AS r FROM counts", "--json"})
            .json() == json{{"n", 3}, {"u", nullptr}, {"r", 1.5}});
    CHECK(at.stele({"projection", "query", "counts", "SELECT * FROM other"}).out.empty());
}

TEST_CASE("a query can read and nothing else, and a wrong one is explained", "[e2e][projection]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    for (const std::string sql :
         {"DELETE FROM counts", "SELECT * FROM nowhere", "SELEC", "SELECT 1; DELETE FROM counts"}) {
        const auto ran = at.stele({"projection", "query", "counts", sql});
        INFO(ran);
        CHECK(ran.status == 2);
        CHECK_THAT(ran.err, ContainsSubstring("query:1"));
    }
    CHECK(at.stele({"projection", "query", "counts", "--json"}).json_lines().size() == 2);
}

TEST_CASE("a projection is rebuilt as it was at a position", "[e2e][projection]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto ran = at.stele({"projection", "rebuild", "counts", "--until", "2", "--json"});
    CHECK(ran.json().at("position") == 2);
    CHECK(ran.json().at("generation") == 2);
    CHECK(ran.json().at("state") == "paused");
    CHECK(at.stele({"projection", "query", "counts", "--csv"}).out == "type,n\nA,1\nB,1\n");
    const auto beyond = at.stele({"projection", "rebuild", "counts", "--until", "4"});
    CHECK(beyond.status == 2);
    CHECK_THAT(beyond.err, ContainsSubstring("up to the head, 3, found 4"));
}

TEST_CASE("a projection that is in no project is named by its file", "[e2e][projection]") {
    Workplace at;
    REQUIRE(at.stele({"append", "Site/1", "A"}).status == 0);
    at.write("elsewhere/counts.sql", counts);
    const auto early = at.stele({"projection", "query", "elsewhere/counts.sql"});
    CHECK(early.status == 4);
    CHECK_THAT(early.err, ContainsSubstring("was never built\ntry: stele projection rebuild elsewhere/counts.sql"));
    REQUIRE(at.stele({"projection", "rebuild", "elsewhere/counts.sql"}).status == 0);
    CHECK(at.stele({"projection", "query", "elsewhere/counts.sql", "--csv"}).out == "type,n\nA,1\n");
    CHECK(at.stele({"projection", "query", "counts", "--csv"}).out == "type,n\nA,1\n");
    CHECK(at.stele({"projection", "rebuild", "elsewhere/nothing.sql"}).status == 4);
}

TEST_CASE("an unknown projection is not found, and the nearest is named", "[e2e][projection]") {
    Workplace at;
    seeded(at);
    const auto rebuild = at.stele({"projection", "rebuild", "count"});
    CHECK(rebuild.status == 4);
    CHECK_THAT(rebuild.err,
               ContainsSubstring("log.stele: no projection \"count\"\ntry: stele projection rebuild counts\n"));
    const auto query = at.stele({"projection", "query", "count"});
    CHECK(query.status == 4);
    CHECK_THAT(query.err, ContainsSubstring("try: stele projection query counts"));
    CHECK(at.stele({"projection", "rebuild"}).status == 2);
}

TEST_CASE("a projection that fails at an event keeps its readers' generation, and the others are built",
          "[e2e][projection]") {
    Workplace at;
    seeded(at);
    at.write("projections/a_fails.sql", fails_at_b);
    const auto ran = at.stele({"projection", "rebuild", "--all"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, ContainsSubstring("projection \"fails\": position 2, B v1"));
    CHECK_THAT(ran.out, ContainsSubstring("counts: generation 1"));
    const auto one = at.stele({"projection", "rebuild", "fails", "--json"});
    CHECK(one.status == 1);
    CHECK(one.error().contains("message"));
}

TEST_CASE("a mistake in a projection file is named by line, and stands in no other one's way",
          "[e2e][projection]") {
    Workplace at;
    seeded(at);
    at.write("projections/broken.sql",
             "--@ projection broken version 1\n--@ create\nCREATE TABEL t (x);\n--@ on *\nSELECT 1;\n");
    CHECK(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto is_named = [](const test::Ran& ran) {
        INFO(ran);
        CHECK(ran.status == 1);
        CHECK_THAT(ran.err, ContainsSubstring("projections/broken.sql:3"));
    };
    is_named(at.stele({"projection", "rebuild", "broken"}));
    const auto all = at.stele({"projection", "rebuild", "--all"});
    is_named(all);
    CHECK_THAT(all.out, ContainsSubstring("counts: generation 2"));
    const auto list = at.stele({"projection", "list", "--json"});
    is_named(list);
    CHECK(list.json().at("name") == "counts");
    is_named(at.stele({"status"}));
}

TEST_CASE("a read model behind the log says so to people", "[e2e][projection]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    CHECK_THAT(at.stele({"projection", "query", "counts"}).err,
               ContainsSubstring("is at position 3, the log at 4"));
    CHECK(at.stele({"projection", "list", "--json"}).json().at("lag_events") == 1);
}
