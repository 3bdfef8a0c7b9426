// The event that a command line names: by position, or by id.
#pragma once

#include <stele/store/event_store.hpp>

#include <string>

namespace stele::tool {

/// Throws Failure: command line where `word` is neither, not found where there is no such event.
[[nodiscard]] Event event_named(const std::string& word, const std::string& command, const EventStore& store);

}  // namespace stele::tool
