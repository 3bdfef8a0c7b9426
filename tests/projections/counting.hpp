// A projection whose rows show at a glance whether they belong to its position, and how others read it.
#pragma once

#include <stele/projections/sql_projection.hpp>
#include <stele/test/store.hpp>

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace stele::test {

/// Counts every event, so that in any complete state of the file the count is the position.
inline constexpr auto counting_sql =
    "--@ projection counting version 1\n"
    "--@ create\n"
    "CREATE TABLE counting (n INTEGER NOT NULL);\n"
    "INSERT INTO counting VALUES (0);\n"
    "--@ on *\n"
    "UPDATE counting SET n = n + 1;\n";
inline constexpr auto count_and_position = "SELECT n, position FROM counting, stele_projection";

[[nodiscard]] inline std::shared_ptr<const SqlProjection> counting() {
    return SqlProjection::parse(counting_sql, "counting.sql");
}

inline void note(EventStore& store, int count) {
    store.append(StreamId{"S", "1"}, expect::any,
                 events(std::vector<std::string>(static_cast<std::size_t>(count), "Noted")));
}

/// Count and position as any SQLite program finds them through the link; a message of SQLite where it does not.
[[nodiscard]] inline std::string read_through_link(const std::filesystem::path& link) {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::string found;
    if (sqlite3_open_v2(link.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK ||
        sqlite3_busy_timeout(db, 10'000) != SQLITE_OK ||
        sqlite3_prepare_v2(db, count_and_position, -1, &statement, nullptr) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        found = sqlite3_errmsg(db);
    } else if (sqlite3_column_int64(statement, 0) != sqlite3_column_int64(statement, 1)) {
        found = "rows of another position";
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return found;
}

}  // namespace stele::test
