#include <stele/projections/model.hpp>
#include <stele/projections/projection_error.hpp>

#include <sqlite3.h>

#include <functional>
#include <unordered_map>
#include <utility>

namespace stele {
namespace {

// Lets a map of strings be searched by a string_view.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

}  // namespace

void detail::Argument::bind(sql::Statement& statement, int parameter) const {
    std::visit([&](const auto& value) { statement.bind(parameter, value); }, value_);
}

void detail::Argument::bind_copy(sql::Statement& statement, int parameter) const {
    if (const auto* view = std::get_if<std::string_view>(&value_)) return statement.bind_copy(parameter, *view);
    if (const auto* text = std::get_if<std::string>(&value_)) return statement.bind_copy(parameter, *text);
    bind(statement, parameter);
}

struct Model::State {
    static constexpr std::size_t most_statements = 100;

    sqlite3* db;
    std::string place;  // what messages call the SQL of this projection
    std::string projection;
    sql::Compiler compiler;
    bool sealed = false;
    std::unordered_map<std::string, std::shared_ptr<sql::Statement>, TextHash, std::equal_to<>> statements;
    std::optional<sql::SqlError> rolled_back;  // by what the transaction was lost that should be there

    State(sqlite3* connection, std::string name)
        : db(connection),
          place("SQL of projection \"" + name + "\""),
          projection(std::move(name)),
          compiler(db, sql::Compiler::Kind::deterministic) {}

    [[nodiscard]] sql::Allow allowed() const { return sealed ? sql::Allow::handler : sql::Allow::definition; }

    std::shared_ptr<sql::Statement> compile(std::string_view sql) {
        return std::make_shared<sql::Statement>(compiler.statement({std::string{sql}, place, 1}, allowed()));
    }

    [[nodiscard]] bool lacks_transaction() const { return sealed && sqlite3_get_autocommit(db) != 0; }

    void require_transaction() const {
        if (!lacks_transaction()) return;
        if (rolled_back) throw *rolled_back;
        throw ProjectionError{"projection_file", projection,
                              "expected the transaction that its events are folded in, found it rolled back while "
                              "rows were read; nothing of it was written"};
    }

    std::shared_ptr<sql::Statement> prepared(std::string_view sql, std::size_t arguments) {
        auto known = statements.find(sql);
        if (known == statements.end()) {
            // Of handlers that write their values into the SQL, each statement is another one.
            if (statements.size() >= most_statements) statements.clear();
            known = statements.emplace(sql, compile(sql)).first;
        }
        // Somebody is still reading rows of it: a second one for the time being.
        auto statement = sqlite3_stmt_busy(known->second->get()) != 0 ? compile(sql) : known->second;
        if (static_cast<std::size_t>(statement->parameters()) != arguments) {
            throw sql::DefinitionError{place, statement->line(),
                                       std::to_string(statement->parameters()) + " arguments",
                                       std::to_string(arguments), std::string{sql}};
        }
        return statement;
    }
};

Model::Model(sqlite3* db, std::string name) : state_(std::make_unique<State>(db, std::move(name))) {}
Model::~Model() = default;

sql::Compiler& Model::compiler() noexcept { return state_->compiler; }

void Model::seal() noexcept {
    state_->sealed = true;
    state_->statements.clear();
}

std::optional<sql::SqlError> Model::what_rolled_back() noexcept { return std::exchange(state_->rolled_back, {}); }

void Model::run(std::string_view sql, std::span<const detail::Argument> arguments) {
    if (!state_->sealed && arguments.empty()) {
        return state_->compiler.run({std::string{sql}, state_->place, 1}, sql::Allow::definition);
    }
    state_->require_transaction();
    const auto statement = state_->prepared(sql, arguments.size());
    int parameter = 0;
    for (const auto& argument : arguments) argument.bind(*statement, ++parameter);
    try {
        statement->run();
    } catch (const sql::SqlError& error) {
        if (state_->lacks_transaction()) state_->rolled_back = error;
        throw;
    }
}

Rows Model::select(std::string_view sql, std::span<const detail::Argument> arguments) {
    state_->require_transaction();
    auto statement = state_->prepared(sql, arguments.size());
    int parameter = 0;
    for (const auto& argument : arguments) argument.bind_copy(*statement, ++parameter);
    return Rows{std::move(statement)};
}

}  // namespace stele
