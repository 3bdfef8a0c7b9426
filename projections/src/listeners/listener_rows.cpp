#include "listener_rows.hpp"

#include "listener_counts.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace stele {

std::filesystem::path folder_of(const EventStore& store) { return store.models_folder().parent_path(); }

std::optional<ListenerRow> listener_row(sqlite3* db, std::string_view name) {
    sql::Statement row{
        db,
        "SELECT state, since, start, position, read_to, under_way, stored_at, failed_position, error, "
        "counts, breaker, queue, sink FROM listeners WHERE name = ?1"};
    row.bind(1, name);
    if (!row.step()) return std::nullopt;
    ListenerRow found;
    int column = 0;
    found.state = row.text(column++);
    found.since = from_micros(row.integer(column++));
    found.start = Position{row.integer(column++)};
    found.position = Position{row.integer(column++)};
    found.read_to = Position{row.integer(column++)};
    found.under_way = under_way_of(row.text(column++));
    if (const auto stored = row.integer(column++); stored > 0) found.stored_at = from_micros(stored);
    found.failed_position = Position{row.integer(column++)};
    found.error = row.text(column++);
    found.counts = counts_of(row.text(column++));
    found.breaker = breaker_of(row.text(column++));
    found.queue = row.text(column++);
    found.sink = row.text(column++);
    return found;
}

void add_tracked(ListenerRow& row, const Listener& listener, const EventStore& store) {
    if (!listener.head().appends) return;
    const auto tracked = store.tracked("listener/" + listener.name());
    if (!tracked) return;
    const Position appended{tracked->position};
    std::erase_if(row.under_way, [&](Position position) { return position <= appended; });
    row.read_to = std::max(row.read_to, appended);
    row.position = row.under_way.empty() ? row.read_to : row.under_way.front().previous();
}

std::vector<std::string> listeners_in(sqlite3* db) {
    sql::Statement rows{db, "SELECT name FROM listeners UNION SELECT listener FROM dead_letters"};
    std::vector<std::string> names;
    while (rows.step()) names.emplace_back(rows.text(0));
    return names;
}

Position start_of(const Listener& listener, const EventStore& store) {
    const auto& start = listener.head().start;
    switch (start.kind) {
        case StartAt::Kind::beginning:
            return {};
        case StartAt::Kind::now:
            return store.head();
        case StartAt::Kind::position:
            return start.position;
        case StartAt::Kind::time:
            return store.position_at(start.time - std::chrono::microseconds{1});
    }
    return {};
}

ControlSnapshot::ControlSnapshot(sqlite3* db) : db_(db) { sql::execute(db_, "BEGIN"); }
ControlSnapshot::~ControlSnapshot() { sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr); }

}  // namespace stele
