// stele projection test: the tests that stand beside projections.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Workplace;

namespace {

const char* const counts = R"(--@ projection counts version 1
--@ create
CREATE TABLE counts (type TEXT PRIMARY KEY, n INTEGER NOT NULL);
--@ on *
INSERT INTO counts VALUES ($type, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1;
)";

std::string counted_twice(const std::string& expected) {
    return "--@ test a type is counted\n--@ given\n" + event_line("1", "A") + event_line("2", "A") +
           "--@ expect\nSELECT type, n FROM counts\n--@ rows\n" + expected + "\n";
}

// A project with the projection `counts` and a test of it; no store.
Workplace& with_test(Workplace& at, const std::string& expected) {
    at.write("stele.toml", "projections = \"projections\"\n");
    at.write("projections/counts.sql", counts);
    at.write("projections/counts.test.sql", counted_twice(expected));
    return at;
}

}  // namespace

TEST_CASE("tests beside a projection are run by name, by file, by their file, and all at once",
          "[e2e][projection][given]") {
    Workplace at;
    with_test(at, R"(["A", 2])");
    for (const std::vector<std::string>& names : std::vector<std::vector<std::string>>{
             {"counts"}, {"projections/counts.sql"}, {"projections/counts.test.sql"}, {"--all"}, {}}) {
        std::vector<std::string> words{"projection", "test"};
        words.insert(words.end(), names.begin(), names.end());
        const auto ran = at.stele(words);
        INFO(ran);
        CHECK(ran.status == 0);
        CHECK(ran.out == "counts: 1 of 1 test passed\n");
    }
    CHECK_FALSE(at.exists("log.stele"));
}

TEST_CASE("a test that fails shows where it stands, the query, and the rows, and the exit status is 1",
          "[e2e][projection][given]") {
    Workplace at;
    with_test(at, R"(["A", 3])");
    at.write("projections/untested.sql",
             "--@ projection untested version 1\n--@ create\nCREATE TABLE untested (x);\n--@ on *\nDELETE FROM "
             "untested;\n");
    const auto ran = at.stele({"projection", "test"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK(ran.out ==
          "projections/counts.test.sql:5: failed: a type is counted\n"
          "  SELECT type, n FROM counts\n"
          "  expected 1 row (-), found 1 row (+):\n"
          "  - [\"A\",3]\n"
          "  + [\"A\",2]\n"
          "counts: 0 of 1 test passed\n"
          "1 test of 1 projection: 0 passed, 1 failed\n");
    CHECK(ran.err == "untested: has no tests\n");

    const auto line = at.stele({"projection", "test", "counts", "--json"}).json();
    CHECK(line.at("projection") == "counts");
    CHECK(line.at("test") == "a type is counted");
    CHECK(line.at("line") == 5);
    CHECK(line.at("passed") == false);
    CHECK(line.at("query") == "SELECT type, n FROM counts\n");
    CHECK(line.at("expected") == json::array({json::array({"A", 3})}));
    CHECK(line.at("found") == json::array({json::array({"A", 2})}));
}

TEST_CASE("a projection without tests is not found, and neither is one that is not there",
          "[e2e][projection][given]") {
    Workplace at;
    with_test(at, "");
    std::filesystem::remove(at.path("projections/counts.test.sql"));
    const auto none = at.stele({"projection", "test", "counts"});
    CHECK(none.status == 4);
    CHECK_THAT(none.err,
               ContainsSubstring("projections/counts.test.sql: no such file; projection \"counts\" has no"));
    const auto misspelt = at.stele({"projection", "test", "count"});
    CHECK(misspelt.status == 4);
    CHECK_THAT(misspelt.err, ContainsSubstring("try: stele projection test counts"));
}

TEST_CASE("a file of tests that cannot be read is named by line, and the others are run",
          "[e2e][projection][given]") {
    Workplace at;
    with_test(at, R"(["A", 2])");
    at.write("projections/a.sql",
             "--@ projection a version 1\n--@ create\nCREATE TABLE a (x);\n--@ on *\nDELETE FROM a;\n");
    at.write("projections/a.test.sql", "--@ test t\n--@ given\nno event\n");
    const auto ran = at.stele({"projection", "test"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, ContainsSubstring("projections/a.test.sql:3: expected an event line"));
    CHECK_THAT(ran.out, ContainsSubstring("counts: 1 of 1 test passed"));
    CHECK(at.stele({"projection", "list"}).status == 4);  // no store yet; and the file of tests is no projection
}
