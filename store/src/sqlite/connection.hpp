// Connections to events.db: how they are opened, and what every one of them has in common.
#pragma once

#include <stele/store/event_store.hpp>

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <filesystem>

namespace stele::sqlite {

/// The number in `PRAGMA application_id`: "Stel".
inline constexpr int application_id = 0x5374656C;
/// The numbers in `PRAGMA user_version` that this build reads: what a new file has, and what it becomes when the
/// first schema is recorded.
inline constexpr int first_format = 1;
inline constexpr int format_with_schemas = 2;
inline constexpr int newest_format = format_with_schemas;

/// The text of schema.sql.
extern const char* const schema_sql;
/// The text of schemas.sql.
extern const char* const schemas_sql;

/// Makes the folder and the file where there are none (OpenMode::create), and checks that the file is a log of a
/// format that this build reads. Several processes may do so at once. Throws StoreError.
void prepare_file(const std::filesystem::path& folder, const Options& options);

/// A connection that appends. Its commits survive what options.durability says.
[[nodiscard]] SQLite::Database open_writer(const std::filesystem::path& file, const Options& options);
/// A connection that only reads.
[[nodiscard]] SQLite::Database open_reader(const std::filesystem::path& file, const Options& options);

/// Makes everything in the WAL durable, whoever wrote it. Throws StoreError.
void sync_wal(sqlite3* db);

/// Whether a read transaction, of any process, holds a place in the WAL (its locks:
/// https://sqlite.org/walformat.html, "WAL Locks"): as long as one does, no commit begins the WAL anew. True where
/// that cannot be told. `db` has used the WAL, and is in no transaction. (An unlocking that fails is healed by the
/// next call.)
[[nodiscard]] bool wal_is_read(sqlite3* db) noexcept;

}  // namespace stele::sqlite
