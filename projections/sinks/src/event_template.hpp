// Texts and values that are made from an event by SQL over it.
#pragma once

#include <stele/schema/event.hpp>
#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/event_binder.hpp>
#include <stele/schema/sql/text.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stele::sinks {

/// SQL expressions over the event, and templates that hold such. Use it from one thread at a time.
///
/// Add all of them first; take() an event; then ask for their values of it.
class EventTexts {
public:
    EventTexts();
    ~EventTexts();
    EventTexts(const EventTexts&) = delete;
    EventTexts& operator=(const EventTexts&) = delete;

    /// A text in which `{{ SQL }}` stands for a value. A brace pair that is meant is written `{{ '{{' }}`.
    /// Throws sql::DefinitionError with the line: SQL that cannot be compiled, `{{` without its `}}`.
    [[nodiscard]] std::size_t add_template(const sql::SqlText& text);
    /// One SQL expression. Throws as add_template() does.
    [[nodiscard]] std::size_t add_expression(const sql::SqlText& text);

    /// The event stays until the next one is taken.
    void take(const Event& event);

    /// The value for the event; of an expression that gives NULL none, while NULL in a template is nothing.
    /// Throws Permanent "template" where the SQL fails for this event.
    [[nodiscard]] std::optional<std::string> value(std::size_t which);
    /// Of a template.
    [[nodiscard]] std::string text(std::size_t which) { return value(which).value_or(""); }

private:
    struct Piece {
        std::string literal;  ///< in front of the expression
        sql::Statement statement{};
        sql::EventBinder::Plan plan{};
    };
    struct Entry {
        std::vector<Piece> pieces;
        bool is_template = true;
    };
    [[nodiscard]] Piece compile(std::string literal, const sql::SqlText& text);
    [[nodiscard]] std::optional<std::string> run(Piece& piece);

    struct Connection;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<sql::Compiler> compiler_;
    sql::EventBinder binder_;
    std::vector<Entry> entries_;
    const Event* event_ = nullptr;
};

}  // namespace stele::sinks
