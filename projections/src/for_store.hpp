// A projection as one store reads its events: what upcasters the store has is a part of its definition.
//
// The rows are the fold of events as they are read (P1). Where an upcaster that concerns the projection changes,
// the rows that are there are no longer that fold: so its fingerprint is one of both, and the projection counts as
// changed and is built anew. Without such upcasters the fingerprint is the projection's own, as it was before there
// were any.
#pragma once

#include <stele/projections/projection.hpp>
#include <stele/projections/projection_registry.hpp>
#include <stele/store/event_store.hpp>

#include <memory>

namespace stele {

/// `projection` itself where no upcaster of the store concerns what it takes, or it is what this has returned.
[[nodiscard]] std::shared_ptr<const Projection> for_store(const EventStore& store,
                                                          std::shared_ptr<const Projection> projection);
/// The same; `projection` stays longer.
[[nodiscard]] std::shared_ptr<const Projection> for_store(const EventStore& store, const Projection& projection);
[[nodiscard]] ProjectionRegistry for_store(const EventStore& store, const ProjectionRegistry& registry);

}  // namespace stele
