// UpcastBench: where the SQL of upcasters runs: a database in memory without tables, and the compiled expressions.
#pragma once

#include "upcast_step.hpp"

#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/event_binder.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sqlite3;

namespace stele::detail {

/// One thread at a time.
class UpcastBench {
public:
    UpcastBench();
    UpcastBench(const UpcastBench&) = delete;
    UpcastBench& operator=(const UpcastBench&) = delete;

    /// Compiles the expressions of a step, at its first use. Throws sql::DefinitionError.
    void prepare(const UpcastStep& step);

    /// The values of the step's expressions at `event`, in order, without those that are NULL.
    /// Throws sql::SqlError, and InvalidInput where a value is no JSON text.
    struct Value {
        std::size_t expression;
        JsonText data;
    };
    void run(const UpcastStep& step, const Event& event, std::vector<Value>& values);

    /// "file:line" of the expression that ran last.
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

    /// Whether any expression that was prepared looks at these.
    [[nodiscard]] sql::EventBinder::Uses uses() const noexcept { return binder_.uses(); }

private:
    struct Expression {
        sql::Statement statement;
        sql::EventBinder::Plan plan;
    };
    struct Close {
        void operator()(sqlite3* db) const noexcept;
    };
    [[nodiscard]] static std::unique_ptr<sqlite3, Close> open();
    std::vector<Expression>& compiled(const UpcastStep& step);

    std::unique_ptr<sqlite3, Close> db_;
    sql::Compiler compiler_;
    sql::EventBinder binder_;
    std::map<const UpcastStep*, std::vector<Expression>> expressions_;  ///< goes before the connection
    std::string place_;
};

}  // namespace stele::detail
