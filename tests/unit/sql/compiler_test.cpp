// SQL that users wrote: what is compiled, what is refused, and where the message points.
#include "database.hpp"

#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/event_binder.hpp>
#include <stele/test/catch.hpp>

namespace stele {
namespace {

using sql::Allow;
using sql::Compiler;
using sql::DefinitionError;

// A database with one table, and a compiler on it.
struct Bench {
    test::Database db = test::memory_database();
    Compiler compiler;

    explicit Bench(Compiler::Kind kind = Compiler::Kind::deterministic) : compiler{db.get(), kind} {
        compiler.run({"CREATE TABLE t (a INTEGER PRIMARY KEY, b)", "t.sql", 1}, Allow::definition);
    }

    // The message of what compiling says, or "ok". The text stands at line 10 of p.sql.
    std::string compile(const std::string& text, Allow allow) {
        try {
            if (allow == Allow::expression) {
                (void)compiler.expression({text, "p.sql", 10});
            } else if (allow == Allow::definition) {
                compiler.run({text, "p.sql", 10}, allow);
            } else {
                (void)compiler.statements({text, "p.sql", 10}, allow);
            }
            return "ok";
        } catch (const DefinitionError& error) {
            return error.what();
        }
    }

    // What one expression gives, or the error of running it.
    std::string value(const std::string& expression, const std::string& data = "{}") {
        sql::EventBinder binder;
        auto statement = compiler.expression({expression, "p.sql", 10});
        const auto plan = binder.plan(statement);
        const auto event = test::event_with(data);
        binder.take(event);
        binder.bind(plan, statement);
        try {
            return test::quoted(db.get(), statement);
        } catch (const sql::SqlError& error) {
            return error.what();
        }
    }
};

TEST_CASE("a text of several statements is compiled one by one, each knowing its line", "[sql][compiler]") {
    Bench bench;
    const auto statements = bench.compiler.statements(
        {"-- first\nINSERT INTO t VALUES (1, 'a;b'); /* and\n */ UPDATE t SET b = ';' ;;\n\n;DELETE FROM t -- end",
         "p.sql", 10},
        Allow::handler);
    REQUIRE(statements.size() == 3);
    CHECK(statements[0].line() == 11);
    CHECK(statements[1].line() == 12);
    CHECK(statements[2].line() == 14);
    CHECK(statements[2].file() == "p.sql");
}

TEST_CASE("a mistake in SQL is named by file and line with SQLite's words", "[sql][compiler]") {
    Bench bench;
    CHECK_THAT(
        bench.compile("DELETE FROM t;\n\nSELCT 1;", Allow::handler),
        ContainsSubstring("p.sql:12: expected SQL that SQLite can compile, found near \"SELCT\": syntax error"));
    CHECK_THAT(bench.compile("UPDATE t\nSET b = 1\nWHERE c = 2", Allow::handler),
               ContainsSubstring("p.sql:12: expected SQL that SQLite can compile, found no such column: c"));
    CHECK_THAT(bench.compile("INSERT INTO u VALUES (1)", Allow::handler), ContainsSubstring("no such table: u"));
    CHECK_THAT(bench.compile("SELECT\n$data(a b)", Allow::handler),
               ContainsSubstring("a placeholder ends at a blank and at ')'"));
    CHECK_THAT(bench.compile("CREATE TABLE t2 (a);\nCREATE TABLE t2 (a)", Allow::definition),
               ContainsSubstring("p.sql:11"));
    CHECK_THAT(bench.compile("DELETE FROM t;\n" + std::string("\0 DELETE", 8), Allow::handler),
               ContainsSubstring("a byte of value zero"));
}

TEST_CASE("a text in double quotes is a name, so that a misspelt one is not taken for a string",
          "[sql][compiler]") {
    Bench bench;
    CHECK_THAT(bench.compile("UPDATE t SET b = \"bb\"", Allow::handler), ContainsSubstring("no such column: bb"));
    CHECK(bench.compile("UPDATE t SET \"b\" = 'bb'", Allow::handler) == "ok");
}

TEST_CASE("one statement means one", "[sql][compiler]") {
    Bench bench;
    CHECK(bench.compiler.statement({"DELETE FROM t;", "p.sql", 10}, Allow::handler));
    CHECK_THROWS_AS(bench.compiler.statement({" -- none", "p.sql", 10}, Allow::handler), DefinitionError);
    CHECK_THROWS_AS(bench.compiler.statement({"DELETE FROM t; DELETE FROM t", "p.sql", 10}, Allow::handler),
                    DefinitionError);
}

TEST_CASE("an expression is one expression, over its parameters alone", "[sql][compiler]") {
    Bench bench;
    CHECK(bench.value("json_object('a', $data(a)) -- why\n", R"({"a":1})") == R"('{"a":1}')");
    CHECK(bench.value("1 + 1;") == "2");
    CHECK(bench.value("(SELECT sum(value) FROM json_each($data(n)))", R"({"n":[1,2,3]})") == "6");
    CHECK(bench.value("(WITH n(x) AS (VALUES (1), (2)) SELECT count(*) FROM n)") == "2");
    CHECK(bench.value("(SELECT max(x) FROM (SELECT 3 AS x))") == "3");
    CHECK_THAT(bench.compile("", Allow::expression),
               ContainsSubstring("p.sql:10: expected an expression, found none"));
    CHECK_THAT(bench.compile(" ; ", Allow::expression), ContainsSubstring("expected an expression, found none"));
    CHECK_THAT(bench.compile("1), (2", Allow::expression), ContainsSubstring("expected one expression, found 2"));
    CHECK_THAT(bench.compile("1); DELETE FROM t; SELECT (1", Allow::expression), ContainsSubstring("DELETE"));
    CHECK_THAT(bench.compile("\n(SELECT a FROM t)", Allow::expression),
               ContainsSubstring("expected an expression over the placeholders, found the table t"));
    CHECK_THAT(bench.compile("(SELECT count(*) FROM sqlite_schema)", Allow::expression),
               ContainsSubstring("found the table sqlite_"));
    CHECK_THAT(bench.compile("\n\n1 +", Allow::expression), ContainsSubstring("p.sql:12"));
}

TEST_CASE("settings, other databases and transactions are out of reach for everybody", "[sql][compiler][guard]") {
    Bench bench;
    const auto allow = GENERATE(Allow::handler, Allow::definition, Allow::query);
    for (const auto* const text :
         {"ATTACH 'x.db' AS x", "DETACH main", "PRAGMA user_version = 3", "PRAGMA foreign_keys", "BEGIN", "COMMIT",
          "ROLLBACK", "SAVEPOINT s", "RELEASE s", "ANALYZE", "VACUUM INTO 'x.db'", "CREATE TEMP TABLE x (a)",
          "SELECT load_extension('x')"}) {
        CAPTURE(text);
        CHECK_THAT(bench.compile("\n" + std::string{text}, allow), ContainsSubstring("p.sql:11: expected "));
    }
}

TEST_CASE("what is refused is named by what it is", "[sql][compiler][guard]") {
    Bench bench;
    CHECK_THAT(bench.compile("ATTACH 'x.db' AS x", Allow::handler), ContainsSubstring("found ATTACH"));
    CHECK_THAT(bench.compile("PRAGMA user_version", Allow::query), ContainsSubstring("found PRAGMA"));
    CHECK_THAT(bench.compile("COMMIT", Allow::handler), ContainsSubstring("found BEGIN, COMMIT or ROLLBACK"));
    CHECK_THAT(bench.compile("CREATE TABLE u (a)", Allow::handler),
               ContainsSubstring("expected SELECT, INSERT, UPDATE or DELETE, found CREATE, ALTER or DROP"));
    CHECK_THAT(bench.compile("DROP TABLE t", Allow::handler), ContainsSubstring("found CREATE, ALTER or DROP"));
    CHECK_THAT(bench.compile("DELETE FROM t", Allow::query), ContainsSubstring("expected a query that only reads"));
}

TEST_CASE("a handler reaches the read model's own tables alone", "[sql][compiler][guard]") {
    Bench bench;
    sql::execute(bench.db.get(), "CREATE TABLE stele_projection (position)");
    for (const auto* const text :
         {"SELECT * FROM stele_projection", "SELECT count(*) FROM stele_projection",
          "UPDATE stele_projection SET position = 1", "DELETE FROM STELE_projection", "SELECT * FROM sqlite_schema",
          "SELECT * FROM pragma_table_info('t')", "SELECT count(*) FROM dbstat"}) {
        CAPTURE(text);
        CHECK_THAT(bench.compile(text, Allow::handler), ContainsSubstring("found the table "));
    }
    CHECK_THAT(bench.compile("DELETE FROM sqlite_master", Allow::handler),
               ContainsSubstring("may not be modified"));
    CHECK_THAT(bench.compile("UPDATE sqlite_schema SET sql = ''", Allow::definition),
               ContainsSubstring("may not be modified"));
    CHECK_THAT(bench.compile("CREATE TABLE stele_x (a)", Allow::definition), ContainsSubstring("are taken"));
    CHECK_THAT(bench.compile("DROP TABLE stele_projection", Allow::definition), ContainsSubstring("p.sql:10"));
    CHECK_THAT(bench.compile("CREATE VIRTUAL TABLE v USING dbstat", Allow::definition), ContainsSubstring("FTS5"));
    CHECK(bench.compile("SELECT * FROM stele_projection", Allow::query) == "ok");
}

TEST_CASE("a definition makes tables, indexes, views, triggers and search tables", "[sql][compiler][guard]") {
    Bench bench;
    CHECK(bench.compile("CREATE TABLE u (a INTEGER PRIMARY KEY AUTOINCREMENT, b REFERENCES t (a));\n"
                        "CREATE UNIQUE INDEX u_b ON u (b);\n"
                        "ALTER TABLE u ADD COLUMN c DEFAULT 3; ALTER TABLE u RENAME COLUMN c TO d;\n"
                        "CREATE VIEW v AS SELECT b, date('now') AS today FROM u;\n"
                        "CREATE TRIGGER tr AFTER INSERT ON u BEGIN UPDATE t SET b = new.b; END;\n"
                        "CREATE VIRTUAL TABLE search USING fts5(words);\n"
                        "INSERT INTO search VALUES ('one two'); INSERT INTO u (b) VALUES (NULL);\n"
                        "DROP TABLE IF EXISTS u9; DROP INDEX u_b;",
                        Allow::definition) == "ok");
    CHECK(bench.compile(
              "INSERT INTO search (rowid, words) VALUES ($position, $data); DELETE FROM search WHERE rowid = 1;"
              "UPDATE search SET words = 'x' WHERE search MATCH 'two'; INSERT INTO u (b) VALUES (1)",
              Allow::handler) == "ok");
}

TEST_CASE("a function that differs from run to run is refused where it stands", "[sql][compiler][guard]") {
    Bench bench;
    const auto allow = GENERATE(Allow::handler, Allow::definition, Allow::expression);
    for (const auto* const call :
         {"random()", "randomblob(4)", "hex(randomblob(4))", "CURRENT_TIMESTAMP", "current_date", "CURRENT_TIME",
          "last_insert_rowid()", "changes()", "total_changes()", "sqlite_version()", "\"random\"()"}) {
        CAPTURE(call);
        const auto start = allow == Allow::expression ? "1\n+ "
                           : allow == Allow::handler  ? "SELECT 1\n, "
                                                      : "INSERT INTO t\nSELECT 1, ";
        CHECK_THAT(bench.compile(start + std::string{call}, allow), ContainsSubstring("p.sql:1"));
        CHECK_THAT(bench.compile(start + std::string{call}, allow), !ContainsSubstring("SQLite can compile"));
    }
    CHECK_THAT(bench.compile("SELECT\n random()", Allow::handler),
               ContainsSubstring("p.sql:11: expected a deterministic function"));
    CHECK_THAT(bench.compile("SELECT\n random()", Allow::handler), ContainsSubstring("found random()"));
}

TEST_CASE("a date function may not ask the clock or the time zone", "[sql][compiler][guard]") {
    Bench bench;
    for (const auto* const call :
         {"date('now')", "datetime()", "time('NOW')", "julianday('now')", "unixepoch('now')",
          "strftime('%s','now')", "datetime($occurred_at, 'localtime')", "datetime($occurred_at, '+1 day', 'utc')",
          "datetime( -- x\n )"}) {
        CAPTURE(call);
        CHECK_THAT(bench.compile("\n" + std::string{call}, Allow::expression),
                   ContainsSubstring("p.sql:11: expected a time from the event, such as $occurred_at, found "));
    }
    CHECK(bench.compile("CASE $data(a) WHEN 'now' THEN replace('now', 'n', date($occurred_at)) END",
                        Allow::expression) == "ok");
}

TEST_CASE("what the text does not show fails when it runs", "[sql][compiler][guard]") {
    Bench bench;
    CHECK_THAT(bench.value("datetime($data(t))", R"({"t":"now"})"),
               ContainsSubstring("p.sql:10: datetime() with 'now'"));
    CHECK_THAT(bench.value("strftime('%H', 'n' || 'ow')"), ContainsSubstring("strftime() with 'now'"));
    CHECK_THAT(bench.value("strftime($data(f))"), ContainsSubstring("strftime() with no time"));
    CHECK_THAT(bench.value("date($occurred_at, $data(m))", R"({"m":"LocalTime"})"),
               ContainsSubstring("date() with 'LocalTime'"));
    CHECK_THAT(bench.value("datetime($data(t))", R"({"t":"subsec"})"),
               ContainsSubstring("datetime() with 'subsec'"));
}

TEST_CASE("date functions give for the event's times what SQLite gives", "[sql][compiler][guard]") {
    Bench bench;
    CHECK(bench.value("date($occurred_at)") == "'2026-01-05'");
    CHECK(bench.value("datetime($occurred_at, '+1 month', 'start of month')") == "'2026-02-01 00:00:00'");
    CHECK(bench.value("strftime('%Y-%W %f', $occurred_at)") == "'2026-01 00.500'");
    CHECK(bench.value("unixepoch($occurred_at)") == "1767607200");
    CHECK(bench.value("unixepoch($data(n), 'unixepoch') + unixepoch('2026-01-05')", R"({"n":5})") == "1767571205");
    CHECK(bench.value("julianday('2000-01-01 12:00')") == "2451545.0");
    CHECK(bench.value("typeof(date($data(no)))") == "'null'");
    CHECK(bench.value("date('no date')") == "NULL");
}

TEST_CASE("a default or a trigger asks neither the clock nor chance", "[sql][compiler][guard]") {
    Bench bench;
    CHECK_THAT(
        bench.compile("CREATE TABLE u (\n a,\n at DEFAULT CURRENT_TIMESTAMP)", Allow::definition),
        ContainsSubstring("p.sql:12: expected the event's time, such as $occurred_at, found CURRENT_TIMESTAMP"));
    CHECK_THAT(bench.compile("CREATE TABLE u (a,\n b DEFAULT (random()))", Allow::definition),
               ContainsSubstring("p.sql:11: expected a deterministic function"));
    CHECK_THAT(bench.compile("CREATE TABLE u (a,\n b DEFAULT (datetime('now')))", Allow::definition),
               ContainsSubstring("p.sql:11: expected a time from the event"));

    // A default written by other hands, which the compiler never saw, fails when it is used.
    sql::execute(bench.db.get(), "CREATE TABLE w (a, at DEFAULT CURRENT_TIMESTAMP)");
    CHECK_THAT(bench.compile("INSERT INTO w (a) VALUES (1)", Allow::definition),
               ContainsSubstring("does not give the same result"));

    CHECK_THAT(bench.compile("CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET b = \"random\"(); END;"
                             "INSERT INTO t (a) VALUES (5)",
                             Allow::definition),
               ContainsSubstring("expected a deterministic function"));
}

TEST_CASE("nobody's SQL rolls back the transaction that it runs in", "[sql][compiler][guard]") {
    Bench bench;
    CHECK_THAT(
        bench.compile("INSERT INTO t VALUES (1, 2);\ninsert /* or */ or -- else\nRollback INTO t VALUES (1, 2)",
                      Allow::handler),
        Catch::Matchers::StartsWith("p.sql:11: ") && ContainsSubstring("INSERT OR ROLLBACK"));
    CHECK_THAT(bench.compile("UPDATE OR ROLLBACK t SET b = 1", Allow::handler),
               ContainsSubstring("UPDATE OR ROLLBACK"));
    for (const auto* text :
         {"CREATE TABLE u (k UNIQUE ON CONFLICT ROLLBACK)", "CREATE TABLE u (k, UNIQUE (k) ON CONFLICT ROLLBACK)",
          "ALTER TABLE t ADD COLUMN c NOT NULL ON CONFLICT ROLLBACK DEFAULT 1"}) {
        CAPTURE(text);
        CHECK_THAT(bench.compile(text, Allow::definition), ContainsSubstring("ON CONFLICT ROLLBACK"));
    }
    CHECK_THAT(bench.compile("CREATE TRIGGER u BEFORE INSERT ON t BEGIN\nSELECT RAISE (ROLLBACK, 'no'); END",
                             Allow::definition),
               Catch::Matchers::StartsWith("p.sql:11: ") && ContainsSubstring("RAISE(ROLLBACK"));
}

TEST_CASE("rollback may be the name of a column, and other ways to resolve a conflict stay", "[sql][compiler]") {
    Bench bench;
    CHECK(bench.compile("SELECT a OR rollback FROM (SELECT 1 AS a, 2 AS rollback)", Allow::handler) == "ok");
    CHECK(bench.compile("INSERT OR FAIL INTO t VALUES (1, 'or rollback')", Allow::handler) == "ok");
    CHECK(bench.compile("INSERT INTO t VALUES (1, 2) ON CONFLICT DO NOTHING", Allow::handler) == "ok");
    CHECK(bench.compile("CREATE TABLE u (k UNIQUE ON CONFLICT IGNORE)", Allow::definition) == "ok");
}

TEST_CASE("a reader may ask the clock, and nothing but read", "[sql][compiler][guard]") {
    Bench bench{Compiler::Kind::reader};
    CHECK(bench.compile("SELECT a, random(), datetime('now', 'localtime') FROM t WHERE b < CURRENT_DATE",
                        Allow::query) == "ok");
    for (const auto* const text :
         {"INSERT INTO t VALUES (1, 2)", "CREATE TABLE u (a)", "DROP TABLE t", "DELETE FROM t"}) {
        CAPTURE(text);
        CHECK_THAT(bench.compile(text, Allow::query), ContainsSubstring("expected a query that only reads"));
    }
}

TEST_CASE("other code on the connection goes on as before", "[sql][compiler][guard]") {
    Bench bench;
    sql::execute(bench.db.get(), "BEGIN; PRAGMA user_version = 4; CREATE TABLE stele_x (a); COMMIT");
    sql::Statement version{bench.db.get(), "PRAGMA user_version"};
    REQUIRE(version.step());
    CHECK(version.integer(0) == 4);
}

}  // namespace
}  // namespace stele
