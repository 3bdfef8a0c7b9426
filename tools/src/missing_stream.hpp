// The error for a stream that is not there.
#pragma once

#include "failure.hpp"

#include <stele/store/event_store.hpp>

namespace stele::tool {

/// Exit status 4. Suggests the nearest of the store's streams behind `command`, looking at the first 50,000.
[[nodiscard]] Failure missing_stream(const EventStore& store, const StreamId& stream, const std::string& command);

}  // namespace stele::tool
