// A projection's file: what it may say, which handlers an event meets, and where a mistake is reported.
#include "vocabulary.hpp"

#include <stele/projections/sql_projection.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>

namespace stele {
namespace {

using test::Lines;

std::shared_ptr<const SqlProjection> parse(const std::string& text) { return SqlProjection::parse(text, "p.sql"); }

std::string message_of(const std::string& text) {
    return test::error_of<sql::DefinitionError>([&] { (void)parse(text); }).what();
}

// A file with one table and the given handlers; they start on line 5.
std::string with_handlers(const std::string& handlers) {
    return "--@ projection p version 1\n"
           "--@ create\n"
           "CREATE TABLE t (a, b);\n"
           "CREATE TABLE log (n INTEGER PRIMARY KEY, what);\n" +
           handlers;
}

TEST_CASE("a heading says name, version, mode and what happens on errors", "[projections][sql]") {
    const auto plain = parse(with_handlers("--@ on A\nDELETE FROM t;"));
    CHECK(plain->name() == "p");
    CHECK(plain->version() == 1);
    CHECK(plain->mode() == ProjectionMode::async);
    CHECK(plain->on_error() == OnError::stop);
    CHECK(plain->file() == "p.sql");

    const auto options = parse(
        "--@ projection P-2_x version 3 mode sync on-error skip\n--@ create\nCREATE TABLE t (a)\n--@ on A\n"
        "DELETE FROM t");
    CHECK(options->name() == "P-2_x");
    CHECK(options->version() == 3);
    CHECK(options->mode() == ProjectionMode::sync);
    CHECK(options->on_error() == OnError::skip);
}

TEST_CASE("the types that handlers name are the projection's query, and a star takes all", "[projections][sql]") {
    const auto named = parse(with_handlers("--@ on B, A\nDELETE FROM t;\n--@ on A, C\nDELETE FROM t;"));
    REQUIRE(named->query().items().size() == 1);
    CHECK(named->query().items()[0].types == std::vector<std::string>{"A", "B", "C"});
    CHECK(parse(with_handlers("--@ on A\nDELETE FROM t;\n--@ on *\nDELETE FROM t;"))->query().selects_everything());
}

TEST_CASE("of events, what placeholders name is fetched", "[projections][sql]") {
    const auto parts_of = [](const std::string& value) {
        return parse(with_handlers("--@ on A\nDELETE FROM t WHERE 1 = " + value + ";"))->parts();
    };
    CHECK(parts_of("$position") == EventParts{false, false, false, false});
    CHECK(parts_of("$event_id") == EventParts{true, false, false, false});
    CHECK(parts_of("$data") == EventParts{false, true, false, false});
    CHECK(parts_of("$data(a)") == EventParts{false, true, false, false});
    CHECK(parts_of("$metadata(a) AND $data(b)") == EventParts{false, true, true, false});
    CHECK(parts_of("$tags OR $metadata") == EventParts{false, false, true, true});
}

TEST_CASE("the fingerprint differs where the text differs", "[projections][sql]") {
    const auto one = parse(with_handlers("--@ on A\nDELETE FROM t;"));
    CHECK(one->fingerprint() == parse(with_handlers("--@ on A\nDELETE FROM t;"))->fingerprint());
    CHECK(one->fingerprint() != parse(with_handlers("--@ on A\nDELETE FROM t; "))->fingerprint());
    CHECK(one->fingerprint().size() == 16);
}

TEST_CASE("an event meets every handler that names its type, in the order of the file", "[projections][sql]") {
    auto store = EventStore::temporary();
    test::seed(store, StreamId{"S", "1"}, {"A", "B", "C"});
    const auto projection =
        parse(with_handlers("--@ on *\nINSERT INTO log (what) VALUES ('any ' || $type);\n"
                            "--@ on B, A\nINSERT INTO log (what) VALUES ('named ' || $type);\n"
                            "INSERT INTO log (what) VALUES ('again ' || $type);\n"
                            "--@ on A\nINSERT INTO log (what) VALUES ('only ' || $type);\n"
                            "--@ on *\nINSERT INTO log (what) VALUES ('last ' || $type);\n"));
    rebuild(store, *projection);
    CHECK(test::rows(store, "p", "SELECT what FROM log ORDER BY n") ==
          Lines{"any A", "named A", "again A", "only A", "last A", "any B", "named B", "again B", "last B", "any C",
                "last C"});
}

TEST_CASE("tables may be made in several steps, with rows that are there from the start", "[projections][sql]") {
    auto store = EventStore::temporary();
    test::seed(store, StreamId{"S", "1"}, {"A"});
    const auto projection = parse(
        "--@ projection p version 1\n"
        "--@ create\nCREATE TABLE t (a); INSERT INTO t VALUES ('start');\n"
        "--@ on A\nINSERT INTO t SELECT count(*) FROM u;\n"
        "--@ create\nCREATE TABLE u (b); INSERT INTO u VALUES (1), (2);\n"
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.a); END;\n");
    rebuild(store, *projection);
    CHECK(test::rows(store, "p", "SELECT a FROM t ORDER BY rowid") == Lines{"start", "2"});
    CHECK(test::rows(store, "p", "SELECT count(*) FROM u") == Lines{"3"});
}

TEST_CASE("a mistake in a file is reported when it is loaded, with its line", "[projections][sql]") {
    CHECK_THAT(message_of("--@ aggregate a version 1"), ContainsSubstring("p.sql:1: expected --@ projection"));
    CHECK_THAT(message_of("--@ projection a/b version 1\n--@ create\nCREATE TABLE t (a)\n--@ on A\nDELETE FROM t"),
               ContainsSubstring("p.sql:1: expected a name of 1 to 100 letters, digits, _ and -, found \"a/b\""));
    CHECK_THAT(message_of("--@ projection p version 1\n--@ on A\nSELECT 1"),
               ContainsSubstring("p.sql:1: expected --@ create, which makes the tables"));
    CHECK_THAT(message_of("--@ projection p version 1\n--@ create\nCREATE TABLE t (a)"),
               ContainsSubstring("p.sql:1: expected --@ on TYPES"));
    CHECK_THAT(message_of(with_handlers("--@ when A\nDELETE FROM t")),
               ContainsSubstring("p.sql:5: expected --@ create or --@ on TYPES, found --@ when"));
    CHECK_THAT(message_of(with_handlers("--@ on A\n-- nothing\n--@ on B\nDELETE FROM t")),
               ContainsSubstring("p.sql:5: expected SQL behind --@ on, found none"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nDELETE FROM t;\n\nUPDATE t SET c = 1;")),
               ContainsSubstring("p.sql:8: expected SQL that SQLite can compile, found no such column: c"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nINSERT INTO t\nVALUES ($date, 1)")),
               ContainsSubstring("p.sql:7: expected a placeholder"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nDELETE FROM t;\n--@ create\nCREATE TABLE t (z)")),
               ContainsSubstring("p.sql:8: expected SQL that SQLite can compile, found table t already exists"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nINSERT INTO t VALUES (1, random())")),
               ContainsSubstring("p.sql:6: expected a deterministic function"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nINSERT INTO t VALUES (1,\n datetime('now'))")),
               ContainsSubstring("p.sql:7: expected a time from the event"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nATTACH 'events.db' AS log")), ContainsSubstring("p.sql:6"));
    CHECK_THAT(message_of(with_handlers("--@ on A\nUPDATE stele_projection SET position = 0")),
               ContainsSubstring("p.sql:6: expected "));
    CHECK_THAT(message_of(with_handlers("--@ on A\nCOMMIT")), ContainsSubstring("p.sql:6: expected "));
    CHECK_THAT(message_of(with_handlers("--@ on A\nCREATE TABLE u (a)")), ContainsSubstring("p.sql:6: expected "));
}

TEST_CASE("a registry holds the files of a folder, by the names that stand in them", "[projections][sql]") {
    const test::TemporaryFolder folder;
    std::ofstream{folder / "b.sql"} << with_handlers("--@ on A\nDELETE FROM t");
    std::ofstream{folder / "a.sql"} << test::payments_sql;
    std::ofstream{folder / "notes.txt"} << "no projection";

    ProjectionRegistry registry;
    registry.load(folder.path());
    CHECK(registry.all().size() == 2);
    CHECK(registry.of("p").name() == "p");
    CHECK(registry.of("payments").version() == 1);
    CHECK(registry.find("notes") == nullptr);
    CHECK_THAT(test::error_of<NotFound>([&] { (void)registry.of("payment"); }).what(),
               ContainsSubstring("no projection \"payment\"; did you mean payments?"));

    CHECK_THAT(test::error_of<InvalidInput>([&] { registry.load(folder.path()); }).what(),
               ContainsSubstring("expected one definition, found two: in "));
    CHECK_THROWS_AS(registry.load(folder / "absent"), NotFound);
}

}  // namespace
}  // namespace stele
