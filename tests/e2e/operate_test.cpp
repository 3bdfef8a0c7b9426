// stele projection status, pause, resume, drop, rollback, check and rebuild's options: what an operator does.
#include "workplace.hpp"

#include <sqlite3.h>

#include <algorithm>

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Workplace;

namespace {

namespace fs = std::filesystem;

std::string counts(int version) {
    return "--@ projection counts version " + std::to_string(version) + R"(
--@ create
CREATE TABLE counts (type TEXT PRIMARY KEY, n INTEGER NOT NULL);
--@ on *
INSERT INTO counts VALUES ($type, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1;
)";
}

// A project with the projection `counts`, and the events A, B, A, a second apart.
Workplace& seeded(Workplace& at) {
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("projections/counts.sql", counts(1));
    at.write("lines.jsonl", event_line("1", "A") + event_line("2", "B") + event_line("1", "A"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

json status_of(const Workplace& at, const std::string& name) {
    return at.stele({"projection", "status", name, "--json"}).json();
}

std::string rows_of(const Workplace& at) { return at.stele({"projection", "query", "counts", "--csv"}).out; }

void write_to_model(const Workplace& at, const std::string& name, const std::string& sql) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(at.path("log.stele/models/" + name + ".db").c_str(), &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(db);
}

std::vector<std::string> model_files(const Workplace& at) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{at.path("log.stele/models")}) {
        const auto name = entry.path().filename().string();
        // Whoever reads a database makes these beside it.
        if (!name.ends_with("-wal") && !name.ends_with("-shm")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_CASE("the status of a projection says all there is, to people and as JSON", "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    const auto before = status_of(at, "counts");
    CHECK(before.at("state") == "absent");
    CHECK(before.at("since").is_null());
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto after = status_of(at, "counts");
    CHECK(after.at("state") == "live");
    CHECK(after.at("since").is_string());
    CHECK(after.at("position") == 3);
    CHECK(after.at("owner").is_null());
    CHECK(after.at("building").is_null());
    CHECK(after.at("failed_at").is_null());

    const auto people = at.stele({"projection", "status"});
    CHECK(people.status == 0);
    CHECK_THAT(people.out, ContainsSubstring("counts"));
    CHECK_THAT(people.out, ContainsSubstring("live"));
    const auto unknown = at.stele({"projection", "status", "count"});
    CHECK(unknown.status == 4);
    CHECK_THAT(unknown.err, ContainsSubstring("no projection \"count\"\ntry: stele projection status counts"));
}

TEST_CASE("a failed projection's status names the event, the handler, the error and what to do",
          "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    at.write("projections/fails.sql", R"(--@ projection fails version 1
--@ create
CREATE TABLE fails (type TEXT NOT NULL CHECK (type <> 'C'));
--@ on *
INSERT INTO fails VALUES ($type);
)");
    REQUIRE(at.stele({"projection", "rebuild", "--all"}).status == 0);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    CHECK(at.stele({"run", "--until-caught-up"}).status == 1);
    const auto failed = status_of(at, "fails");
    INFO(failed.dump(1));
    CHECK(failed.at("state") == "failed");
    CHECK(failed.at("position") == 3);
    CHECK(failed.at("lag_events") == 1);
    CHECK(failed.at("failed_at").at("position") == 4);
    CHECK(failed.at("failed_at").at("type") == "C");
    CHECK_THAT(failed.at("failed_at").at("place").get<std::string>(), ContainsSubstring("fails.sql:5"));
    CHECK_THAT(failed.at("error").get<std::string>(), ContainsSubstring("CHECK constraint failed"));
    CHECK(failed.at("try").is_string());
    CHECK(status_of(at, "counts").at("position") == 4);
}

TEST_CASE("a projection is paused and resumed from the command line", "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto paused = at.stele({"projection", "pause", "counts"});
    CHECK(paused.status == 0);
    CHECK(paused.out == "counts: paused, generation 1 at position 3\n");
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    CHECK(at.stele({"run", "--until-caught-up"}).status == 0);
    CHECK(status_of(at, "counts").at("state") == "paused");
    CHECK(rows_of(at) == "type,n\nA,2\nB,1\n");

    const auto resumed = at.stele({"projection", "resume", "--all", "--json"});
    CHECK(resumed.status == 0);
    CHECK(resumed.json().at("state") == "live");
    CHECK(at.stele({"run", "--until-caught-up"}).status == 0);
    CHECK(rows_of(at) == "type,n\nA,2\nB,1\nC,1\n");
}

TEST_CASE("a projection is dropped, and stays so until it is rebuilt", "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    CHECK(at.stele({"projection", "drop", "counts"}).out == "counts: dropped; a rebuild makes it again\n");
    CHECK(at.stele({"projection", "query", "counts"}).status == 4);
    CHECK(at.stele({"projection", "pause", "counts"}).status == 4);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    CHECK(rows_of(at) == "type,n\nA,2\nB,1\n");
    for (const std::string word : {"pause", "resume", "drop", "rollback"}) {
        const auto misspelt = at.stele({"projection", word, "coutns"});
        CHECK(misspelt.status == 4);
        CHECK_THAT(misspelt.err, ContainsSubstring("try: stele projection " + word + " counts"));
        CHECK(at.stele({"projection", word}).status == 2);
    }
}

TEST_CASE("a generation that was kept is switched back to", "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto none = at.stele({"projection", "rollback", "counts"});
    CHECK(none.status == 4);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    REQUIRE(at.stele({"projection", "rebuild", "counts", "--keep"}).status == 0);
    CHECK_THAT(rows_of(at), ContainsSubstring("C,1"));
    const auto back = at.stele({"projection", "rollback", "counts"});
    INFO(back);
    CHECK(back.status == 0);
    CHECK_THAT(back.out, ContainsSubstring("counts: generation 1 at position 3 is current again"));
    CHECK(rows_of(at) == "type,n\nA,2\nB,1\n");
    CHECK(at.stele({"projection", "rollback", "counts", "--generation", "9"}).status == 4);
}

TEST_CASE("a read model of the past is built as of a time, or into a file", "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto before = model_files(at);
    const auto second = at.log("recorded_at").at(1);

    const auto into = at.stele({"projection", "rebuild", "counts", "--until", "2", "--into", "past.db", "--json"});
    INFO(into);
    REQUIRE(into.status == 0);
    CHECK(into.json().at("file") == "past.db");
    CHECK(into.json().at("position") == 2);
    CHECK(at.exists("past.db"));
    CHECK(model_files(at) == before);
    CHECK(status_of(at, "counts").at("generation") == 1);
    CHECK(at.stele({"projection", "rebuild", "counts", "--into", "past.db"}).status == 1);
    CHECK(at.stele({"projection", "rebuild", "counts", "--into", "x.db", "--keep"}).status == 2);
    CHECK(at.stele({"projection", "rebuild", "counts", "--as-of", second, "--until", "1"}).status == 2);

    const auto as_of = at.stele({"projection", "rebuild", "counts", "--as-of", "2001-01-01", "--json"});
    CHECK(as_of.json().at("position") == 0);
    CHECK(as_of.json().at("state") == "paused");
    CHECK(at.stele({"projection", "rebuild", "counts", "--as-of", second, "--json"}).json().at("position") >= 2);
}

TEST_CASE("a check of a read model that is right says so, and one that was tampered with names the rows",
          "[e2e][projection][operate][check]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto before = model_files(at);
    const auto right = at.stele({"projection", "check", "counts"});
    INFO(right);
    CHECK(right.status == 0);
    CHECK_THAT(right.out, ContainsSubstring("counts: generation 1 at position 3: no difference, 3 events folded"));
    CHECK_THAT(right.out, ContainsSubstring("\n  counts: 2 rows compared\n"));
    CHECK(model_files(at) == before);

    write_to_model(at, "counts", "UPDATE counts SET n = 7 WHERE type = 'A'; INSERT INTO counts VALUES ('Z', 1)");
    const auto wrong = at.stele({"projection", "check", "--all"});
    INFO(wrong);
    CHECK(wrong.status == 5);
    CHECK_THAT(wrong.out, ContainsSubstring("2 differences"));
    CHECK_THAT(wrong.out, ContainsSubstring("  - counts {type: \"A\"}: n is 7, expected 2\n"));
    CHECK_THAT(wrong.out, ContainsSubstring("  - counts {type: \"Z\"}: is there, and the log makes no such row\n"));
    CHECK_THAT(wrong.err, ContainsSubstring("try: stele projection rebuild counts"));

    const auto line = at.stele({"projection", "check", "counts", "--json"}).json();
    CHECK(line.at("ok") == false);
    CHECK(line.at("differences") == 2);
    CHECK(line.at("first").at(0) == json{{"what", "value"},
                                         {"table", "counts"},
                                         {"key", {{"type", "A"}}},
                                         {"column", "n"},
                                         {"stored", 7},
                                         {"computed", 2}});
    CHECK(line.at("tables").at(0) == json{{"table", "counts"}, {"rows", 3}, {"compared", 3}, {"differences", 2}});

    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    CHECK(at.stele({"projection", "check", "counts"}).status == 0);
}

TEST_CASE("a sampling check prints its seed, and goes on from the one before",
          "[e2e][projection][operate][check]") {
    Workplace at;
    seeded(at);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    const auto first = at.stele({"projection", "check", "counts", "--sample", "--rows", "1", "--json"}).json();
    CHECK(first.at("ok") == true);
    CHECK(first.at("sample") == 1);
    CHECK(first.at("events") == 3);
    CHECK(first.at("tables").at(0).at("compared") == 1);
    const auto seed = std::to_string(first.at("seed").get<std::uint64_t>());
    const auto again = at.stele({"projection", "check", "counts", "--sample", "--seed", seed});
    CHECK(again.status == 0);
    CHECK_THAT(again.out, ContainsSubstring("0 events folded, sampled with --seed " + seed));
    CHECK(at.stele({"projection", "check", "counts", "--seed", "1"}).status == 2);
}

TEST_CASE("a read model that a check cannot compare is no damage", "[e2e][projection][operate][check]") {
    Workplace at;
    seeded(at);
    CHECK(at.stele({"projection", "check", "counts"}).status == 4);
    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    at.write("projections/counts.sql", counts(2));
    const auto changed = at.stele({"projection", "check", "counts"});
    CHECK(changed.status == 1);
    CHECK_THAT(changed.err, ContainsSubstring("rebuild it"));
}

TEST_CASE("a rebuild and a check make way as much as they are told to, within what there is",
          "[e2e][projection][operate]") {
    Workplace at;
    seeded(at);
    for (const auto* niceness : {"0", "5", "19"}) {
        CAPTURE(niceness);
        CHECK(at.stele({"projection", "rebuild", "counts", "--nice", niceness}).status == 0);
        CHECK(at.stele({"projection", "check", "counts", "--nice", niceness}).status == 0);
    }
    for (const auto* word : {"20", "-1", "much", "1.5", ""}) {
        CAPTURE(word);
        const auto refused = at.stele({"projection", "rebuild", "counts", "--nice", word});
        CHECK(refused.status == 2);
        CHECK(refused.err.find("--nice: expected a whole number from 0 to 19, found") != std::string::npos);
    }
}
