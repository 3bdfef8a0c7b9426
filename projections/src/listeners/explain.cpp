// What listeners make of an event: explain_event(), explain_events().
#include "delivery_key.hpp"
#include "listener_rows.hpp"
#include "selection.hpp"

#include <stele/projections/listeners/steering.hpp>

#include <algorithm>

namespace stele {
namespace {

namespace fs = std::filesystem;

// Asking makes no secret where there is none: then nothing was delivered yet.
std::unique_ptr<DeliveryKeys> existing_keys(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "delivery.key", ignored) ? std::make_unique<DeliveryKeys>(folder) : nullptr;
}

// One listener, ready to be asked about any number of events.
class Explainer {
public:
    Explainer(const EventStore& store, const Listener& listener, ControlDb* control, const DeliveryKeys* keys)
        : listener_(listener), control_(control), keys_(keys), selection_(listener.head(), store) {
        if (control_ != nullptr)
            row_ = control_->read([&](sqlite3* db) { return listener_row(db, listener_.name()); });
        if (row_) {
            add_tracked(*row_, listener_, store);
        } else {
            start_ = start_of(listener_, store);
        }
    }

    [[nodiscard]] Explanation of(const Event& event) {
        Explanation explanation;
        explanation.listener = listener_.name();
        select(event, explanation);
        if (control_ != nullptr) {
            control_->read([&](sqlite3* db) {
                const ControlSnapshot snapshot{db};
                add_failures(db, event.position, explanation);
            });
        }
        if (keys_ != nullptr && explanation.selected)
            explanation.delivery_key = keys_->of(listener_.name(), event.id);
        if (explanation.fate.empty()) add_place(event.position, explanation);
        return explanation;
    }

private:
    void select(const Event& event, Explanation& explanation) {
        selection_.take(event);
        try {
            explanation.reason = selection_.why_not();
            if (explanation.reason.empty() && listener_.head().appends && is_effect_of(listener_.name(), event))
                explanation.reason = "the listener has appended it itself";
            explanation.selected = explanation.reason.empty();
            if (explanation.selected) explanation.order_key = selection_.order_key();
        } catch (const InvalidInput& error) {
            // It is taken up, and fails as a delivery.
            explanation.selected = true;
            explanation.reason = error.what();
        }
    }

    // What is kept of an event that is parked or dead; also of one that an earlier definition has selected.
    void add_failures(sqlite3* db, Position position, Explanation& explanation) const {
        sql::Statement parked{
            db,
            "SELECT key, due, (SELECT min(q.position) FROM parked AS q WHERE q.listener = p.listener "
            "AND q.key = p.key) FROM parked AS p WHERE listener = ?1 AND position = ?2"};
        bind_place(parked, position);
        const bool is_parked = parked.step();
        if (is_parked) {
            explanation.fate = "parked";
            explanation.order_key = parked.text(0);
            const auto first = parked.integer(2);
            if (!parked.is_null(1)) {
                explanation.next_attempt = from_micros(parked.integer(1));
            } else if (first < position.value()) {
                explanation.reason = "it waits behind position " + std::to_string(first) + " of the same key";
            }
        }
        sql::Statement dead{db, "SELECT 1 FROM dead_letters WHERE listener = ?1 AND position = ?2"};
        bind_place(dead, position);
        if (dead.step()) explanation.fate = "dead";
        if (explanation.fate.empty()) return;
        sql::Statement last{
            db,
            "SELECT number, error FROM attempts WHERE listener = ?1 AND position = ?2 ORDER BY number "
            "DESC LIMIT 1"};
        bind_place(last, position);
        if (!last.step()) return;
        explanation.attempts = static_cast<int>(last.integer(0));
        explanation.error = last.text(1);
    }

    // What follows from where the listener is, of an event that nothing is kept of.
    void add_place(Position position, Explanation& explanation) const {
        if (!explanation.selected) {
            explanation.fate = "not selected";
        } else if (listener_.head().mode == ListenerMode::sync) {
            explanation.fate = "not kept";
        } else if (position <= (row_ ? row_->start : start_)) {
            explanation.fate = "before start";
        } else if (!row_) {
            explanation.fate = "waiting";
            wait_for(explanation, "the listener was never run");
        } else if (position <= row_->read_to &&
                   !std::binary_search(row_->under_way.begin(), row_->under_way.end(), position)) {
            explanation.fate = "delivered";
        } else {
            explanation.fate = "waiting";
            if (row_->state == "paused") wait_for(explanation, "the listener is paused");
            if (row_->state == "failed") wait_for(explanation, "the listener has stopped: " + row_->error);
        }
    }

    // What is wrong with its SQL says more.
    static void wait_for(Explanation& explanation, std::string what) {
        if (explanation.reason.empty()) explanation.reason = std::move(what);
    }

    void bind_place(sql::Statement& statement, Position position) const {
        statement.bind(1, std::string_view{listener_.name()});
        statement.bind(2, position.value());
    }

    const Listener& listener_;
    ControlDb* control_;
    const DeliveryKeys* keys_;
    Selection selection_;
    std::optional<ListenerRow> row_;
    Position start_;
};

}  // namespace

std::vector<std::vector<Explanation>> explain_events(const EventStore& store, const ListenerRegistry& registry,
                                                     const std::vector<Event>& events,
                                                     const std::string& sqlite_vfs) {
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    const auto keys = existing_keys(folder_of(store));
    const auto listeners = registry.all();
    std::vector<std::unique_ptr<Explainer>> explainers;
    explainers.reserve(listeners.size());
    for (const auto& listener : listeners)
        explainers.push_back(std::make_unique<Explainer>(store, *listener, control.get(), keys.get()));

    std::vector<std::vector<Explanation>> all;
    all.reserve(events.size());
    for (const auto& event : events) {
        auto& explanations = all.emplace_back();
        for (const auto& explainer : explainers) explanations.push_back(explainer->of(event));
    }
    return all;
}

std::vector<Explanation> explain_event(const EventStore& store, const ListenerRegistry& registry,
                                       const Event& event, const std::string& sqlite_vfs) {
    return std::move(explain_events(store, registry, {event}, sqlite_vfs).front());
}

}  // namespace stele
