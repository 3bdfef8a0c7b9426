// Statement: a prepared statement for hot paths.
//
// SQLiteCpp opens and owns our connections and serves where time does not matter. Its Statement copies a shared
// pointer for each column that is read; this one adds nothing to SQLite's own calls.
#pragma once

#include <stele/schema/time.hpp>

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace stele::sqlite {

/// Throws StoreError for SQLite's last error on `db`: code "disk_full", "corrupt", "busy", "access" or "io", with
/// SQLite's extended code among the facts.
[[noreturn]] void throw_error(sqlite3* db, int code, std::string_view doing);
/// The same for what SQLiteCpp threw about `file`, where there may be no connection to ask.
[[noreturn]] void throw_error(const std::string& file, const SQLite::Exception& error, std::string_view doing);

/// Not thread-safe; belongs to one connection, which outlives it. Text and blobs that are bound must live until
/// reset(); columns are valid until the next step() or reset().
class Statement {
public:
    Statement(sqlite3* db, std::string_view sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    void bind(int index, std::int64_t value) noexcept { sqlite3_bind_int64(statement_, index, value); }
    void bind(int index, std::string_view text) noexcept {
        // A null pointer would bind NULL: an empty text is not that.
        sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), nullptr,
                            SQLITE_UTF8);
    }
    void bind(int index, std::span<const unsigned char> blob) noexcept {
        sqlite3_bind_blob64(statement_, index, blob.data(), blob.size(), nullptr);
    }
    void bind_null(int index) noexcept { sqlite3_bind_null(statement_, index); }

    /// True for a row, false at the end. Throws StoreError.
    bool step() {
        const int code = sqlite3_step(statement_);
        if (code == SQLITE_ROW) return true;
        if (code == SQLITE_DONE) return false;
        fail(code);
    }
    /// As step(), for the caller who deals with errors: SQLITE_ROW, SQLITE_DONE or an error, which fail() throws.
    [[nodiscard]] int try_step() noexcept { return sqlite3_step(statement_); }
    [[noreturn]] void fail(int code);
    void reset() noexcept { sqlite3_reset(statement_); }

    [[nodiscard]] bool is_null(int column) const noexcept {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }
    [[nodiscard]] std::int64_t integer(int column) const noexcept {
        return sqlite3_column_int64(statement_, column);
    }
    [[nodiscard]] std::string_view text(int column) const {
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        if (bytes == nullptr && !is_null(column)) throw std::bad_alloc{};  // SQLite found no memory for it
        return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }
    [[nodiscard]] std::span<const unsigned char> blob(int column) const noexcept {
        const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(statement_, column));
        return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }

private:
    sqlite3_stmt* statement_ = nullptr;
};

/// A time, as columns hold it: microseconds since 1970 in UTC.
inline Timestamp time_of(std::int64_t microseconds) { return Timestamp{std::chrono::microseconds{microseconds}}; }

/// Resets a statement when the scope ends, so that it holds no read transaction and no pointer of ours.
class Use {
public:
    explicit Use(Statement& statement) noexcept : statement_(statement) {}
    ~Use() { statement_.reset(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Statement* operator->() const noexcept { return &statement_; }

private:
    Statement& statement_;
};

}  // namespace stele::sqlite
