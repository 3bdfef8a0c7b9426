// Whether a read model was folded from this log.
//
// A log that was restored from an older copy has lost its last events, and other events come to stand at their
// positions. Once it is as long again as it was, positions alone do not show that. So each generation keeps the id
// of the event at its position, and whoever opens it compares that with the log's.
#pragma once

#include <stele/projections/projection_error.hpp>
#include <stele/projections/read_model.hpp>
#include <stele/store/event_store.hpp>

#include <optional>

namespace stele {

/// The id of the event at `position`, all that is read of it; empty where there is none.
[[nodiscard]] std::optional<EventId> id_at(const EventStore& store, Position position);

/// The event that is stored at `position`, not upcast, without id, data, metadata and tags; empty where there is
/// none.
[[nodiscard]] std::optional<Event> stored_at(const EventStore& store, Position position);

/// Why the rows of `generation` are not the fold of this log, as a ProjectionError "projection_ahead" or
/// "projection_log"; empty where nothing speaks against it. Generations of earlier builds of Stele know no id.
/// Cost: one event is looked up.
[[nodiscard]] std::optional<ProjectionError> not_of_this_log(const EventStore& store, const Generation& generation);

}  // namespace stele
