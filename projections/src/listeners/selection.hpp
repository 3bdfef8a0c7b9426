// Selection: which events a listener takes, in what order key, and with what value of deduplication: its query and
// the SQL of its head, ready to run.
#pragma once

#include "../database.hpp"

#include <stele/projections/listeners/listener.hpp>
#include <stele/schema/sql/compiler.hpp>
#include <stele/schema/sql/event_binder.hpp>
#include <stele/store/event_store.hpp>

#include <optional>
#include <string>

namespace stele {

/// Use it from one thread at a time. The listener stays longer.
class Selection {
public:
    /// For events as `store` reads them. Throws sql::DefinitionError where SQL of the head cannot be compiled.
    Selection(const Listener::Head& head, const EventStore& store);
    /// The same, for events of no store.
    explicit Selection(const Listener::Head& head);
    ~Selection();
    Selection(const Selection&) = delete;
    Selection& operator=(const Selection&) = delete;

    /// Looks at an event; what follows is about it until the next take(). It stays as long.
    void take(const Event& event);

    /// Whether the listener selects it. Throws InvalidInput where the SQL fails for this event.
    [[nodiscard]] bool selects();
    /// Why not: which part does not hold, as a sentence. Empty where it is selected.
    [[nodiscard]] std::string why_not();
    /// The key that it is ordered by.
    [[nodiscard]] std::string order_key();
    /// Empty where there is no deduplication, or the value is NULL.
    [[nodiscard]] std::optional<std::string> deduplication_value();

private:
    struct Expression {
        sql::Statement statement;
        sql::EventBinder::Plan plan;
    };
    [[nodiscard]] Expression compile(const sql::SqlText& text);
    template <class Look>
    auto run(Expression& expression, const char* what, const Look& look);

    const Listener::Head& head_;
    Query query_;  ///< the head's, by the names of today
    Database db_;
    std::unique_ptr<sql::Compiler> compiler_;
    sql::EventBinder binder_;
    std::optional<Expression> where_;
    std::optional<Expression> order_;
    std::optional<Expression> deduplication_;
    const Event* event_ = nullptr;
};

/// Whether an appending listener has appended the event itself: the engine says so in the event's metadata.
[[nodiscard]] bool is_effect_of(const std::string& listener, const Event& event);

}  // namespace stele
