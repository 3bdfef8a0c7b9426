// Statement: a prepared statement that is finalized when it goes, and that knows where its text stands.
#pragma once

#include <stele/schema/sql/text.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace stele::sql {

/// SQLite refused or failed while a statement was prepared or ran.
class SqlError : public Error {
public:
    /// Takes message and code from the connection's last error. `doing` says what was tried; `place` is the file
    /// and line of the statement, where it has one.
    SqlError(sqlite3* db, const std::string& doing, std::string place = {});

    [[nodiscard]] int result_code() const noexcept {
        return result_code_;
    }  ///< extended, such as SQLITE_BUSY_SNAPSHOT
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }  ///< SQLite's own words
    [[nodiscard]] const std::string& place() const noexcept { return place_; }    ///< "file:line", or empty

    /// True where disk, memory or another connection is in the way, so that the same statement may succeed later;
    /// false where it is the statement or its values.
    [[nodiscard]] bool is_of_the_machine() const noexcept;

private:
    SqlError(int result_code, std::string reason, const std::string& doing, std::string place);
    int result_code_;
    std::string reason_;
    std::string place_;
};

/// One prepared statement. Use it where its connection is used; the connection must outlive it.
///
/// Texts and blobs that are bound are not copied: they must stay until the statement is reset or bound anew.
/// Parameters count from 1, columns from 0.
class Statement {
public:
    Statement() = default;

    /// Prepares the one statement in `sql`, for a text of our own. Throws SqlError.
    Statement(sqlite3* db, std::string_view sql);

    /// Takes over a prepared statement whose text starts at `line` of `file`.
    Statement(sqlite3_stmt* statement, std::string file, int line)
        : statement_(statement), file_(std::move(file)), line_(line) {}

    /// Goes on to the next row: true where there is one, false at the end, after which the statement is reset.
    /// Throws SqlError (the statement is reset).
    bool step();

    /// Runs to the end, dropping any rows.
    void run() {
        while (step()) continue;
    }

    /// Ends a run before its last row. What is bound stays bound.
    void reset() noexcept;

    void bind(int parameter, std::int64_t value);
    void bind(int parameter, int value) { bind(parameter, std::int64_t{value}); }
    void bind(int parameter, double value);
    void bind(int parameter, std::string_view value);
    void bind(int parameter, const char* value) { bind(parameter, std::string_view{value}); }
    void bind(int parameter, std::nullptr_t);

    /// The same for a text that may go before the statement is run: it is copied.
    void bind_copy(int parameter, std::string_view value);

    /// How many parameters there are.
    [[nodiscard]] int parameters() const noexcept;

    /// The parameter called `name` (with its `$`), 0 where the statement has none.
    [[nodiscard]] int parameter(const char* name) const noexcept;

    [[nodiscard]] int columns() const noexcept;
    [[nodiscard]] bool is_null(int column) const noexcept;
    [[nodiscard]] std::int64_t integer(int column) const noexcept;
    [[nodiscard]] double real(int column) const noexcept;
    /// Empty for NULL. Valid until the statement moves on.
    [[nodiscard]] std::string_view text(int column) const noexcept;

    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_.get(); }
    explicit operator bool() const noexcept { return statement_ != nullptr; }

    /// Where the statement starts. Empty and 0 for a text of our own.
    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] int line() const noexcept { return line_; }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    std::string file_;
    int line_ = 0;
};

/// Runs statements of our own that return nothing, such as "BEGIN IMMEDIATE". Throws SqlError.
void execute(sqlite3* db, const char* statements);

}  // namespace stele::sql
