#include <stele/schema/sql/compiler.hpp>

#include "deterministic_functions.hpp"
#include "tokens.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace stele::sql {
namespace {

// Why something is refused, in the words of DefinitionError.
struct Refusal {
    std::string expected;
    std::string found;
    std::string function;  ///< where it is a call: its name, to find the line
};

constexpr auto same_rows =
    "a deterministic function: the same events must give the same result whenever they are folded";

Refusal refuse_function(std::string_view name) { return {same_rows, std::string{name} + "()", std::string{name}}; }

bool starts_with_ignoring_case(std::string_view text, std::string_view start) noexcept {
    return text.size() >= start.size() && equal_ignoring_case(text.substr(0, start.size()), start);
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) noexcept {
    return std::any_of(names.begin(), names.end(), [&](auto n) { return equal_ignoring_case(n, name); });
}

// Tables that Stele or SQLite keep for themselves, or that show what depends on the file and not on the events.
bool is_foreign_table(std::string_view name) noexcept {
    return starts_with_ignoring_case(name, "stele_") || starts_with_ignoring_case(name, "sqlite_") ||
           starts_with_ignoring_case(name, "pragma_") || is_one_of(name, {"dbstat", "bytecode", "tables_used"});
}

std::string what_action(int action, std::string_view table) {
    // To make or drop a table is, before all else, to write to the table of tables.
    if (is_one_of(table, {"sqlite_master", "sqlite_temp_master"})) return "CREATE, ALTER or DROP";
    static constexpr std::pair<int, const char*> words[] = {
        {SQLITE_ATTACH, "ATTACH"},
        {SQLITE_DETACH, "DETACH"},
        {SQLITE_PRAGMA, "PRAGMA"},
        {SQLITE_TRANSACTION, "BEGIN, COMMIT or ROLLBACK"},
        {SQLITE_SAVEPOINT, "a savepoint"},
        {SQLITE_ANALYZE, "ANALYZE"},
        {SQLITE_REINDEX, "REINDEX"},
        {SQLITE_INSERT, "INSERT"},
        {SQLITE_UPDATE, "UPDATE"},
        {SQLITE_DELETE, "DELETE"},
        {SQLITE_CREATE_TEMP_INDEX, "CREATE TEMP"},
        {SQLITE_CREATE_TEMP_TABLE, "CREATE TEMP"},
        {SQLITE_CREATE_TEMP_TRIGGER, "CREATE TEMP"},
        {SQLITE_CREATE_TEMP_VIEW, "CREATE TEMP"},
    };
    for (const auto& [code, word] : words) {
        if (code == action) return word;
    }
    return "CREATE, ALTER or DROP";
}

// What SQLite asks when it meets a table such as json_each() for the first time. Writing there for real is refused
// by SQLite itself, and SQLITE_DBCONFIG_DEFENSIVE leaves no way around it.
bool is_declaring_virtual_table(int action, std::string_view first, std::string_view second) noexcept {
    if (!equal_ignoring_case(first, "sqlite_master")) return false;
    return action == SQLITE_UPDATE || (action == SQLITE_READ && equal_ignoring_case(second, "ROWID"));
}

// What FTS5 asks the first time that a connection looks into one of its tables. It tells nothing but whether
// another connection has written meanwhile.
bool is_opening_search_table(int action, std::string_view first, std::string_view argument) noexcept {
    return action == SQLITE_PRAGMA && equal_ignoring_case(first, "data_version") && argument.empty();
}

// Each policy looks at one action of SQLite's authorizer and says why not, or nothing.

std::optional<Refusal> judge_call(std::string_view function) {
    if (is_never_deterministic(function)) return refuse_function(function);
    return std::nullopt;
}

std::optional<Refusal> judge_expression(int action, std::string_view first, std::string_view second) {
    if (action == SQLITE_SELECT || action == SQLITE_RECURSIVE) return std::nullopt;
    if (action == SQLITE_FUNCTION) return judge_call(second);
    // A column of a table; with an empty column it may be the name of a common table expression.
    if (action == SQLITE_READ && !is_foreign_table(first) &&
        (second.empty() || is_one_of(first, {"json_each", "json_tree"}))) {
        return std::nullopt;
    }
    return Refusal{"an expression over the placeholders",
                   action == SQLITE_READ ? "the table " + std::string{first} : what_action(action, first), ""};
}

std::optional<Refusal> judge_handler(int action, std::string_view first, std::string_view second) {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_RECURSIVE:
            return std::nullopt;
        case SQLITE_FUNCTION:
            return judge_call(second);
        case SQLITE_READ:
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:
            if (!is_foreign_table(first)) return std::nullopt;
            if (action != SQLITE_READ && equal_ignoring_case(first, "sqlite_master")) break;
            return Refusal{"the read model's own tables", "the table " + std::string{first}, ""};
        default:
            break;
    }
    return Refusal{"SELECT, INSERT, UPDATE or DELETE", what_action(action, first), ""};
}

std::optional<Refusal> judge_definition(int action, std::string_view first, std::string_view second) {
    switch (action) {
        case SQLITE_CREATE_VTABLE:
            if (is_one_of(second, {"fts3", "fts4", "fts5", "rtree", "rtree_i32", "geopoly"})) break;
            return Refusal{"a virtual table of FTS3, FTS4, FTS5, rtree or geopoly", std::string{second}, ""};
        case SQLITE_CREATE_INDEX:
        case SQLITE_CREATE_TABLE:
        case SQLITE_CREATE_TRIGGER:
        case SQLITE_CREATE_VIEW:
        case SQLITE_DROP_INDEX:
        case SQLITE_DROP_TABLE:
        case SQLITE_DROP_TRIGGER:
        case SQLITE_DROP_VIEW:
        case SQLITE_DROP_VTABLE:
            break;
        case SQLITE_ALTER_TABLE:
        case SQLITE_REINDEX:
            return std::nullopt;  // the latter is a step of CREATE INDEX
        case SQLITE_READ:
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:
            if (starts_with_ignoring_case(first, "sqlite_")) return std::nullopt;  // a step of CREATE or DROP
            return judge_handler(action, first, second);
        case SQLITE_SELECT:
        case SQLITE_RECURSIVE:
        case SQLITE_FUNCTION:
            return judge_handler(action, first, second);
        default:
            return Refusal{"tables, indexes, views and triggers, and statements that fill them",
                           what_action(action, first), ""};
    }
    if (!starts_with_ignoring_case(first, "stele_")) return std::nullopt;
    return Refusal{"another name: those that start with stele_ are taken", std::string{first}, ""};
}

std::optional<Refusal> judge_query(int action, std::string_view first, std::string_view second) {
    if (action == SQLITE_SELECT || action == SQLITE_RECURSIVE || action == SQLITE_READ) return std::nullopt;
    if (action == SQLITE_FUNCTION) {
        if (!equal_ignoring_case(second, "load_extension")) return std::nullopt;
        return Refusal{"a function that loads no code", "load_extension()", "load_extension"};
    }
    return Refusal{"a query that only reads", what_action(action, first), ""};
}

// VACUUM is not shown to the authorizer, and VACUUM INTO writes a file.
void refuse_vacuum(const SqlText& text, std::string_view sql, std::size_t offset) {
    const auto first = first_word(sql);
    const auto tokens = tokenize(sql.substr(first));
    if (tokens.empty() || !tokens[0].is("VACUUM")) return;
    throw DefinitionError{text.file, text.line_at(offset + first), "a statement about rows and tables", "VACUUM"};
}

// What ends the transaction that a statement runs in. The authorizer is not shown how a conflict is resolved. All
// of these words may be names as well: only where they stand together do they mean this.
void refuse_rollback(const SqlText& text, std::string_view sql, std::size_t offset) {
    auto tokens = tokenize(sql);
    std::erase_if(tokens, [](const Token& t) { return t.kind == Token::Kind::blank; });
    const auto stands_at = [&](std::size_t i, std::initializer_list<std::string_view> words) {
        return i + words.size() <= tokens.size() &&
               std::equal(words.begin(), words.end(), tokens.begin() + static_cast<std::ptrdiff_t>(i),
                          [](auto word, const Token& token) { return token.is(word); });
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        std::string found;
        if (stands_at(i, {"INSERT", "OR", "ROLLBACK"})) found = "INSERT OR ROLLBACK";
        if (stands_at(i, {"UPDATE", "OR", "ROLLBACK"})) found = "UPDATE OR ROLLBACK";
        if (stands_at(i, {"ON", "CONFLICT", "ROLLBACK"})) found = "ON CONFLICT ROLLBACK";
        if (stands_at(i, {"RAISE", "(", "ROLLBACK", ","})) found = "RAISE(ROLLBACK, …)";
        if (found.empty()) continue;
        throw DefinitionError{text.file, text.line_at(offset + tokens[i].offset),
                              "ABORT or FAIL in place of ROLLBACK, as the transaction holds other events too",
                              found};
    }
}

std::string unquoted(std::string_view literal) { return std::string{literal.substr(1, literal.size() - 2)}; }

// What the authorizer is not asked about: functions in DEFAULT clauses, and the arguments of date functions. It
// goes by the text, so that the message can point at the line; what hides from it fails when it runs.
void scan_calls(const SqlText& text, std::string_view sql, std::size_t offset) {
    auto tokens = tokenize(sql);
    std::erase_if(tokens, [](const Token& t) { return t.kind == Token::Kind::blank; });
    const auto symbol_at = [&](std::size_t i, std::string_view s) { return i < tokens.size() && tokens[i].is(s); };
    if (tokens.size() > 1 && tokens[0].is("CREATE") && tokens[1].is("VIEW"))
        return;  // its readers may ask the clock

    const auto refuse = [&](const Token& token, std::string expected, std::string found) {
        throw DefinitionError{text.file, text.line_at(offset + token.offset), std::move(expected),
                              std::move(found)};
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto& token = tokens[i];
        if (token.kind != Token::Kind::name) continue;
        if (starts_with_ignoring_case(token.text, "current_") && is_never_deterministic(token.text)) {
            refuse(token, "the event's time, such as $occurred_at", std::string{token.text});
        }
        if (!symbol_at(i + 1, "(")) continue;
        if (is_never_deterministic(token.text)) refuse(token, same_rows, std::string{token.text} + "()");
        if (!is_date_function(token.text)) continue;

        constexpr auto expected = "a time from the event, such as $occurred_at";
        if (symbol_at(i + 2, ")")) refuse(token, expected, std::string{token.text} + "(), which asks the clock");
        for (std::size_t j = i + 2, depth = 1; j < tokens.size() && depth > 0; ++j) {
            if (tokens[j].is("(")) ++depth;
            if (tokens[j].is(")")) --depth;
            if (tokens[j].kind != Token::Kind::string || depth != 1) continue;
            if (!names_clock_or_zone(unquoted(tokens[j].text))) continue;
            refuse(tokens[j], expected,
                   std::string{token.text} + "() with " + std::string{tokens[j].text} +
                       ", which depends on the machine");
        }
    }
}

}  // namespace

struct Compiler::State {
    sqlite3* db;
    bool deterministic;
    std::optional<Allow> compiling;  // what our own prepare below may do; empty while others prepare
    std::optional<Refusal> refusal;  // why the authorizer said no

    static int authorize(void* self, int action, const char* first, const char* second, const char*, const char*) {
        auto& state = *static_cast<State*>(self);
        if (!state.compiling) return SQLITE_OK;
        const std::string_view a = first == nullptr ? "" : first;
        const std::string_view b = second == nullptr ? "" : second;
        if (is_declaring_virtual_table(action, a, b) || is_opening_search_table(action, a, b)) return SQLITE_OK;
        std::optional<Refusal> refusal;
        switch (*state.compiling) {
            case Allow::expression:
                refusal = judge_expression(action, a, b);
                break;
            case Allow::handler:
                refusal = judge_handler(action, a, b);
                break;
            case Allow::definition:
                refusal = judge_definition(action, a, b);
                break;
            case Allow::query:
                refusal = judge_query(action, a, b);
                break;
        }
        if (!refusal) return SQLITE_OK;
        if (!state.refusal) state.refusal = std::move(refusal);
        return SQLITE_DENY;
    }

    [[noreturn]] void fail(const SqlText& text, std::size_t start) const {
        const std::string_view sql = std::string_view{text.text}.substr(start);
        const auto line_of = [&](std::size_t offset) { return text.line_at(start + offset); };
        if (refusal) {
            auto at = first_word(sql);
            for (const auto& token : tokenize(sql)) {
                if (refusal->function.empty() || !token.is(refusal->function)) continue;
                at = token.offset;
                break;
            }
            throw DefinitionError{text.file, line_of(at), refusal->expected, refusal->found};
        }
        const auto offset = sqlite3_error_offset(db);
        const std::string reason = sqlite3_errmsg(db);
        const bool broken_path = reason.find("unrecognized token: \"$") != std::string::npos;
        throw DefinitionError{text.file, line_of(offset < 0 ? first_word(sql) : static_cast<std::size_t>(offset)),
                              "SQL that SQLite can compile", reason,
                              broken_path ? "a placeholder ends at a blank and at ')': inside a path write them as "
                                            "\\u0020 and \\u0029, in a name in double quotes"
                                          : ""};
    }

    /// The statement that starts at `at`, which moves behind it; empty where only blanks are left.
    Statement next(const SqlText& text, std::size_t& at, Allow allow) {
        while (at < text.text.size()) {
            const auto start = at;
            const char* sql = text.text.c_str() + start;
            const char* tail = nullptr;
            sqlite3_stmt* prepared = nullptr;

            refusal.reset();
            compiling = allow;
            // One byte more than the text: the zero at its end saves SQLite a copy.
            const auto rc = sqlite3_prepare_v3(db, sql, static_cast<int>(text.text.size() - start + 1),
                                               SQLITE_PREPARE_PERSISTENT, &prepared, &tail);
            compiling.reset();
            if (rc != SQLITE_OK) fail(text, start);

            const std::string_view piece{sql, static_cast<std::size_t>(tail - sql)};
            at += piece.size();
            Statement statement{prepared, text.file, text.line_at(start + first_word(piece))};
            if (prepared == nullptr && piece.empty()) {
                throw DefinitionError{text.file, text.line_at(start), "SQL", "a byte of value zero"};
            }
            if (prepared == nullptr) continue;  // blanks, comments, a lone semicolon
            refuse_vacuum(text, piece, start);
            if (allow != Allow::query) refuse_rollback(text, piece, start);
            if (deterministic) scan_calls(text, piece, start);
            return statement;
        }
        return {};
    }
};

Compiler::Compiler(sqlite3* db, Kind kind) : state_(new State{db, kind == Kind::deterministic, {}, {}}) {
    for (const auto& [option, value] :
         {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1}, {SQLITE_DBCONFIG_DQS_DDL, 0}, {SQLITE_DBCONFIG_DQS_DML, 0}}) {
        if (sqlite3_db_config(db, option, value, nullptr) != SQLITE_OK) throw SqlError{db, "configuring SQLite"};
    }
    if (state_->deterministic) install_deterministic_functions(db);
    sqlite3_set_authorizer(db, State::authorize, state_.get());
}

Compiler::~Compiler() { sqlite3_set_authorizer(state_->db, nullptr, nullptr); }

std::vector<Statement> Compiler::statements(const SqlText& text, Allow allow) {
    std::vector<Statement> statements;
    std::size_t at = 0;
    while (auto statement = state_->next(text, at, allow)) statements.push_back(std::move(statement));
    return statements;
}

Statement Compiler::statement(const SqlText& text, Allow allow) {
    auto all = statements(text, allow);
    if (all.size() == 1) return std::move(all.front());
    const auto line = all.empty() ? text.line : all[1].line();
    throw DefinitionError{text.file, line, "one statement", all.empty() ? "none" : "a second one"};
}

Statement Compiler::expression(const SqlText& text) {
    std::string_view body = text.text;
    std::optional<Token> last;
    for (const auto& token : tokenize(body)) {
        if (token.kind != Token::Kind::blank) last = token;
    }
    if (last && last->is(";")) body = body.substr(0, last->offset);
    if (first_word(body) == body.size()) throw DefinitionError{text.file, text.line, "an expression", "none"};

    // No line feed before the text, so lines stay what they are; one behind it, for the sake of a last comment.
    const auto last_line = text.line_at(body.size());
    auto statement = [&] {
        try {
            return this->statement({"SELECT (" + std::string{body} + "\n)", text.file, text.line},
                                   Allow::expression);
        } catch (const DefinitionError& error) {
            if (error.line() <= last_line) throw;
            // Our own bracket is what SQLite did not expect.
            throw DefinitionError{error.file(), last_line, error.expected(), "the end of the expression"};
        }
    }();
    if (statement.columns() != 1) {
        throw DefinitionError{text.file, statement.line(), "one expression",
                              std::to_string(statement.columns()) + " of them"};
    }
    return statement;
}

void Compiler::run(const SqlText& text, Allow allow) {
    std::size_t at = 0;
    while (auto statement = state_->next(text, at, allow)) {
        try {
            statement.run();
        } catch (const SqlError& error) {
            throw DefinitionError{text.file, statement.line(), "a statement that can be run", error.reason()};
        }
    }
}

}  // namespace stele::sql
