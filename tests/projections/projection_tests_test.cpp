// Given/expect tests: what their files may say, and what of rows they tell apart.
#include "vocabulary.hpp"

#include <stele/projections/projection_tests.hpp>

namespace stele {
namespace {

using test::Lines;

// Keeps what an event says under the event's number.
std::shared_ptr<const Projection> kept(const std::string& heading = "") {
    return SqlProjection::parse("--@ projection kept version 1 " + heading + R"sql(
--@ create
CREATE TABLE kept (n INTEGER PRIMARY KEY, v, at TEXT, recorded TEXT, id TEXT);
--@ on Kept
INSERT INTO kept VALUES ($position, $data(v), $occurred_at, $recorded_at, $event_id);
--@ on Wrong
INSERT INTO kept VALUES ('no number', 1, 2, 3, 4);
)sql",
                                "kept.sql");
}

std::string kept_line(const std::string& value, const std::string& more = "") {
    return R"({"aggregate_type":"A","aggregate_id":"1","type":"Kept","data":{"v":)" + value + "}" + more + "}\n";
}
const std::string wrong_line = R"({"aggregate_type":"A","aggregate_id":"1","type":"Wrong","data":{}})"
                               "\n";

std::vector<ProjectionTestResult> results(const std::string& text, const Projection& projection) {
    std::vector<ProjectionTestResult> all;
    for (const auto& test : ProjectionTests::parse(text, "kept.test.sql"))
        all.push_back(run_test(test, projection));
    return all;
}

ProjectionTestResult result(const std::string& text, const Projection& projection) {
    const auto all = results("--@ test t\n" + text, projection);
    REQUIRE(all.size() == 1);
    return all.front();
}

bool value_passes(const std::string& value, const std::string& expected) {
    return result("--@ given\n" + kept_line(value) + "--@ expect\nSELECT v FROM kept\n--@ rows\n" + expected,
                  *kept())
        .passed;
}

std::string mistake_in(const std::string& text) {
    return test::error_of<sql::DefinitionError>([&] { (void)ProjectionTests::parse(text, "kept.test.sql"); })
        .what();
}

TEST_CASE("a test's values are equal where kind and value are", "[projections][given]") {
    const std::vector<std::string> values{"null", "1", "1.0", "\"1\"", "\"\"", "-5", "9007199254740993", "0.1"};
    for (const auto& value : values) {
        for (const auto& other : values) {
            CAPTURE(value, other);
            CHECK(value_passes(value, "[" + other + "]") == (value == other));
        }
    }
    CHECK(value_passes("true", "[true]"));
    CHECK(value_passes("true", "[1]"));
    CHECK_FALSE(value_passes("false", "[true]"));
    CHECK(value_passes(R"({"a":1,"b":[2]})", R"([{"b": [2], "a": 1}])"));
    CHECK_FALSE(value_passes(R"({"a":1})", R"([{"a": 2}])"));
    CHECK_FALSE(value_passes("-1", "[18446744073709551615]"));
}

TEST_CASE("a test whose rows differ shows query, rows and line", "[projections][given]") {
    const auto failed = result("--@ given\n" + kept_line("1") + kept_line("null") +
                                   "--@ expect\nSELECT n, v\nFROM kept\n--@ rows\n[1, 1]\n[2, \"x\"]\n[3, 0.5]\n",
                               *kept());
    CHECK_FALSE(failed.passed);
    CHECK(failed.line == 5);
    CHECK(failed.query == "SELECT n, v\nFROM kept\n");
    CHECK(failed.expected == Lines{"[1,1]", "[2,\"x\"]", "[3,0.5]"});
    CHECK(failed.found == Lines{"[1,1]", "[2,null]"});
}

TEST_CASE("a test's rows are compared in order, or in any", "[projections][given]") {
    const auto given = "--@ given\n" + kept_line("1") + kept_line("2") + kept_line("2");
    const auto in = [&](const std::string& rows) {
        return result(given + "--@ expect\nSELECT v FROM kept ORDER BY n\n--@ rows" + rows, *kept()).passed;
    };
    CHECK(in("\n[1]\n[2]\n[2]\n"));
    CHECK_FALSE(in("\n[2]\n[1]\n[2]\n"));
    CHECK(in(" in any order\n[2]\n[1]\n[2]\n"));
    CHECK_FALSE(in(" in any order\n[2]\n[1]\n[1]\n"));
    CHECK_FALSE(in(" in any order\n[2]\n[1]\n"));
    CHECK_FALSE(in("\n"));
}

TEST_CASE("a test's row may name its columns, all of them and no others", "[projections][given]") {
    const auto with = [&](const std::string& row) {
        return result("--@ given\n" + kept_line("7") + "--@ expect\nSELECT n, v FROM kept\n--@ rows\n" + row,
                      *kept());
    };
    CHECK(with(R"({"v": 7, "n": 1})").passed);
    CHECK_THAT(with(R"({"v": 7})").reason, ContainsSubstring("column \"n\""));
    CHECK_THAT(with(R"({"v": 7, "n": 1, "m": 1})").reason, ContainsSubstring("no column \"m\""));
}

TEST_CASE("events of a test have the same ids and times in every run", "[projections][given]") {
    const auto passed = result(
        "--@ given\n" + kept_line("1") + kept_line("2", R"(,"occurred_at":"2025-05-05T05:05:05Z")") +
            "--@ expect\nSELECT at, recorded, id FROM kept\n--@ rows\n"
            R"(["2026-01-01T00:00:01.000000Z", "2026-01-01T00:00:01.000000Z", "00000000-0000-4000-8000-000000000001"])"
            "\n"
            R"(["2025-05-05T05:05:05.000000Z", "2026-01-01T00:00:01.000000Z", "00000000-0000-4000-8000-000000000002"])",
        *kept());
    CAPTURE(passed.reason, passed.expected, passed.found);
    CHECK(passed.passed);
}

TEST_CASE("a test may go on with more events, and each test starts from an empty log", "[projections][given]") {
    const auto rows = [](const char* count) {
        return std::string{"--@ expect\nSELECT count(*) FROM kept\n--@ rows\n["} + count + "]\n";
    };
    const auto all =
        results("--@ test one\n" + rows("0") + "--@ given\n" + kept_line("1") + rows("1") + "--@ given\n" +
                    kept_line("1") + rows("2") + "--@ test two\n--@ given\n" + kept_line("1") + rows("1"),
                *kept());
    REQUIRE(all.size() == 2);
    CHECK(all[0].passed);
    CHECK(all[1].passed);
}

TEST_CASE("a failing event fails a test, unless the test expects it", "[projections][given]") {
    const auto given = "--@ given\n" + kept_line("1") + wrong_line;
    const std::string rows = "--@ expect\nSELECT n FROM kept\n--@ rows\n[1]\n";
    const auto unexpected = result(given + rows, *kept());
    CHECK_FALSE(unexpected.passed);
    CHECK_THAT(unexpected.reason, ContainsSubstring("position 2, Wrong v1: kept.sql:7: datatype mismatch"));
    CHECK(result(given + "--@ expect failure\ndatatype mismatch\n" + rows, *kept()).passed);
    CHECK_THAT(result(given + "--@ expect failure\nanother reason\n", *kept()).reason,
               ContainsSubstring("expected an error with \"another reason\", found \"projection"));
    CHECK_THAT(result("--@ given\n" + kept_line("1") + "--@ expect failure\nx\n", *kept()).reason,
               ContainsSubstring("expected the last event to fail"));

    const auto skipping = kept("on-error skip");
    CHECK(result(given + "--@ expect failure\ndatatype mismatch\n" + rows, *skipping).passed);
    CHECK(result(given + rows, *skipping).passed);
}

TEST_CASE("a test whose query is wrong says so with its line", "[projections][given]") {
    const auto failed = result("--@ expect\n\nSELECT n FROM nowhere\n--@ rows\n", *kept());
    CHECK_FALSE(failed.passed);
    CHECK_THAT(failed.reason, ContainsSubstring("kept.test.sql:4: expected SQL that SQLite can compile"));
    CHECK_FALSE(result("--@ expect\nDELETE FROM kept\n--@ rows\n", *kept()).passed);
}

TEST_CASE("a mistake in a file of tests is named by line", "[projections][given]") {
    CHECK_THAT(mistake_in("--@ given\n"), ContainsSubstring("kept.test.sql:1: expected --@ test NAME first"));
    CHECK_THAT(mistake_in("--@ test\n"), ContainsSubstring(":1: expected a name behind --@ test"));
    CHECK_THAT(mistake_in("--@ test t\nx\n"), ContainsSubstring(":1: expected --@ given or --@ expect"));
    CHECK_THAT(mistake_in("--@ test t\n"), ContainsSubstring(":1: expected --@ expect in a test"));
    CHECK_THAT(mistake_in("--@ test t\n--@ given\n"), ContainsSubstring(":2: expected event lines"));
    CHECK_THAT(mistake_in("--@ test t\n--@ given\n-- a comment\n{\"typ\":1}\n"),
               ContainsSubstring(":4: expected an event line"));
    CHECK_THAT(mistake_in("--@ test t\n--@ expect\n--@ rows\n"), ContainsSubstring(":2: expected a query"));
    CHECK_THAT(mistake_in("--@ test t\n--@ expect\nSELECT 1\n"), ContainsSubstring(":2: expected --@ rows"));
    CHECK_THAT(mistake_in("--@ test t\n--@ rows\n"), ContainsSubstring(":2: expected --@ expect and a query"));
    CHECK_THAT(mistake_in("--@ test t\n--@ expect\nSELECT 1\n--@ rows\n1\n"),
               ContainsSubstring(":5: expected a row"));
    CHECK_THAT(mistake_in("--@ test t\n--@ expect\nSELECT 1\n--@ rows sorted\n"),
               ContainsSubstring("--@ rows in any order, found --@ rows sorted"));
    CHECK_THAT(mistake_in("--@ test t\n--@ expect failure\nx\n"), ContainsSubstring("no event to fail"));
    CHECK_THAT(mistake_in("--@ test t\n--@ then\n"),
               ContainsSubstring(":2: expected --@ test, given, expect or rows"));
}

TEST_CASE("files of tests are no projections of their folder", "[projections][given]") {
    CHECK(ProjectionTests::file_beside("a/x.sql") == "a/x.test.sql");
    CHECK(ProjectionTests::is_test_file("a/x.test.sql"));
    CHECK_FALSE(ProjectionTests::is_test_file("a/x.sql"));
    ProjectionRegistry registry;
    registry.load(std::string{EXAMPLES} + "/quickstart/projections");
    CHECK(registry.all().size() == 1);
}

TEST_CASE("the tests beside the example projections pass", "[projections][given][examples]") {
    int tests = 0;
    for (const auto& folder : {EXAMPLES, TEMPLATE}) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
            if (!ProjectionTests::is_test_file(entry.path())) continue;
            auto file = entry.path();
            file.replace_extension().replace_extension(".sql");
            const auto projection = SqlProjection::load(file);
            for (const auto& test : ProjectionTests::load(entry.path())) {
                CAPTURE(test.file, test.name);
                const auto result = run_test(test, *projection);
                CAPTURE(result.reason, result.line, result.expected, result.found);
                CHECK(result.passed);
                ++tests;
            }
        }
    }
    CHECK(tests >= 9);
}

}  // namespace
}  // namespace stele
