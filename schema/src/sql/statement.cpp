#include <stele/schema/sql/statement.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <iterator>

namespace stele::sql {

SqlError::SqlError(sqlite3* db, const std::string& doing, std::string place)
    : SqlError(sqlite3_extended_errcode(db), sqlite3_errmsg(db), doing, std::move(place)) {}

SqlError::SqlError(int result_code, std::string reason, const std::string& doing, std::string place)
    : Error("sql", doing + ": " + reason, {{"sqlite_code", result_code}, {"reason", reason}, {"place", place}}),
      result_code_(result_code),
      reason_(std::move(reason)),
      place_(std::move(place)) {}

bool SqlError::is_of_the_machine() const noexcept {
    constexpr int machine[] = {SQLITE_PERM,     SQLITE_BUSY,     SQLITE_LOCKED,  SQLITE_NOMEM,
                               SQLITE_READONLY, SQLITE_IOERR,    SQLITE_CORRUPT, SQLITE_FULL,
                               SQLITE_CANTOPEN, SQLITE_PROTOCOL, SQLITE_NOTADB,  SQLITE_INTERRUPT};
    constexpr int primary = 0xff;
    return std::find(std::begin(machine), std::end(machine), result_code_ & primary) != std::end(machine);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement::Statement(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const auto rc = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                       &statement, nullptr);
    if (rc != SQLITE_OK) throw SqlError{db, "preparing \"" + std::string{sql} + "\""};
    statement_.reset(statement);
}

bool Statement::step() {
    const auto rc = sqlite3_step(statement_.get());
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) {
        sqlite3_reset(statement_.get());
        return false;
    }
    auto place = file_.empty() ? "" : file_ + ":" + std::to_string(line_);
    const auto doing = place.empty() ? "running \"" + std::string{sqlite3_sql(get())} + "\"" : place;
    const SqlError error{sqlite3_db_handle(get()), doing, std::move(place)};
    sqlite3_reset(statement_.get());
    throw error;
}

void Statement::reset() noexcept { sqlite3_reset(statement_.get()); }

namespace {
void check(int rc, sqlite3_stmt* statement, int parameter) {
    if (rc != SQLITE_OK) {
        throw SqlError{sqlite3_db_handle(statement), "binding parameter " + std::to_string(parameter)};
    }
}
}  // namespace

void Statement::bind(int parameter, std::int64_t value) {
    check(sqlite3_bind_int64(get(), parameter, value), get(), parameter);
}
void Statement::bind(int parameter, double value) {
    check(sqlite3_bind_double(get(), parameter, value), get(), parameter);
}
void Statement::bind(int parameter, std::string_view value) {
    // A null pointer would bind NULL: an empty text is a text.
    check(sqlite3_bind_text64(get(), parameter, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                              SQLITE_UTF8),
          get(), parameter);
}
void Statement::bind_copy(int parameter, std::string_view value) {
    check(sqlite3_bind_text64(get(), parameter, value.empty() ? "" : value.data(), value.size(),
                              SQLITE_TRANSIENT,  // NOLINT: SQLite's macro is a C cast
                              SQLITE_UTF8),
          get(), parameter);
}
void Statement::bind(int parameter, std::nullptr_t) {
    check(sqlite3_bind_null(get(), parameter), get(), parameter);
}

int Statement::parameter(const char* name) const noexcept { return sqlite3_bind_parameter_index(get(), name); }
int Statement::parameters() const noexcept { return sqlite3_bind_parameter_count(get()); }
int Statement::columns() const noexcept { return sqlite3_column_count(get()); }
bool Statement::is_null(int column) const noexcept { return sqlite3_column_type(get(), column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(get(), column); }
double Statement::real(int column) const noexcept { return sqlite3_column_double(get(), column); }

std::string_view Statement::text(int column) const noexcept {
    const auto* bytes = static_cast<const char*>(static_cast<const void*>(sqlite3_column_text(get(), column)));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
}

void execute(sqlite3* db, const char* statements) {
    if (sqlite3_exec(db, statements, nullptr, nullptr, nullptr) != SQLITE_OK) throw SqlError{db, statements};
}

}  // namespace stele::sql
