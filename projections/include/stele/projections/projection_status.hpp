// ProjectionStatus: how a projection is, said truthfully.
//
// How far it is behind is measured against the log's own head, and read from the read model's own file: so a runner
// that hangs, or is gone, looks as bad as it is. Asking disturbs nobody and writes nothing.
#pragma once

#include <stele/projections/projection_registry.hpp>
#include <stele/schema/ordinal.hpp>
#include <stele/schema/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

class EventStore;

/// The event that a projection stopped at. Its rows are the fold of everything before it.
struct ProjectionFailure {
    Position position;  ///< 0: its tables could not be set up
    std::string type;   ///< of the event
    std::string place;  ///< of the handler: file and line where it is SQL, else empty
    std::string error;  ///< the message of HandlerFailed, which says all of this in one sentence
};

/// A rebuild that is under way.
struct BuildStatus {
    std::int64_t generation = 0;
    int version = 0;
    Position position;  ///< up to here, of what follows
    Position target;    ///< where it ends, as far as is known now
    std::int64_t events = 0;
    double percent = 0;  ///< of the positions up to the target: 0 to 100
    double events_per_second = 0;
    std::optional<double> seconds_left;  ///< empty where nothing can be said yet
    Timestamp started_at{};
    std::string builder;  ///< who builds it, where that is a runner; else empty
};

struct ProjectionStatus {
    std::string name;
    int version = 0;              ///< of the generation that is there, or else of the definition
    std::int64_t generation = 0;  ///< 0: never built
    ProjectionMode mode = ProjectionMode::async;

    /// "live"      follows the log, where somebody runs it
    /// "paused"    stays at its position until it is resumed or rebuilt
    /// "failed"    stopped before an event: see `failure`
    /// "building"  its first generation is being built, or the one for a changed definition; readers have the old
    ///             one until then
    /// "absent"    never built
    /// "changed"   built by another definition: a runner that is started now rebuilds it by itself, unless what is
    ///             there is of a later version
    /// "dropped"   removed by an operator, or about to be: a runner leaves it alone until it is rebuilt
    /// "retired"   built, and the registry has no such projection
    /// "broken"    its file cannot be read: see `error`
    std::string state;
    Timestamp since{};  ///< when that state began, where the read model says so

    Position position;
    Position head;                       ///< of the log
    std::int64_t lag_events = 0;         ///< head - position
    double lag_seconds = 0;              ///< since the first event that is missing was recorded; 0 without one
    double rate = 0;                     ///< events a second that it took in, when it last took any
    std::int64_t skipped = 0;            ///< events passed over by `on-error skip`
    std::optional<Timestamp> stored_at;  ///< when its position was last written; empty where it was never built
    std::string owner;                   ///< who advances it: the label of a runner that is alive. Empty: nobody

    std::optional<BuildStatus> building;       ///< whatever the state
    std::optional<ProjectionFailure> failure;  ///< with "failed", where it was at an event, or in setup
    std::string error;                         ///< with "failed" and "broken"
    std::string trouble;                       ///< what stands in the way of a runner just now, which tries again
    std::string advice;                        ///< what to do, where something is to be done; else empty
};

/// Every projection that is in the registry, or was built in this store, by name. A projection that fails to open
/// is in the list with its error. Throws StoreError where the log or control.db cannot be read.
[[nodiscard]] std::vector<ProjectionStatus> projection_status(const EventStore& store,
                                                              const ProjectionRegistry& registry);

/// The same for one. Throws NotFound where it is neither known nor built.
[[nodiscard]] ProjectionStatus projection_status(const EventStore& store, const ProjectionRegistry& registry,
                                                 std::string_view name);

/// All of it as lines for people, each ending with a line break, without what is not there to be said.
[[nodiscard]] std::string describe(const ProjectionStatus& status);

}  // namespace stele
