// Reading a read model: anything that reads, nothing that writes.
#include "vocabulary.hpp"

namespace stele {
namespace {

using test::Lines;

struct Paid {
    EventStore store = EventStore::temporary();
    Paid() {
        test::pay(store, 300);
        rebuild(store, *test::payments());
    }
};

TEST_CASE("a query names its columns and gives its rows with their kinds", "[projections][read]") {
    const Paid paid;
    const auto model = ReadModel::open(paid.store, "payments");
    auto rows =
        model.query("SELECT stream AS of, n, n / 2.0 AS half, NULL AS none, x'00ff' AS bytes FROM payments");
    CHECK(rows.columns() == Lines{"of", "n", "half", "none", "bytes"});
    int count = 0;
    for (const Row& row : rows) {
        CHECK(row.size() == 5);
        CHECK(row.kind(0) == Row::Kind::text);
        CHECK(row.kind(1) == Row::Kind::integer);
        CHECK(row.kind(2) == Row::Kind::real);
        CHECK(row.kind(3) == Row::Kind::null);
        CHECK(row.kind(4) == Row::Kind::blob);
        CHECK(row.real(2) * 2 == static_cast<double>(row.integer(1)));
        CHECK(row.text(3).empty());
        CHECK(row.text(4) == std::string_view{"\0\xff", 2});
        ++count;
    }
    CHECK(count == 11);
}

TEST_CASE("rows are read as they are asked for", "[projections][read]") {
    const Paid paid;
    const auto model = ReadModel::open(paid.store, "payments");
    // Reading all of it would take for ever.
    std::int64_t sum = 0;
    for (const Row& row :
         model.query("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")) {
        sum += row.integer(0);
        if (row.integer(0) == 100) break;
    }
    CHECK(sum == 5050);
}

TEST_CASE("a reader may ask the clock, and looks at the schema and at how far the rows are",
          "[projections][read]") {
    const Paid paid;
    CHECK(test::rows(paid.store, "payments", "SELECT date('now') > '2000-01-01', random() IS NOT NULL") ==
          Lines{"1 1"});
    CHECK(test::rows(paid.store, "payments", "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") ==
          Lines{"payments", "stele_projection", "stele_skipped"});
    CHECK(test::rows(paid.store, "payments", "SELECT name, position FROM stele_projection") ==
          Lines{"payments 300"});
    CHECK(test::rows(paid.store, "payments", "SELECT count(*) FROM pragma_table_info('payments')") == Lines{"4"});
}

TEST_CASE("a query that does more than read is refused", "[projections][read]") {
    const Paid paid;
    const auto model = ReadModel::open(paid.store, "payments");
    const auto message = [&](const char* query) {
        return std::string{test::error_of<sql::DefinitionError>([&] { (void)model.query(query); }).what()};
    };
    for (const auto* const query : {"DELETE FROM payments", "INSERT INTO payments VALUES (1, 2, 3, 4)",
                                    "CREATE TABLE t (a)", "DROP TABLE payments", "ATTACH 'x.db' AS x",
                                    "PRAGMA user_version = 1", "PRAGMA query_only = 0", "BEGIN", "VACUUM"}) {
        CAPTURE(query);
        CHECK_THAT(message(query), ContainsSubstring("query:1: expected "));
    }
    CHECK_THAT(
        message("SELECT *\nFROM payment"),
        ContainsSubstring("query:2: expected SQL that SQLite can compile, found no such table: payment") ||
            ContainsSubstring("query:1: expected SQL that SQLite can compile, found no such table: payment"));
    CHECK_THAT(message(""), ContainsSubstring("expected one statement, found none"));
    CHECK_THAT(message("SELECT 1; SELECT 2"), ContainsSubstring("expected one statement, found a second one"));
    CHECK(test::lines_of(model.query("SELECT count(*) FROM payments")) == Lines{"11"});
}

TEST_CASE("a name that was never built, or cannot be one, is not opened", "[projections][read]") {
    const Paid paid;
    CHECK_THAT(test::error_of<NotFound>([&] { (void)ReadModel::open(paid.store, "payment"); }).what(),
               ContainsSubstring("projection \"payment\" was never built; rebuild it"));
    CHECK_THROWS_AS(ReadModel::open(paid.store, "../events"), InvalidInput);
}

TEST_CASE("a reader searches the index of words that a projection has made", "[projections][read]") {
    auto store = EventStore::temporary();
    test::seed(store, StreamId{"Site", "site-1"}, {"SiteCreated", "SiteDeleted", "SiteCreated"});
    rebuild(store, *SqlProjection::parse("--@ projection words version 1\n"
                                         "--@ create\nCREATE VIRTUAL TABLE words USING fts5 (type);\n"
                                         "--@ on *\nINSERT INTO words (rowid, type) VALUES ($position, $type);\n",
                                         "words.sql"));
    // Each time a connection that has not looked into the index before.
    CHECK(test::rows(store, "words", "SELECT rowid FROM words WHERE words MATCH 'sitecreated' ORDER BY rowid") ==
          Lines{"1", "3"});
    CHECK(test::rows(store, "words", "SELECT highlight(words, 0, '<', '>') FROM words('sited*')") ==
          Lines{"<SiteDeleted>"});
}

TEST_CASE("an open reader sees what a catch-up has committed, a running query does not", "[projections][read]") {
    Paid paid;
    const auto model = ReadModel::open(paid.store, "payments");
    auto before = test::expected_payments(paid.store, Position{300});
    auto running = model.query(test::all_payments);
    auto row = running.begin();
    const auto first = std::string{row->text(0)};

    test::pay(paid.store, 100);
    CHECK(catch_up(paid.store, *test::payments()).position == Position{400});

    Lines rest;
    for (; row != Rows::end(); ++row) {
        rest.push_back(std::string{row->text(0)} + " " + std::string{row->text(1)} + " " +
                       std::string{row->text(2)} + " " + std::string{row->text(3)});
    }
    CHECK(rest == before);
    CHECK(test::lines_of(model.query(test::all_payments)) == test::expected_payments(paid.store, Position{400}));
    CHECK(model.generation().position == Position{400});
}

}  // namespace
}  // namespace stele
