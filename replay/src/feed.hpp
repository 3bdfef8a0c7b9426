// The events of a stream that ReplayOptions select, one after the other.
#pragma once

#include <stele/replay/replay.hpp>

#include <functional>

namespace stele {

/// Hands each of them to `take`, in stream order, until it returns false or they end. Throws as replay() does.
void feed(const EventStore& store, const StreamId& id, const ReplayOptions& options,
          const std::function<bool(const Event&)>& take);

}  // namespace stele
