// Compiler: the one way by which SQL that users wrote becomes statements. It refuses what such SQL must not do.
//
// Nobody's SQL may attach databases, change settings by PRAGMA, load extensions, or begin and end transactions, by
// OR ROLLBACK, ON CONFLICT ROLLBACK and RAISE(ROLLBACK, …) neither.
// Where rows have to be the same whenever they are computed (projections, aggregates, upcasters), calls that would
// make them differ are refused as well: random numbers, the clock, the machine's time zone, and what depends on
// statements that ran before on this connection. SQLite's authorizer says so when the text is compiled, with file
// and line; what only shows when it runs (`datetime($data(when))` where an event says "now") fails then.
#pragma once

#include <stele/schema/sql/statement.hpp>
#include <stele/schema/sql/text.hpp>

#include <memory>
#include <vector>

namespace stele::sql {

/// What a text may do.
enum class Allow {
    expression,  ///< one expression over its parameters; no tables. Deterministic
    handler,     ///< read and change rows of the read model. Deterministic
    definition,  ///< the same, and make tables, indexes, views and triggers. Deterministic, views excepted
    query,       ///< read, anything but settings
};

/// Compiles SQL for one connection.
///
/// Making one sets the connection up: an authorizer; double quotes are for names alone, not for strings; schema
/// writes and other dangerous features off (SQLITE_DBCONFIG_DEFENSIVE); and, for a deterministic one, date
/// functions that refuse the clock, and functions such as random() that refuse always. Statements that other code
/// prepares on the connection (BEGIN, COMMIT, PRAGMA) are not looked at.
///
/// Use it where the connection is used. It goes before the connection, and after every statement that it compiled.
class Compiler {
public:
    enum class Kind { deterministic, reader };

    Compiler(sqlite3* db, Kind kind);
    ~Compiler();
    Compiler(const Compiler&) = delete;
    Compiler& operator=(const Compiler&) = delete;

    /// Every statement of the text, in order. The tables that they name must be there.
    /// Throws DefinitionError with the line of the mistake.
    [[nodiscard]] std::vector<Statement> statements(const SqlText& text, Allow allow);

    /// The one statement of the text; DefinitionError where there are none or several.
    [[nodiscard]] Statement statement(const SqlText& text, Allow allow);

    /// The text as one expression: compiled as `SELECT (<text>)`, a statement with one column and one row. A
    /// semicolon at the end is allowed.
    [[nodiscard]] Statement expression(const SqlText& text);

    /// Compiles and runs one statement after the other, each seeing what those before it made.
    void run(const SqlText& text, Allow allow);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele::sql
