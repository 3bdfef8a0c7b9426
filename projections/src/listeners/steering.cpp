#include <stele/projections/listeners/steering.hpp>

#include "../status_words.hpp"
#include "listener_counts.hpp"
#include "listener_rows.hpp"
#include "selection.hpp"

#include <algorithm>

namespace stele {
namespace {

// control.db, made where the listener may yet have to be written into it. Throws NotFound where there is nothing of
// the listener at all.
std::unique_ptr<ControlDb> control_for(const EventStore& store, const ListenerRegistry& registry,
                                       std::string_view name, const std::string& sqlite_vfs) {
    if (registry.find(name)) return std::make_unique<ControlDb>(folder_of(store), sqlite_vfs);
    auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    if (!control) (void)registry.of(name);  // throws, and says what comes nearest
    return control;
}

void expect_queued(const Listener& listener) {
    if (listener.head().mode == ListenerMode::queued) return;
    throw InvalidInput{"listener \"" + listener.name() + "\"", "a queued one, which has a place in the log",
                       "a sync one, which runs within append() as long as its runner does"};
}

// What was appended is in the log for good, once; there is nothing to be sent again.
void expect_outside_effect(const Listener& listener) {
    if (!listener.head().appends) return;
    throw InvalidInput{"listener \"" + listener.name() + "\"", "one whose effect is outside of the store",
                       "one that appends: each of its effects stands in the log, exactly once"};
}

// Makes the row of a listener that was never run, paused.
void insert_paused(sqlite3* db, const Listener& listener, Position start, std::int64_t time) {
    const auto counts = counts_json({});
    const auto breaker = breaker_json(std::nullopt);
    sql::Statement row{
        db,
        "INSERT INTO listeners (name, state, since, token, epoch, start, position, read_to, under_way, "
        "stored_at, beat, failed_position, error, counts, breaker, queue, sink) VALUES (?1, 'paused', "
        "?2, 0, 0, ?3, ?3, ?3, '[]', 0, 0, 0, '', ?4, ?5, ?6, ?7)"};
    row.bind(1, std::string_view{listener.name()});
    row.bind(2, time);
    row.bind(3, start.value());
    row.bind(4, std::string_view{counts});
    row.bind(5, std::string_view{breaker});
    row.bind(6, std::string_view{listener.head().queue});
    row.bind(7, std::string_view{listener.head().sink});
    row.run();
}

std::int64_t deleted_behind(sqlite3* db, const char* statement, std::string_view name, Position to) {
    sql::Statement rows{db, statement};
    rows.bind(1, name);
    rows.bind(2, to.value());
    std::int64_t deleted = 0;
    while (rows.step()) ++deleted;
    return deleted;
}

std::int64_t count_behind(sqlite3* db, const char* query, std::string_view name, Position to) {
    sql::Statement row{db, query};
    row.bind(1, name);
    row.bind(2, to.value());
    return row.step() ? row.integer(0) : 0;
}

InvalidInput beyond(std::string_view name, Position to, Position position) {
    return {"position to rewind listener \"" + std::string{name} + "\" to",
            "0 to " + grouped(position.value()) + ", where it is: going forward would skip events",
            grouped(to.value())};
}

// Where the listener is, once it is known that it may be rewound to there.
ListenerRow row_to_rewind(sqlite3* db, std::string_view name, Position to) {
    auto row = listener_row(db, name);
    if (!row)
        throw NotFound{"listener \"" + std::string{name} + "\" was never run on this store", {{"listener", name}}};
    if (to > row->position) throw beyond(name, to, row->position);
    return std::move(*row);
}

// Takes back all that control.db keeps of events behind `to`: they are events that the listener has not seen.
void take_back(sqlite3* db, std::string_view name, Rewound& rewound) {
    const auto to = rewound.to;
    rewound.parked =
        deleted_behind(db, "DELETE FROM parked WHERE listener = ?1 AND position > ?2 RETURNING 1", name, to);
    rewound.dead =
        deleted_behind(db, "DELETE FROM dead_letters WHERE listener = ?1 AND position > ?2 RETURNING 1", name, to);
    (void)deleted_behind(db, "DELETE FROM attempts WHERE listener = ?1 AND position > ?2", name, to);
    // Without this, an event would be taken for a repetition of itself.
    (void)deleted_behind(db, "DELETE FROM deduplicated WHERE listener = ?1 AND position > ?2", name, to);
    sql::Statement move{
        db,
        "UPDATE listeners SET epoch = epoch + 1, start = min(start, ?2), position = ?2, read_to = ?2, "
        "under_way = '[]' WHERE name = ?1"};
    move.bind(1, name);
    move.bind(2, to.value());
    move.run();
}

void count_what_would_go(sqlite3* db, std::string_view name, Rewound& rewound) {
    const auto to = rewound.to;
    rewound.parked =
        count_behind(db, "SELECT count(*) FROM parked WHERE listener = ?1 AND position > ?2", name, to);
    rewound.dead =
        count_behind(db, "SELECT count(*) FROM dead_letters WHERE listener = ?1 AND position > ?2", name, to);
}

// Which events are sent again: those that were read, and are selected.
void count_events(const EventStore& store, const Listener& listener, Position read_to, Rewound& rewound) {
    constexpr std::size_t shown = 10;
    Selection selection{listener.head(), store};
    for (const Event& event : store.read(Read{listener.head().query}.after(rewound.to).until(read_to))) {
        selection.take(event);
        bool is_selected = true;
        try {
            is_selected = selection.selects();
        } catch (const InvalidInput&) {
            // An event that the listener's SQL fails for is taken up: it fails as a delivery.
        }
        if (!is_selected) continue;
        ++rewound.events;
        if (rewound.first.size() < shown) rewound.first.push_back(event);
    }
}

}  // namespace

void pause_listener(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                    const std::string& sqlite_vfs) {
    const auto definition = registry.find(name);
    if (definition) expect_queued(*definition);
    const auto control = control_for(store, registry, name, sqlite_vfs);
    const auto start = definition ? start_of(*definition, store) : Position{};
    const auto time = to_micros(now());
    control->write(ControlDb::Sync::full, [&](sqlite3* db) {
        sql::Statement row{db, "SELECT state FROM listeners WHERE name = ?1"};
        row.bind(1, name);
        if (!row.step()) return insert_paused(db, definition ? *definition : registry.of(name), start, time);
        if (row.text(0) == "paused") return;
        row.reset();
        // A failed one keeps what it failed at: it is tried again when the listener is resumed.
        sql::Statement pause{db, "UPDATE listeners SET state = 'paused', since = ?2 WHERE name = ?1"};
        pause.bind(1, name);
        pause.bind(2, time);
        pause.run();
    });
}

void resume_listener(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                     const std::string& sqlite_vfs) {
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    if (!control) return (void)registry.of(name);
    const auto time = to_micros(now());
    control->write(ControlDb::Sync::full, [&](sqlite3* db) {
        sql::Statement row{db, "SELECT state, failed_position FROM listeners WHERE name = ?1"};
        row.bind(1, name);
        if (!row.step()) return (void)registry.of(name);  // known, and never run: nothing keeps it
        if (row.text(0) == "live") return;
        const auto failed_position = row.integer(1);
        row.reset();
        sql::Statement resume{
            db,
            "UPDATE listeners SET state = 'live', since = ?2, error = '', failed_position = 0 WHERE "
            "name = ?1"};
        resume.bind(1, name);
        resume.bind(2, time);
        resume.run();
        if (failed_position == 0) return;
        sql::Statement again{
            db,
            "UPDATE parked SET due = ?3, attempts = 0, held = 0 WHERE listener = ?1 AND position = "
            "?2"};
        again.bind(1, name);
        again.bind(2, failed_position);
        again.bind(3, time);
        again.run();
    });
}

Rewound rewind_listener(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                        Position to, bool dry_run, const std::string& sqlite_vfs) {
    const auto& listener = registry.of(name);
    expect_queued(listener);
    expect_outside_effect(listener);
    const auto control = ControlDb::open_existing(folder_of(store), sqlite_vfs);
    if (!control)
        throw NotFound{"listener \"" + listener.name() + "\" was never run on this store", {{"listener", name}}};
    if (to < Position{}) throw beyond(name, to, Position{});

    Rewound rewound;
    rewound.to = to;
    ListenerRow before;
    if (dry_run) {
        control->read([&](sqlite3* db) {
            const ControlSnapshot snapshot{db};
            before = row_to_rewind(db, name, to);
            count_what_would_go(db, name, rewound);
        });
    } else {
        control->write(ControlDb::Sync::full, [&](sqlite3* db) {
            before = row_to_rewind(db, name, to);
            take_back(db, name, rewound);
        });
    }
    rewound.from = before.position;
    count_events(store, listener, before.read_to, rewound);
    return rewound;
}

}  // namespace stele
