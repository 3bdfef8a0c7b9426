#include <stele/projections/model.hpp>

#include <sqlite3.h>

#include <functional>
#include <unordered_map>

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
    std::string place;  // what messages call the SQL of this projection
    sql::Compiler compiler;
    bool sealed = false;
    std::unordered_map<std::string, std::shared_ptr<sql::Statement>, TextHash, std::equal_to<>> statements;

    State(sqlite3* db, const std::string& name)
        : place("SQL of projection \"" + name + "\""), compiler(db, sql::Compiler::Kind::deterministic) {}

    [[nodiscard]] sql::Allow allowed() const { return sealed ? sql::Allow::handler : sql::Allow::definition; }

    std::shared_ptr<sql::Statement> compile(std::string_view sql) {
        return std::make_shared<sql::Statement>(compiler.statement({std::string{sql}, place, 1}, allowed()));
    }

    std::shared_ptr<sql::Statement> prepared(std::string_view sql, std::size_t arguments) {
        auto known = statements.find(sql);
        if (known == statements.end()) known = statements.emplace(sql, compile(sql)).first;
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

Model::Model(sqlite3* db, std::string name) : state_(std::make_unique<State>(db, name)) {}
Model::~Model() = default;

sql::Compiler& Model::compiler() noexcept { return state_->compiler; }

void Model::seal() noexcept {
    state_->sealed = true;
    state_->statements.clear();
}

void Model::run(std::string_view sql, std::span<const detail::Argument> arguments) {
    if (!state_->sealed && arguments.empty()) {
        return state_->compiler.run({std::string{sql}, state_->place, 1}, sql::Allow::definition);
    }
    const auto statement = state_->prepared(sql, arguments.size());
    int parameter = 0;
    for (const auto& argument : arguments) argument.bind(*statement, ++parameter);
    statement->run();
}

Rows Model::select(std::string_view sql, std::span<const detail::Argument> arguments) {
    auto statement = state_->prepared(sql, arguments.size());
    int parameter = 0;
    for (const auto& argument : arguments) argument.bind_copy(*statement, ++parameter);
    return Rows{std::move(statement)};
}

}  // namespace stele
