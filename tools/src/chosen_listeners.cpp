#include "chosen_listeners.hpp"

#include "failure.hpp"
#include "suggest.hpp"

#include <stele/projections/listeners/listener_status.hpp>

#include <algorithm>

namespace stele::tool {

std::vector<std::string> names_of_listeners(const std::vector<std::string>& names, bool all,
                                            const std::string& command, const EventStore& store,
                                            const ListenerRegistry& known) {
    if (names.empty() && !all) throw usage_failure(command, "which listener? name one, or --all");
    std::vector<std::string> there;
    for (const auto& status : listener_status(store, known)) there.push_back(status.name);
    if (all) return there;
    for (const auto& name : names) {
        if (std::find(there.begin(), there.end(), name) != there.end()) continue;
        const auto meant = nearest(name, there);
        throw Failure{Exit::not_found,
                      "not_found",
                      store.name() + ": no listener \"" + name + "\"",
                      {{"store", store.name()}, {"listener", name}}}
            .hint(meant ? command + " " + *meant : "stele listener list");
    }
    return names;
}

}  // namespace stele::tool
