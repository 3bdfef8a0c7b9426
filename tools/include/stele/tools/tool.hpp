// The stele command, for programs that have projections, listeners and aggregates in C++.
//
//     int main(int argc, char** argv) {
//         stele::tool::Registry registry;
//         registry.projections.add(stele::projection<SiteCount>());
//         registry.event_types.upcast<SiteCreatedV1, SiteCreated>(with_a_plan);
//         return stele::tool::main(argc, argv, std::move(registry));
//     }
#pragma once

#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/projections/projection_registry.hpp>
#include <stele/replay/aggregate_registry.hpp>
#include <stele/schema/event_types.hpp>

namespace stele::tool {

/// What the program adds to what stands in the files of a project.
struct Registry {
    ProjectionRegistry projections;
    ListenerRegistry listeners;
    AggregateRegistry aggregates;
    EventTypes event_types;
};

/// Runs the command that `argv` names, as the program `stele` does, and returns its exit status:
/// 0 done · 1 failed · 2 command line · 3 conflict · 4 not found · 5 damage found.
///
/// Results go to standard output, all else to standard error. Throws nothing. Call it from one thread at a time: it
/// handles SIGINT, SIGTERM and SIGPIPE while it runs, and puts the old handlers back.
int main(int argc, char** argv, Registry registry = {});

}  // namespace stele::tool
