// replay() from a snapshot: the state of a long stream without its first events.
//
//   Snapshots snapshots{store};
//   const State order = replay(store, id, aggregates.of(id.aggregate_type()), {}, snapshots);
#pragma once

#include <stele/replay/replay.hpp>
#include <stele/replay/snapshots.hpp>

namespace stele {

/// What replay() without snapshots gives (replay.hpp), and throws. It begins at the newest snapshot within the
/// bounds, where there is one, and keeps one where it went on from there by SnapshotOptions::every events or more.
///
/// Snapshots are of aggregates that say their definition (Aggregate::definition()); of others, and with bounds in
/// TimeOf::occurred, all events are read.
[[nodiscard]] State replay(const EventStore& store, const StreamId& stream, const Aggregate& aggregate,
                           const ReplayOptions& options, Snapshots& snapshots);

}  // namespace stele
