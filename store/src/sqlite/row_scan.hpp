// RowScan: a stretch of the log, for reads that are long and take every event, or look at little of each.
//
// A statement that returns each row to its caller, who then asks for it column by column, spends as much on that as
// on the rows themselves. Here SQLite hands each row to an aggregate function of ours, and returns once.
#pragma once

#include "statement.hpp"

#include <stele/store/event_store.hpp>

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace stele::sqlite {

namespace sql {
/// Along the table, which stands in the order of positions: an aggregate cannot ask for an order of its own.
/// (PRAGMA reverse_unordered_selects would turn it round; nothing of ours sets it.) With the columns of
/// sql::log_forward up to the last one that is wanted; those before it that are not wanted are NULL.
[[nodiscard]] std::string log_scan_with(const EventParts& parts);
}  // namespace sql

/// The sets of parts, from 0 to 15.
[[nodiscard]] constexpr std::size_t number_of(const EventParts& parts) noexcept {
    return (parts.id ? 1U : 0U) | (parts.data ? 2U : 0U) | (parts.metadata ? 4U : 0U) | (parts.tags ? 8U : 0U);
}

/// A row while it is handed over, with the columns of sql::log_scan_with().
class HandedRow {
public:
    explicit HandedRow(sqlite3_value** values) noexcept : values_(values) {}

    [[nodiscard]] bool is_null(int column) const noexcept {
        return sqlite3_value_type(values_[column]) == SQLITE_NULL;
    }
    [[nodiscard]] std::int64_t integer(int column) const noexcept { return sqlite3_value_int64(values_[column]); }
    [[nodiscard]] std::span<const unsigned char> blob(int column) const noexcept {
        const auto* bytes = static_cast<const unsigned char*>(sqlite3_value_blob(values_[column]));
        return {bytes, static_cast<std::size_t>(sqlite3_value_bytes(values_[column]))};
    }
    /// In UTF-8. (sqlite3_value_text() would make room for a NUL behind a text from several pages.)
    [[nodiscard]] std::string_view text(int column) const noexcept {
        const auto bytes = blob(column);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

private:
    sqlite3_value** values_;
};

/// Not thread-safe; belongs to one connection, which outlives it. One a connection, made while none of its
/// statements runs.
class RowScan {
public:
    /// Whether the scan shall go on.
    using Take = std::function<bool(const HandedRow&)>;

    /// Makes the function known to the connection.
    explicit RowScan(sqlite3* db);
    RowScan(const RowScan&) = delete;
    RowScan& operator=(const RowScan&) = delete;

    /// Calls `take` with each row from `first` to `last`, in order, with these parts, until it returns false. What
    /// it throws ends the scan and is thrown on; it may use the connection, but not this scan. Throws StoreError.
    void run(const EventParts& parts, Position first, Position last, const Take& take);

private:
    static void take_row(sqlite3_context* context, int count, sqlite3_value** values) noexcept;

    sqlite3* db_;
    std::array<std::unique_ptr<Statement>, 16> scans_;  ///< by their parts; made by the first who asks
    const Take* take_ = nullptr;                        ///< of the run under way
    bool has_enough_ = false;
    std::exception_ptr thrown_;
};

}  // namespace stele::sqlite
