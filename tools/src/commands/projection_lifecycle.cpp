// stele projection pause, resume, drop and rollback: what an operator does to a read model without building it.
#include "../chosen_projections.hpp"
#include "../options.hpp"
#include "../projection_output.hpp"
#include "commands.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/projections/projection_status.hpp>

#include <functional>
#include <memory>

namespace stele::tool {
namespace {

struct ProjectionLifecycleArguments {
    std::vector<std::string> names;
    bool all = false;
    std::optional<std::int64_t> generation;
};

// What is done to one projection: returns what to say of it to people.
using ProjectionAct = std::function<std::string(const EventStore&, const std::string& name)>;

Exit act_on_each_projection(const ProjectionLifecycleArguments& arguments, const std::string& command,
                            const ProjectionAct& act, Context& context) {
    const EventStore store = context.open_existing(Context::Events::either);
    const auto known = known_projections(context);
    const auto names = names_of_projections(arguments.names, arguments.all, command, store, known, context);
    Exit status = Exit::done;
    for (const auto& name : names) {
        try {
            const auto said = act(store, name);
            if (context.json()) {
                context.out().json(tool::to_json(projection_status(store, known.registry, name)));
            } else {
                context.out().line(name + ": " + said);
            }
        } catch (const Error& error) {
            if (names.size() == 1) throw;
            status = report(error, context.json());
        }
    }
    return status;
}

std::string at(const Generation& generation) {
    return "generation " + std::to_string(generation.number) + " at position " +
           std::to_string(generation.position.value());
}

std::string pause_one(const EventStore& store, const std::string& name) {
    return "paused, " + at(pause(store, name));
}
std::string resume_one(const EventStore& store, const std::string& name) {
    return "goes on, " + at(resume(store, name));
}
std::string drop_one(const EventStore& store, const std::string& name) {
    drop(store, name);
    return "dropped; a rebuild makes it again";
}

CLI::App& add(CommandLine& line, CLI::App& group, const About& about, const ProjectionAct& act) {
    const auto arguments = std::make_shared<ProjectionLifecycleArguments>();
    const std::string command = std::string("stele projection ") + about.name;
    CLI::App& app = line.add(group, about, [arguments, command, act](Context& context) {
        return act_on_each_projection(*arguments, command, act, context);
    });
    tool::arguments(app, "NAME", arguments->names, "a projection of the project or of the store");
    flag(app, "--all", arguments->all, "all that are built");
    return app;
}

Exit roll_back(const ProjectionLifecycleArguments& arguments, Context& context) {
    const auto number = arguments.generation;
    const ProjectionAct act = [&](const EventStore& store, const std::string& name) {
        const auto generation = rollback(store, name, number);
        return at(generation) + " is current again, and " + generation.state;
    };
    return act_on_each_projection(arguments, "stele projection rollback", act, context);
}

}  // namespace

void add_projection_lifecycle(CommandLine& line, CLI::App& group) {
    constexpr auto exit_status = "0 done · 1 failed · 2 command line · 4 no such projection, or never built";
    add(line, group,
        {"pause", "Stop a projection where it is. Its rows stay readable, as of its position, until it is resumed.",
         "stele projection pause tenant_stats", exit_status},
        pause_one);
    add(line, group,
        {"resume",
         "Let a paused projection go on, or a failed one try its event again. Whoever runs it takes in what it "
         "has\n"
         "missed.",
         "stele projection resume tenant_stats", exit_status},
        resume_one);
    add(line, group,
        {"drop",
         "Remove a read model with all of its generations. The log and the definition stay: a rebuild makes it "
         "again.",
         "stele projection drop tenant_stats", exit_status},
        drop_one);

    const auto arguments = std::make_shared<ProjectionLifecycleArguments>();
    CLI::App& app = line.add(group,
                             {"rollback",
                              "Make a generation current again that `rebuild --keep` has kept: the newest one "
                              "below the current. The one\n"
                              "that was current is kept in turn.",
                              "stele projection rollback tenant_stats",
                              "0 done · 1 failed · 2 command line · 4 no such projection, or no generation kept"},
                             [arguments](Context& context) { return roll_back(*arguments, context); });
    tool::arguments(app, "NAME", arguments->names, "a projection of the project or of the store");
    number(app, "--generation", "N", arguments->generation, 1, "that one");
}

}  // namespace stele::tool
