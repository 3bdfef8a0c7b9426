// The schemas in events.db, format 2: read on any connection, written on one of its own.
#pragma once

#include "../schema_guard.hpp"
#include "connection.hpp"
#include "statement.hpp"

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <string>
#include <vector>

namespace stele::sqlite {

namespace sql {
inline constexpr auto schema_generation = "SELECT generation FROM schema_settings WHERE one = 1";
inline constexpr auto schema_settings = "SELECT generation, mode FROM schema_settings WHERE one = 1";
inline constexpr auto recorded_schemas =
    "SELECT type, version, document, fingerprint, since FROM schemas ORDER BY type, version";
inline constexpr auto recorded_schema =
    "SELECT document, fingerprint, since FROM schemas WHERE type = ?1 AND version = ?2";
inline constexpr auto record_schema =
    "INSERT INTO schemas (type, version, document, fingerprint, since) VALUES (?1, ?2, ?3, ?4, ?5)";
inline constexpr auto schemas_changed = "UPDATE schema_settings SET generation = generation + 1 WHERE one = 1";
inline constexpr auto set_schema_mode = "UPDATE schema_settings SET mode = ?1 WHERE one = 1";
}  // namespace sql

/// The number in `PRAGMA user_version`.
[[nodiscard]] int format_of(sqlite3* db);

/// 0 where the file has no schemas.
[[nodiscard]] std::uint64_t schema_generation(sqlite3* db);

/// Everything. Call it within a transaction, or where nobody else writes.
[[nodiscard]] StoredSchemas read_schemas(sqlite3* db);

/// Throws StoreBusy, StoreError.
class SchemaTables {
public:
    SchemaTables(std::filesystem::path file, std::string store, const Options& options)
        : file_(std::move(file)), store_(std::move(store)), options_(options) {}

    /// Records those that are not there yet, in one commit, and returns them; `since` is filled in. Throws
    /// SchemaChanged where one is there with another fingerprint; then none is recorded.
    std::vector<RecordedSchema> record(std::vector<RecordedSchema> schemas);
    void set_mode(SchemaMode mode);

private:
    void begin(sqlite3* db) const;
    /// `work` says whether it has changed anything.
    template <class Work>
    void write(const Work& work);

    std::filesystem::path file_;
    std::string store_;
    const Options& options_;
};

}  // namespace stele::sqlite
