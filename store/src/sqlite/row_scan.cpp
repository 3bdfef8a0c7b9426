#include "row_scan.hpp"

#include <utility>

namespace stele::sqlite {

std::string sql::log_scan_with(const EventParts& parts) {
    const auto column = [](bool wanted, const char* name) { return std::string{wanted ? name : "NULL"}; };
    auto columns =
        "position, stream, version, type, schema_version, " + column(parts.id, "id") + ", occurred_at, recorded_at";
    if (parts.data || parts.metadata || parts.tags) columns += ", " + column(parts.data, "data");
    if (parts.metadata || parts.tags) columns += ", " + column(parts.metadata, "metadata");
    if (parts.tags) columns += ", tags";
    return "SELECT stele_take(" + columns + ") FROM events NOT INDEXED WHERE position >= ?1 AND position <= ?2";
}

RowScan::RowScan(sqlite3* db) : db_(db) {
    constexpr int any_number = -1;
    constexpr int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;  // no trigger or view of a file may call it
    const auto gives_nothing = [](sqlite3_context* /*context*/) {};
    const int code = sqlite3_create_function_v2(db, "stele_take", any_number, flags, this, nullptr, take_row,
                                                gives_nothing, nullptr);
    if (code != SQLITE_OK) throw_error(db, code, "making stele_take() known");
}

void RowScan::take_row(sqlite3_context* context, int /*count*/, sqlite3_value** values) noexcept {
    auto& self = *static_cast<RowScan*>(sqlite3_user_data(context));
    try {
        if ((*self.take_)(HandedRow{values})) return;
        self.has_enough_ = true;
    } catch (...) {
        self.thrown_ = std::current_exception();
    }
    // The only way to end a statement from within. Who has set SQLITE_CONFIG_LOG is told "query aborted" each time.
    sqlite3_result_error_code(context, SQLITE_ABORT);
}

void RowScan::run(const EventParts& parts, Position first, Position last, const Take& take) {
    auto& statement = scans_[number_of(parts)];
    if (!statement) statement = std::make_unique<Statement>(db_, sql::log_scan_with(parts));
    take_ = &take;
    has_enough_ = false;
    const Use scan{*statement};
    scan->bind(1, first.value());
    scan->bind(2, last.value());
    const int code = statement->try_step();
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    if (code != SQLITE_ROW && !has_enough_) statement->fail(code);
}

}  // namespace stele::sqlite
