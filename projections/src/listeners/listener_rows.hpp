// The rows of listeners in control.db, as everybody but who delivers reads them.
#pragma once

#include "../control_db.hpp"

#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/projections/listeners/listener_status.hpp>
#include <stele/store/event_store.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

[[nodiscard]] inline std::int64_t to_micros(Timestamp time) { return time.time_since_epoch().count(); }
[[nodiscard]] inline Timestamp from_micros(std::int64_t micros) {
    return Timestamp{std::chrono::microseconds{micros}};
}

/// The folder that control.db is in.
[[nodiscard]] std::filesystem::path folder_of(const EventStore& store);

/// One row of `listeners`.
struct ListenerRow {
    std::string state;
    Timestamp since{};
    Position start;
    Position position;
    Position read_to;
    std::vector<Position> under_way;
    std::optional<Timestamp> stored_at;
    Position failed_position;  ///< 0: none
    std::string error;
    ListenerCounts counts;
    std::optional<BreakerStatus> breaker;
    std::string queue;
    std::string sink;
};

/// Empty where the listener was never run.
[[nodiscard]] std::optional<ListenerRow> listener_row(sqlite3* db, std::string_view name);

/// Moves the place of a listener that appends to where its last append says: both are committed together, and
/// control.db hears of it later.
void add_tracked(ListenerRow& row, const Listener& listener, const EventStore& store);

/// The names of all that were run, or have left dead letters.
[[nodiscard]] std::vector<std::string> listeners_in(sqlite3* db);

/// The position that a listener begins behind which is run for the first time.
[[nodiscard]] Position start_of(const Listener& listener, const EventStore& store);

/// All reads while it is there see the same state.
class ControlSnapshot {
public:
    explicit ControlSnapshot(sqlite3* db);
    ControlSnapshot(const ControlSnapshot&) = delete;
    ControlSnapshot& operator=(const ControlSnapshot&) = delete;
    ~ControlSnapshot();

private:
    sqlite3* db_;
};

}  // namespace stele
