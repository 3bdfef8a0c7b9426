// The scan in which SQLite hands over each row.
#include "sqlite/row_scan.hpp"

#include <stele/test/catch.hpp>

#include <SQLiteCpp/Database.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace stele;
using stele::sqlite::HandedRow;
using stele::sqlite::RowScan;
using stele::sqlite::Statement;

namespace {

constexpr EventParts nothing{.id = false, .data = false, .metadata = false, .tags = false};

// From 1 to 100 without 50, with an index whose order is another.
SQLite::Database made_log() {
    SQLite::Database db{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    db.exec(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream, version, type, schema_version, id, "
        "occurred_at, recorded_at, data, metadata, tags);"
        "CREATE INDEX by_version ON events (version);"
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100) "
        "INSERT INTO events SELECT n, n % 7, 1000 - n, 1, 1, x'0102', iif(n % 2, NULL, n), n * 10, "
        "'data of ' || n, 'metadata of ' || n, iif(n % 2, NULL, '[\"tag\"]') "
        "FROM numbers WHERE n <> 50");
    return db;
}

struct Log {
    std::vector<std::int64_t> positions(Position first, Position last) {
        std::vector<std::int64_t> found;
        scan.run(nothing, first, last, [&](const HandedRow& row) {
            found.push_back(row.integer(0));
            return true;
        });
        return found;
    }

    SQLite::Database db = made_log();
    RowScan scan{db.getHandle()};
};

}  // namespace

TEST_CASE("a scan hands over each row from the first to the last, in order", "[store][scan]") {
    Log log;
    CHECK(log.positions(Position{48}, Position{52}) == std::vector<std::int64_t>{48, 49, 51, 52});
    CHECK(log.positions(Position{99}, Position{200}) == std::vector<std::int64_t>{99, 100});
    CHECK(log.positions(Position{50}, Position{50}).empty());
    CHECK(log.positions(Position{2}, Position{1}).empty());

    std::vector<std::int64_t> columns;
    log.scan.run(nothing, Position{8}, Position{8}, [&](const HandedRow& row) {
        for (const int column : {0, 1, 2, 3, 4, 6, 7}) columns.push_back(row.integer(column));
        CHECK(row.is_null(5));  // what may be left out is not looked for
        CHECK_FALSE(row.is_null(6));
        return true;
    });
    CHECK(columns == std::vector<std::int64_t>{8, 1, 992, 1, 1, 8, 80});
    log.scan.run(nothing, Position{9}, Position{9}, [&](const HandedRow& row) {
        CHECK(row.is_null(6));
        return true;
    });
}

TEST_CASE("a scan looks for the parts that are wanted, whichever they are", "[store][scan]") {
    Log log;
    for (unsigned wanted = 0; wanted < 16; ++wanted) {
        const EventParts parts{(wanted & 1) != 0, (wanted & 2) != 0, (wanted & 4) != 0, (wanted & 8) != 0};
        CAPTURE(wanted);
        CHECK(sqlite::number_of(parts) == wanted);
        std::vector<std::string> tags;
        log.scan.run(parts, Position{8}, Position{9}, [&](const HandedRow& row) {
            const auto position = std::to_string(row.integer(0));
            const auto id = row.blob(5);
            CHECK(std::vector<int>(id.begin(), id.end()) == (parts.id ? std::vector{1, 2} : std::vector<int>{}));
            if (parts.data) CHECK(row.text(8) == "data of " + position);
            if (parts.metadata) CHECK(row.text(9) == "metadata of " + position);
            if (parts.tags) tags.emplace_back(row.is_null(10) ? "none" : row.text(10));
            return true;
        });
        CHECK(tags == (parts.tags ? std::vector<std::string>{R"(["tag"])", "none"} : std::vector<std::string>{}));
    }
}

TEST_CASE("a scan ends where it is told to, and the next one works", "[store][scan]") {
    Log log;
    std::vector<std::int64_t> found;
    log.scan.run({}, Position{1}, Position{100}, [&](const HandedRow& row) {
        found.push_back(row.integer(0));
        return found.size() < 3;
    });
    CHECK(found == std::vector<std::int64_t>{1, 2, 3});
    log.scan.run({}, Position{3}, Position{3}, [&](const HandedRow& row) { return row.integer(0) != 3; });
    CHECK(log.positions(Position{4}, Position{6}) == std::vector<std::int64_t>{4, 5, 6});
    CHECK(sqlite3_get_autocommit(log.db.getHandle()) == 1);
}

TEST_CASE("what is thrown at a row ends the scan, and the next one works", "[store][scan]") {
    Log log;
    int rows = 0;
    const auto failing = [&](const HandedRow& row) {
        ++rows;
        if (row.integer(0) == 3) throw std::runtime_error{"at 3"};
        return true;
    };
    CHECK_THROWS_WITH(log.scan.run(nothing, Position{1}, Position{100}, failing), "at 3");
    CHECK(rows == 3);
    CHECK(log.positions(Position{1}, Position{4}) == std::vector<std::int64_t>{1, 2, 3, 4});
}

TEST_CASE("what SQLite cannot do in a scan is told in its words", "[store][scan]") {
    Log log;
    int rows = 0;
    const auto interrupting = [&](const HandedRow&) {
        if (++rows == 2) sqlite3_interrupt(log.db.getHandle());
        return true;
    };
    CHECK_THROWS_AS(log.scan.run(nothing, Position{1}, Position{100}, interrupting), StoreError);
    CHECK(rows < 99);
    CHECK(log.positions(Position{1}, Position{2}).size() == 2);
}

TEST_CASE("a row may be looked up further on the same connection", "[store][scan]") {
    Log log;
    Statement twice{log.db.getHandle(), "SELECT 2 * recorded_at FROM events WHERE position = ?1"};
    std::vector<std::int64_t> found;
    log.scan.run(nothing, Position{1}, Position{3}, [&](const HandedRow& row) {
        const sqlite::Use look{twice};
        look->bind(1, row.integer(0));
        if (look->step()) found.push_back(look->integer(0));
        return true;
    });
    CHECK(found == std::vector<std::int64_t>{20, 40, 60});
}
