// Which listeners a command is about: names, or all that there are.
#pragma once

#include "context.hpp"

#include <stele/projections/listeners/listener_registry.hpp>

#include <string>
#include <vector>

namespace stele::tool {

/// The names of those that were named, also where they were run and nothing defines them any more; with `all`, of
/// every one. `command` is as in "stele listener pause". Throws Failure: command line where nothing is named; not
/// found, with the nearest name, where there is no such listener.
[[nodiscard]] std::vector<std::string> names_of_listeners(const std::vector<std::string>& names, bool all,
                                                          const std::string& command, const EventStore& store,
                                                          const ListenerRegistry& known);

}  // namespace stele::tool
