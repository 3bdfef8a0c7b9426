#include "deterministic_functions.hpp"

#include <stele/schema/sql/statement.hpp>

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace stele::sql {
namespace {

constexpr std::array never_deterministic{"random",
                                         "randomblob",
                                         "current_time",
                                         "current_date",
                                         "current_timestamp",
                                         "last_insert_rowid",
                                         "changes",
                                         "total_changes",
                                         "sqlite_version",
                                         "sqlite_source_id",
                                         "sqlite_offset",
                                         "sqlite_compileoption_used",
                                         "sqlite_compileoption_get",
                                         "sqlite_log",
                                         "load_extension"};

constexpr std::array date_functions{"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"};

template <std::size_t N>
bool is_among(const std::array<const char*, N>& names, std::string_view name) noexcept {
    return std::any_of(names.begin(), names.end(), [&](const char* n) { return equal_ignoring_case(n, name); });
}

// SQLite's own date functions, out of reach on a connection where ours took their names, are called on another one.
class Original {
public:
    explicit Original(const char* function) : function_(function) {}

    void call(sqlite3_context* context, int count, sqlite3_value** arguments) {
        auto* statement = prepared(count).get();
        for (int i = 0; i < count; ++i) sqlite3_bind_value(statement, i + 1, arguments[i]);
        if (sqlite3_step(statement) == SQLITE_ROW) {
            sqlite3_result_value(context, sqlite3_column_value(statement, 0));
        } else {
            sqlite3_result_error(context, sqlite3_errmsg(db_.get()), -1);
        }
        sqlite3_reset(statement);
    }

    [[nodiscard]] const std::string& function() const noexcept { return function_; }

private:
    Statement& prepared(int count) {
        if (db_ == nullptr) {
            sqlite3* db = nullptr;
            const auto rc = sqlite3_open(":memory:", &db);
            db_.reset(db);
            if (rc != SQLITE_OK) throw SqlError{db, "opening a database in memory"};
        }
        auto& statement = statements_[count];
        if (!statement) {
            std::string sql = "SELECT " + function_ + "(";
            for (int i = 0; i < count; ++i) sql += i == 0 ? "?" : ",?";
            statement = Statement{db_.get(), sql + ")"};
        }
        return statement;
    }

    struct Close {
        void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
    };
    std::string function_;
    std::unique_ptr<sqlite3, Close> db_;
    std::map<int, Statement> statements_;  // by the number of arguments
};

std::string_view text_of(sqlite3_value* value) {
    const auto type = sqlite3_value_type(value);
    if (type != SQLITE_TEXT && type != SQLITE_BLOB) return {};
    const auto* bytes = static_cast<const char*>(static_cast<const void*>(sqlite3_value_text(value)));
    return bytes == nullptr ? std::string_view{} : std::string_view{bytes};
}

extern "C" void call_date_function(sqlite3_context* context, int count, sqlite3_value** arguments) {
    auto& original = *static_cast<Original*>(sqlite3_user_data(context));
    const auto fail = [&](const std::string& found) {
        const auto message = original.function() + "() with " + found +
                             " depends on the clock or the time zone of the machine; use the event's times";
        sqlite3_result_error(context, message.c_str(), -1);
    };
    // strftime's first argument is the format; without a time behind it, it means now. So does 'subsec' there.
    const int time = original.function() == "strftime" ? 1 : 0;
    if (count <= time) return fail("no time");
    for (int i = time; i < count; ++i) {
        const auto text = text_of(arguments[i]);
        const bool means_now =
            i == time && (equal_ignoring_case(text, "subsec") || equal_ignoring_case(text, "subsecond"));
        if (names_clock_or_zone(text) || means_now) return fail("'" + std::string{text} + "'");
    }
    try {
        original.call(context, count, arguments);
    } catch (const std::exception& error) {
        sqlite3_result_error(context, error.what(), -1);
    }
}

extern "C" void refuse_call(sqlite3_context* context, int, sqlite3_value**) {
    const auto message = std::string{static_cast<const char*>(sqlite3_user_data(context))} +
                         "() does not give the same result whenever it is called";
    sqlite3_result_error(context, message.c_str(), -1);
}

extern "C" void delete_original(void* original) { delete static_cast<Original*>(original); }

}  // namespace

bool is_never_deterministic(std::string_view function) noexcept { return is_among(never_deterministic, function); }
bool is_date_function(std::string_view function) noexcept { return is_among(date_functions, function); }

bool names_clock_or_zone(std::string_view argument) noexcept {
    return equal_ignoring_case(argument, "now") || equal_ignoring_case(argument, "localtime") ||
           equal_ignoring_case(argument, "utc");
}

void install_deterministic_functions(sqlite3* db) {
    constexpr int any_count = -1;
    for (const auto* name : never_deterministic) {
        const auto rc = sqlite3_create_function_v2(db, name, any_count, SQLITE_UTF8 | SQLITE_INNOCUOUS,
                                                   const_cast<char*>(name), refuse_call, nullptr, nullptr, nullptr);
        if (rc != SQLITE_OK) throw SqlError{db, "replacing the function " + std::string{name}};
    }
    for (const auto* name : date_functions) {
        // On failure, too, SQLite calls delete_original.
        const auto rc = sqlite3_create_function_v2(
            db, name, any_count, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
            std::make_unique<Original>(name).release(), call_date_function, nullptr, nullptr, delete_original);
        if (rc != SQLITE_OK) throw SqlError{db, "replacing the function " + std::string{name}};
    }
}

}  // namespace stele::sql
