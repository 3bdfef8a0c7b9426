// ListenerStatus: how a listener is, said truthfully.
//
// Everything here is read from control.db and from the log, not from whoever delivers: so a runner that hangs, or
// is gone, looks as bad as it is. Asking disturbs nobody and writes nothing.
#pragma once

#include <stele/projections/health.hpp>
#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/schema/ordinal.hpp>
#include <stele/schema/time.hpp>
#include <stele/store/duration_histogram.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

class EventStore;

/// What a listener has done since it was first run (or since control.db was made).
struct ListenerCounts {
    std::int64_t dispatched = 0;    ///< events that it selected and took up
    std::int64_t delivered = 0;     ///< attempts that succeeded
    std::int64_t failed = 0;        ///< attempts that failed
    std::int64_t retried = 0;       ///< attempts behind the first one of their event
    std::int64_t dead = 0;          ///< dead letters that were made
    std::int64_t deduplicated = 0;  ///< events passed over as repetitions
    std::map<std::string, std::int64_t> failed_by_cause;
    std::map<std::string, std::int64_t> dead_by_cause;
    DurationHistogram durations;  ///< of attempts
};

/// The state of a breaker.
struct BreakerStatus {
    std::string target;
    std::string state = "closed";  ///< "closed", "open" (nothing is sent until `until`), "trying" (one delivery is)
    int failures = 0;              ///< in a row
    std::optional<Timestamp> until{};
    std::string error;  ///< of the last failure
};

struct ListenerStatus {
    std::string name;
    std::string sink;  ///< "code", "webhook", …; empty where the registry has no such listener
    std::string mode = "queued";
    std::string queue;

    /// "live"     delivers, where somebody runs it
    /// "paused"   delivers nothing until it is resumed
    /// "failed"   stopped: see `error`; resume() lets it go on
    /// "new"      was never run on this store; its position is the one that it would begin behind now
    /// "retired"  was run, and the registry has no such listener
    /// A sync listener has no place of its own: its position is the head.
    std::string state;
    Timestamp since{};

    Position position;            ///< everything that is selected up to here is dealt with (or parked, or dead)
    Position read_to;             ///< up to here it was read; what is between, is under way or settled
    Position head;                ///< of the log
    std::int64_t under_way = 0;   ///< events up to read_to that were not settled when it was last stored
    std::int64_t lag_events = 0;  ///< head - position
    double lag_seconds = 0;       ///< since the first event behind the position was recorded; 0 without one
    std::int64_t parked = 0;      ///< events that wait for a retry, or behind one that does
    std::int64_t parked_keys = 0;
    std::int64_t held_keys = 0;  ///< of those, keys that wait for an operator
    std::int64_t dead = 0;       ///< dead letters that are there now
    std::optional<Timestamp> next_retry{};
    std::optional<Timestamp> stored_at{};  ///< when the position was last stored
    std::string owner;                     ///< label of who delivers and is alive; empty: nobody
    std::optional<BreakerStatus> breaker{};
    ListenerCounts counts;

    std::optional<Position> failed_position{};  ///< with "failed"
    /// Why it stopped, with "failed"; of a live one, the event that it stands before as it cannot be upcast.
    std::string error;
    std::string advice;  ///< what to do, where something is to be done; else empty
};

/// Every listener that is in the registry, or was run on this store, by name.
/// Throws StoreError where the log or control.db cannot be read.
[[nodiscard]] std::vector<ListenerStatus> listener_status(const EventStore& store,
                                                          const ListenerRegistry& registry);

/// The same for one. Throws NotFound where it is neither known nor was run.
[[nodiscard]] ListenerStatus listener_status(const EventStore& store, const ListenerRegistry& registry,
                                             std::string_view name, const std::string& sqlite_vfs = {});

/// All of it as lines for people, each ending with a line break.
[[nodiscard]] std::string describe(const ListenerStatus& status);

}  // namespace stele
