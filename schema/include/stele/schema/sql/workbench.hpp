// Workbench: a place for expressions to run in, a database in memory without tables.
#pragma once

#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/statement.hpp>

#include <cstddef>
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

    /// From now on, no text or blob that is bound, or that an expression makes on its way, may be longer: such an
    /// expression fails with SQLITE_TOOBIG, and no memory was taken for it. At first the limit is SQLite's own, a
    /// billion bytes, which is the most as well.
    void limit_values(std::size_t bytes) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele::sql
