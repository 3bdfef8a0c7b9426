// A database in memory, and events made of literals.
#pragma once

#include <stele/schema/event.hpp>
#include <stele/schema/sql/statement.hpp>

#include <sqlite3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace stele::test {

struct CloseDatabase {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

[[nodiscard]] inline Database memory_database() {
    sqlite3* db = nullptr;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) throw std::runtime_error("no database in memory");
    return Database{db};
}

/// The columns of the statement's first row, as SQLite's quote() writes them: 'a text', 12, 1.5, NULL.
[[nodiscard]] inline std::string quoted(sqlite3* db, sql::Statement& statement) {
    if (!statement.step()) return "no row";
    sqlite3_stmt* quote = nullptr;
    sqlite3_prepare_v2(db, "SELECT quote(?)", -1, &quote, nullptr);
    std::string text;
    for (int column = 0; column < statement.columns(); ++column) {
        sqlite3_bind_value(quote, 1, sqlite3_column_value(statement.get(), column));
        sqlite3_step(quote);
        text += (column > 0 ? " " : "");
        text += static_cast<const char*>(static_cast<const void*>(sqlite3_column_text(quote, 0)));
        sqlite3_reset(quote);
    }
    sqlite3_finalize(quote);
    statement.reset();
    return text;
}

/// An event at position 7 with the given data and metadata, byte for byte.
[[nodiscard]] inline Event event_with(std::string data, std::string metadata = "{}") {
    return Event{.position = Position{7},
                 .version = Version{3},
                 .stream = StreamId{"acme", "Site", "site/42"},
                 .type = "SiteCreated",
                 .schema_version = 2,
                 .id = EventId::parse("01936e1a-7c3f-7a1b-8c2d-0123456789ab"),
                 .occurred_at = parse_rfc3339("2026-01-05T10:00:00.5Z"),
                 .recorded_at = parse_rfc3339("2026-01-05T11:00:00+01:00"),
                 .data = JsonText::parse(std::move(data)),
                 .metadata = JsonText::parse_object(std::move(metadata)),
                 .tags = {"plan:pro", "a \"quoted\" one"}};
}

}  // namespace stele::test
