#include <stele/projections/listeners/listener_status.hpp>

#include "../leases.hpp"
#include "../same_log.hpp"
#include "listener_rows.hpp"

#include <algorithm>
#include <set>

namespace stele {
namespace {

struct Parked {
    std::int64_t events = 0;
    std::int64_t keys = 0;
    std::int64_t held = 0;  // keys
    std::optional<Timestamp> next_retry;
};

// One pass over the listener's part of the primary key, in its order: a million parked events are counted without
// being sorted.
Parked parked_by(sqlite3* db, const std::string& listener) {
    Parked parked;
    sql::Statement sums{
        db,
        "SELECT coalesce(sum(events), 0), count(*), coalesce(sum(held), 0) FROM (SELECT count(*) AS "
        "events, max(held) AS held FROM parked WHERE listener = ?1 GROUP BY key)"};
    sums.bind(1, listener);
    if (sums.step()) {
        parked.events = sums.integer(0);
        parked.keys = sums.integer(1);
        parked.held = sums.integer(2);
    }
    sql::Statement next{db, "SELECT min(due) FROM parked WHERE listener = ?1 AND due IS NOT NULL"};
    next.bind(1, listener);
    if (next.step() && !next.is_null(0)) parked.next_retry = from_micros(next.integer(0));
    return parked;
}

std::int64_t dead_of(sqlite3* db, const std::string& listener) {
    sql::Statement row{db, "SELECT count(*) FROM dead_letters WHERE listener = ?1"};
    row.bind(1, listener);
    return row.step() ? row.integer(0) : 0;
}

// What control.db says; who owns it is looked up behind that.
struct Recorded {
    std::optional<ListenerRow> row;
    Parked parked;
    std::int64_t dead = 0;
};

class Look {
public:
    explicit Look(const EventStore& store, const std::string& sqlite_vfs)
        : control_(ControlDb::open_existing(folder_of(store), sqlite_vfs)) {}

    [[nodiscard]] std::vector<std::string> names() const {
        if (!control_) return {};
        return control_->read([](sqlite3* db) { return listeners_in(db); });
    }

    [[nodiscard]] Recorded of(const std::string& name) const {
        if (!control_) return {};
        return control_->read([&](sqlite3* db) {
            const ControlSnapshot snapshot{db};
            return Recorded{listener_row(db, name), parked_by(db, name), dead_of(db, name)};
        });
    }

    [[nodiscard]] std::string owner_of(const std::string& name) const {
        if (!control_) return {};
        const auto holder = Leases::holder(*control_, "listener/" + name);
        const bool is_alive = holder && Member::is_alive(control_->folder(), holder->owner);
        return is_alive ? holder->label : std::string{};
    }

private:
    std::unique_ptr<ControlDb> control_;
};

void add_row(ListenerStatus& status, const ListenerRow& row) {
    status.state = row.state;
    status.since = row.since;
    status.position = row.position;
    status.read_to = row.read_to;
    status.under_way = static_cast<std::int64_t>(row.under_way.size());
    status.stored_at = row.stored_at;
    status.counts = row.counts;
    status.breaker = row.breaker;
    status.queue = row.queue;
    status.error = row.error;
    if (row.failed_position.value() > 0) status.failed_position = row.failed_position;
}

void add_definition(ListenerStatus& status, const Listener& listener) {
    const auto& head = listener.head();
    status.sink = head.sink;
    status.queue = head.queue;
    status.mode = head.mode == ListenerMode::sync ? "sync" : "queued";
}

void add_lag(ListenerStatus& status, const EventStore& store) {
    status.lag_events = std::max<std::int64_t>(0, status.head.value() - status.position.value());
    if (status.lag_events == 0) return;
    const auto first = stored_at(store, status.position.next());
    if (!first) return;
    const std::chrono::duration<double> lag = now() - first->recorded_at;
    status.lag_seconds = std::max(0.0, lag.count());
}

std::string advice_for(const ListenerStatus& status) {
    const auto letters = "`stele dead-letter list --listener " + status.name + "`";
    if (status.state == "failed")
        return "when what was in the way is gone, `stele listener resume " + status.name + "`";
    if (status.state == "paused") return "`stele listener resume " + status.name + "` lets it go on";
    if (status.state == "retired") {
        return status.parked + status.dead > 0 ? "nobody delivers what it has left: define it again, or " + letters
                                               : "";
    }
    const bool waits = status.lag_events > 0 || status.next_retry;
    if (waits && status.owner.empty() && status.mode == "queued") return "nobody delivers: `stele run` does";
    if (status.held_keys > 0) return "keys wait for you to retry or discard what is dead: " + letters;
    if (status.dead > 0) return letters + " says what was not delivered";
    return "";
}

ListenerStatus status_of(const EventStore& store, const std::string& name, const Listener* definition,
                         const Look& look) {
    ListenerStatus status;
    status.name = name;
    auto [row, parked, dead] = look.of(name);
    if (row && definition != nullptr) add_tracked(*row, *definition, store);
    // Behind what was read of the position, so that the head is never the older of the two.
    status.head = store.head();
    if (row) {
        status.sink = row->sink;
        add_row(status, *row);
    } else if (definition != nullptr) {
        status.state = definition->head().mode == ListenerMode::sync ? "live" : "new";
        status.position = status.read_to = std::min(start_of(*definition, store), status.head);
    }
    if (definition == nullptr) {
        status.state = "retired";
        status.sink.clear();
    } else {
        add_definition(status, *definition);
    }
    if (status.mode == "sync") status.position = status.read_to = status.head;
    status.parked = parked.events;
    status.parked_keys = parked.keys;
    status.held_keys = parked.held;
    status.next_retry = parked.next_retry;
    status.dead = dead;
    status.owner = look.owner_of(name);
    add_lag(status, store);
    status.advice = advice_for(status);
    return status;
}

}  // namespace

std::vector<ListenerStatus> listener_status(const EventStore& store, const ListenerRegistry& registry) {
    const Look look{store, {}};
    const auto kept = look.names();
    std::set<std::string> names{kept.begin(), kept.end()};
    for (const auto& listener : registry.all()) names.insert(listener->name());

    std::vector<ListenerStatus> all;
    all.reserve(names.size());
    for (const auto& name : names) all.push_back(status_of(store, name, registry.find(name).get(), look));
    return all;
}

ListenerStatus listener_status(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                               const std::string& sqlite_vfs) {
    const Look look{store, sqlite_vfs};
    const auto definition = registry.find(name);
    if (!definition) {
        const auto kept = look.names();
        if (std::find(kept.begin(), kept.end(), name) == kept.end())
            (void)registry.of(name);  // throws, and says what comes nearest
    }
    return status_of(store, std::string{name}, definition.get(), look);
}

}  // namespace stele
