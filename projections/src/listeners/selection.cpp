#include "selection.hpp"

#include <sqlite3.h>

#include <sstream>

namespace stele {
namespace {

bool has_text(const sql::SqlText& text) { return text.text.find_first_not_of(" \t\r\n") != std::string::npos; }

// A tag keeps apart what prints alike: the number 1 and the text "1", NULL and "".
std::string tagged_value(const sql::Statement& statement) {
    switch (sqlite3_column_type(statement.get(), 0)) {
        case SQLITE_NULL:
            return "null";
        case SQLITE_TEXT:
            return std::string{statement.text(0)};
        case SQLITE_BLOB:
            return "blob:" + std::string{statement.text(0)};
        default:
            return "number:" + std::string{statement.text(0)};
    }
}

}  // namespace

Selection::Selection(const Listener::Head& head, const EventStore& store) : Selection(head) {
    query_ = store.today(head.query);
}

Selection::Selection(const Listener::Head& head) : head_(head), query_(head.query) {
    const auto& deduplication = head.deduplication;
    const bool by_expression = head.order.kind == OrderBy::Kind::expression;
    if (!has_text(head.where) && !by_expression && !deduplication) return;

    db_ = open_database(":memory:", Access::create, {});
    compiler_ = std::make_unique<sql::Compiler>(db_.get(), sql::Compiler::Kind::deterministic);
    if (has_text(head.where)) where_ = compile(head.where);
    if (by_expression) order_ = compile(head.order.expression);
    if (deduplication) deduplication_ = compile(deduplication->by);
}

Selection::~Selection() {
    where_.reset();
    order_.reset();
    deduplication_.reset();
}

Selection::Expression Selection::compile(const sql::SqlText& text) {
    Expression expression;
    expression.statement = compiler_->expression(text);
    expression.plan = binder_.plan(expression.statement);
    return expression;
}

void Selection::take(const Event& event) {
    event_ = &event;
    binder_.take(event);
}

// Runs the expression, leaves it at its row, and hands the statement to `look`.
template <class Look>
auto Selection::run(Expression& expression, const char* what, const Look& look) {
    struct Reset {
        sql::Statement& statement;
        ~Reset() { statement.reset(); }
    } const reset{expression.statement};
    try {
        binder_.bind(expression.plan, expression.statement);
        (void)expression.statement.step();
        return look(expression.statement);
    } catch (const sql::SqlError& error) {
        if (error.is_of_the_machine()) throw;
        throw InvalidInput{std::string{what} + " of listener \"" + head_.name + "\" at position " +
                               std::to_string(event_->position.value()),
                           "SQL that has a value for this event", error.reason()};
    }
}

bool Selection::selects() {
    if (!query_.matches(*event_)) return false;
    if (!where_) return true;
    return run(*where_, "where",
               [](const sql::Statement& statement) { return !statement.is_null(0) && statement.real(0) != 0; });
}

std::string Selection::why_not() {
    if (!query_.matches(*event_)) {
        std::ostringstream text;
        text << "its query asks for " << head_.query;
        return text.str();
    }
    if (!selects()) return "its where does not hold: " + head_.where.text;
    return {};
}

std::string Selection::order_key() {
    switch (head_.order.kind) {
        case OrderBy::Kind::stream:
            return event_->stream.name();
        case OrderBy::Kind::expression:
            return run(*order_, "order", tagged_value);
        case OrderBy::Kind::none:
            return std::to_string(event_->position.value());
        case OrderBy::Kind::global:
            break;
    }
    return {};
}

std::optional<std::string> Selection::deduplication_value() {
    if (!deduplication_) return std::nullopt;
    return run(*deduplication_, "deduplicate", [](const sql::Statement& statement) {
        return statement.is_null(0) ? std::nullopt : std::optional{tagged_value(statement)};
    });
}

bool is_effect_of(const std::string& listener, const Event& event) {
    // Most events say nothing of a listener, and need not be parsed.
    if (event.metadata.text().find("\"listener\"") == std::string::npos) return false;
    const auto metadata = event.metadata.value();
    const auto by = metadata.find("listener");
    return by != metadata.end() && by->is_string() && by->get_ref<const std::string&>() == listener;
}

}  // namespace stele
