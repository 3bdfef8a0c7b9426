// RowScan: a stretch of the log without what its events carry, for reads that are long and look at little.
//
// A statement that returns each row to its caller, who then asks for it column by column, spends as much on that as
// on the rows themselves. Here SQLite hands each row to an aggregate function of ours, and returns once.
#pragma once

#include "statement.hpp"

#include <stele/store/event_store.hpp>

#include <exception>
#include <functional>

namespace stele::sqlite {

namespace sql {
/// Along the table, which stands in the order of positions: an aggregate cannot ask for an order of its own.
/// (PRAGMA reverse_unordered_selects would turn it round; nothing of ours sets it.)
inline constexpr auto log_scan =
    "SELECT stele_take(position, stream, version, type, schema_version, NULL, occurred_at, recorded_at) "
    "FROM events NOT INDEXED WHERE position >= ?1 AND position <= ?2";
}  // namespace sql

/// A row while it is handed over, with the columns of sql::log_forward up to the times.
class HandedRow {
public:
    explicit HandedRow(sqlite3_value** values) noexcept : values_(values) {}

    [[nodiscard]] bool is_null(int column) const noexcept {
        return sqlite3_value_type(values_[column]) == SQLITE_NULL;
    }
    [[nodiscard]] std::int64_t integer(int column) const noexcept { return sqlite3_value_int64(values_[column]); }

private:
    sqlite3_value** values_;
};

/// Not thread-safe; belongs to one connection, which outlives it. One a connection, made while none of its
/// statements runs.
class RowScan {
public:
    using Take = std::function<void(const HandedRow&)>;

    /// Makes the function known to the connection.
    explicit RowScan(sqlite3* db);
    RowScan(const RowScan&) = delete;
    RowScan& operator=(const RowScan&) = delete;

    /// Calls `take` with each row from `first` to `last`, in order. What it throws ends the scan and is thrown on;
    /// it may use the connection, but not this scan. Throws StoreError.
    void run(Position first, Position last, const Take& take);

private:
    static sqlite3* teach(sqlite3* db, RowScan* self);
    static void take_row(sqlite3_context* context, int count, sqlite3_value** values) noexcept;

    Statement scan_;
    const Take* take_ = nullptr;  ///< of the run under way
    std::exception_ptr thrown_;
};

}  // namespace stele::sqlite
