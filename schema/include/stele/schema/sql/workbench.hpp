// Workbench: a place for expressions to run in, a database in memory without tables.
#pragma once

#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/statement.hpp>

#include <memory>

namespace stele::sql {

/// Compiles deterministic expressions (Allow::expression). Use it from one thread at a time; it goes after every
/// statement that it compiled. Cost: some 100 µs to open.
class Workbench {
public:
    Workbench();
    ~Workbench();
    Workbench(Workbench&&) noexcept;
    Workbench& operator=(Workbench&&) noexcept;

    /// As Compiler::expression(). Throws DefinitionError with the line of the mistake.
    [[nodiscard]] Statement expression(const SqlText& text);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele::sql
