#include "upcast_bench.hpp"

#include <sqlite3.h>

namespace stele::detail {

namespace {

// The value that the statement stands on, as JSON; empty for NULL.
std::optional<JsonText> value_of(const sql::Statement& statement) {
    switch (sqlite3_column_type(statement.get(), 0)) {
        case SQLITE_NULL:
            return {};
        case SQLITE_BLOB:
            throw InvalidInput{"the new data", "JSON text", "a blob"};
        default:
            return JsonText::parse(std::string{statement.text(0)}, "the new data");
    }
}

}  // namespace

void UpcastBench::Close::operator()(sqlite3* db) const noexcept { sqlite3_close(db); }

std::unique_ptr<sqlite3, UpcastBench::Close> UpcastBench::open() {
    sqlite3* db = nullptr;
    const int result = sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<sqlite3, Close> owner{db};
    if (result != SQLITE_OK) throw sql::SqlError{db, "opening a database in memory"};
    return owner;
}

UpcastBench::UpcastBench() : db_(open()), compiler_(db_.get(), sql::Compiler::Kind::deterministic) {}

void UpcastBench::prepare(const UpcastStep& step) { (void)compiled(step); }

std::vector<UpcastBench::Expression>& UpcastBench::compiled(const UpcastStep& step) {
    const auto known = expressions_.find(&step);
    if (known != expressions_.end()) return known->second;
    std::vector<Expression> expressions;
    for (const auto& text : step.expressions) {
        auto statement = compiler_.expression(text);
        auto plan = binder_.plan(statement);
        expressions.push_back({std::move(statement), std::move(plan)});
    }
    return expressions_.emplace(&step, std::move(expressions)).first->second;
}

void UpcastBench::run(const UpcastStep& step, const Event& event, std::vector<Value>& values) {
    auto& expressions = compiled(step);
    values.clear();
    binder_.take(event);
    for (std::size_t i = 0; i < expressions.size(); ++i) {
        auto& statement = expressions[i].statement;
        place_ = statement.file() + ":" + std::to_string(statement.line());
        binder_.bind(expressions[i].plan, statement);
        statement.step();
        struct Reset {
            sql::Statement& statement;
            ~Reset() { statement.reset(); }
        } const reset{statement};
        if (auto value = value_of(statement)) values.push_back({i, std::move(*value)});
    }
}

}  // namespace stele::detail
