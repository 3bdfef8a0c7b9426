// stele projection: the group of commands, and how far the read models are: list and status.
#include "../chosen_projections.hpp"
#include "../options.hpp"
#include "../projection_output.hpp"
#include "commands.hpp"

#include <stele/projections/projection_status.hpp>

#include <memory>

namespace stele::tool {
namespace {

Exit list_projections(Context& context) {
    const EventStore store = context.open_existing();
    const auto known = known_projections(context);
    print_projections(projection_status(store, known.registry), context);
    return known.report_broken_files(Exit::done, context.json());
}

Exit status_of_projections(const std::vector<std::string>& words, Context& context) {
    const EventStore store = context.open_existing();
    const auto known = known_projections(context);
    if (words.empty()) {
        print_statuses(projection_status(store, known.registry), context);
        return known.report_broken_files(Exit::done, context.json());
    }
    std::vector<ProjectionStatus> chosen;
    for (const auto& name : names_of_projections(words, false, "stele projection status", store, known, context))
        chosen.push_back(projection_status(store, known.registry, name));
    print_statuses(chosen, context);
    return Exit::done;
}

}  // namespace

void add_projection(CommandLine& line) {
    CLI::App& group =
        line.group("projection", "Read models: list them, build them from the log, ask them, check and test them.");
    line.add(group,
             {"list", "List the projections: which generation is current, and how far behind the log it is.",
              "stele projection list --json", "0 done · 1 failed · 2 command line · 4 no such store"},
             list_projections);

    const auto names = std::make_shared<std::vector<std::string>>();
    CLI::App& app = line.add(
        group,
        {"status",
         "Say all there is to say of projections: state and since when, how far behind, how fast, who advances "
         "them,\n"
         "what is being built; of a failed one the event and the error; and what to do. Without a name: of all.",
         "stele projection status tenant_stats\n"
         "stele projection status --json",
         "0 done · 1 failed · 2 command line · 4 no such store or projection"},
        [names](Context& context) { return status_of_projections(*names, context); });
    tool::arguments(app, "NAME", *names, "a projection of the project or of the store");

    add_projection_rebuild(line, group);
    add_projection_lifecycle(line, group);
    add_projection_query(line, group);
    add_projection_check(line, group);
    add_projection_test(line, group);
}

}  // namespace stele::tool
