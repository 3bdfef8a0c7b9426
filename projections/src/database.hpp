// A connection to the file of a generation.
#pragma once

#include <stele/projections/projection_error.hpp>
#include <stele/schema/sql/statement.hpp>

#include <filesystem>
#include <memory>
#include <string>

struct sqlite3;

namespace stele {

struct CloseDatabase {
    void operator()(sqlite3* db) const noexcept;
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

enum class Access { create, write, read };

/// Opens `file`; waits for locks of others for `busy_ms`. Throws sql::SqlError.
[[nodiscard]] Database open_database(const std::filesystem::path& file, Access access,
                                     const std::string& sqlite_vfs, int busy_ms = 5000);

/// What begins and commits the transactions of a connection that has one for each event or so.
struct TransactionStatements {
    explicit TransactionStatements(sqlite3* db) : begin(db, "BEGIN IMMEDIATE"), commit(db, "COMMIT") {}
    sql::Statement begin;
    sql::Statement commit;
};

/// A transaction that takes the write lock at once: it waits for other writers before it looks at anything. Rolled
/// back unless committed.
class WriteTransaction {
public:
    explicit WriteTransaction(sqlite3* db);
    /// The same on their connection; they stay longer.
    explicit WriteTransaction(TransactionStatements& statements);
    WriteTransaction(const WriteTransaction&) = delete;
    WriteTransaction& operator=(const WriteTransaction&) = delete;
    ~WriteTransaction();
    void commit();

private:
    sqlite3* db_;
    sql::Statement* commit_ = nullptr;  ///< prepared, or nothing
};

/// Changes how the file is journaled, to "wal", "delete" or "memory". False where others who have it open stand in
/// the way.
[[nodiscard]] bool set_journal_mode(sqlite3* db, const std::string& mode);

}  // namespace stele
