#include "row_scan.hpp"

#include <utility>

namespace stele::sqlite {

RowScan::RowScan(sqlite3* db) : scan_(teach(db, this), sql::log_scan) {}

sqlite3* RowScan::teach(sqlite3* db, RowScan* self) {
    constexpr int columns = 8;
    constexpr int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;  // no trigger or view of a file may call it
    const auto gives_nothing = [](sqlite3_context* /*context*/) {};
    const int code = sqlite3_create_function_v2(db, "stele_take", columns, flags, self, nullptr, take_row,
                                                gives_nothing, nullptr);
    if (code != SQLITE_OK) throw_error(db, code, "making stele_take() known");
    return db;
}

void RowScan::take_row(sqlite3_context* context, int /*count*/, sqlite3_value** values) noexcept {
    auto& self = *static_cast<RowScan*>(sqlite3_user_data(context));
    try {
        (*self.take_)(HandedRow{values});
    } catch (...) {
        self.thrown_ = std::current_exception();
        sqlite3_result_error_code(context, SQLITE_ABORT);
    }
}

void RowScan::run(Position first, Position last, const Take& take) {
    take_ = &take;
    const Use scan{scan_};
    scan->bind(1, first.value());
    scan->bind(2, last.value());
    const int code = scan_.try_step();
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    if (code != SQLITE_ROW) scan_.fail(code);
}

}  // namespace stele::sqlite
