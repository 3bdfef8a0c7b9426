#include <stele/projections/rebuild.hpp>

#include "models_folder.hpp"

#include <algorithm>
#include <set>

namespace stele {
namespace {

ProjectionStatus status_of(const EventStore& store, const std::string& name, const Projection* definition,
                           Position head) {
    ProjectionStatus status;
    status.name = name;
    status.head = head;
    if (definition != nullptr) {
        status.version = definition->version();
        status.mode = definition->mode();
    }
    try {
        const auto generation = ReadModel::open(store, name).generation();
        status.version = generation.version;
        status.generation = generation.number;
        status.position = generation.position;
        status.state = generation.state;
        status.error = generation.error;
        status.skipped = generation.skipped;
        if (definition == nullptr) {
            status.state = "retired";
        } else if (generation.fingerprint != definition->fingerprint() ||
                   generation.version != definition->version()) {
            status.state = "changed";
        }
    } catch (const NotFound&) {
        status.state = "absent";
    } catch (const Error& error) {
        status.state = "broken";
        status.error = error.what();
    }

    status.lag_events = std::max<std::int64_t>(0, head.value() - status.position.value());
    if (status.lag_events > 0) {
        if (const auto missing = store.at(status.position.next())) {
            const std::chrono::duration<double> lag = now() - missing->recorded_at;
            status.lag_seconds = std::max(0.0, lag.count());
        }
    }
    return status;
}

}  // namespace

std::vector<ProjectionStatus> projection_status(const EventStore& store, const ProjectionRegistry& registry) {
    const auto built = ModelsFolder::names(store.models_folder());
    std::set<std::string> names{built.begin(), built.end()};
    for (const auto& projection : registry.all()) names.insert(projection->name());

    const auto head = store.head();
    std::vector<ProjectionStatus> all;
    all.reserve(names.size());
    for (const auto& name : names) all.push_back(status_of(store, name, registry.find(name), head));
    return all;
}

}  // namespace stele
