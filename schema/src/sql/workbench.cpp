#include <stele/schema/sql/workbench.hpp>

#include <sqlite3.h>

#include <algorithm>

namespace stele::sql {
namespace {

struct Close {
    void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
};

std::unique_ptr<sqlite3, Close> open_in_memory() {
    sqlite3* db = nullptr;
    // No mutex: it is used by one thread at a time.
    const int result = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<sqlite3, Close> owner{db};
    if (result != SQLITE_OK) throw SqlError{db, "opening a database in memory"};
    return owner;
}

}  // namespace

struct Workbench::State {
    std::unique_ptr<sqlite3, Close> db = open_in_memory();
    Compiler compiler{db.get(), Compiler::Kind::deterministic};
};

Workbench::Workbench() : state_(std::make_unique<State>()) {}
Workbench::~Workbench() = default;
Workbench::Workbench(Workbench&&) noexcept = default;
Workbench& Workbench::operator=(Workbench&&) noexcept = default;

Statement Workbench::expression(const SqlText& text) { return state_->compiler.expression(text); }

void Workbench::limit_values(std::size_t bytes) noexcept {
    constexpr std::size_t most = 1'000'000'000;
    sqlite3_limit(state_->db.get(), SQLITE_LIMIT_LENGTH, static_cast<int>(std::min(bytes, most)));
}

}  // namespace stele::sql
