// stele projection list and rebuild: how far the read models are, and building them again.
#include "../chosen_projections.hpp"
#include "../interrupt.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../projection_output.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/rebuild.hpp>

#include <chrono>
#include <memory>

namespace stele::tool {
namespace {

struct Arguments {
    std::vector<std::string> names;
    bool all = false;
    bool keep = false;
    std::optional<std::int64_t> until;
};

Exit list(Context& context) {
    const EventStore store = context.open_existing();
    const auto known = known_projections(context);
    print_projections(projection_status(store, known.registry), context);
    return known.report_broken_files(Exit::done, context.json());
}

void print_rebuilt(const Projection& projection, const Rebuilt& rebuilt, double seconds, Context& context) {
    const Generation& generation = rebuilt.generation;
    if (context.json()) {
        context.out().json({{"name", generation.name},
                            {"version", generation.version},
                            {"generation", generation.number},
                            {"mode", word(projection.mode())},
                            {"state", generation.state},
                            {"position", generation.position.value()},
                            {"events", rebuilt.events},
                            {"skipped", generation.skipped},
                            {"seconds", seconds}});
        return;
    }
    context.out().line(generation.name + ": generation " + std::to_string(generation.number) + ", " +
                       counted(rebuilt.events, "event") + " up to position " +
                       std::to_string(generation.position.value()) +
                       (generation.skipped > 0 ? ", " + grouped(generation.skipped) + " of them skipped" : "") +
                       ", in " + human_seconds(seconds));
}

void rebuild_one(const EventStore& store, const Projection& projection, const Arguments& arguments,
                 const Interrupt& interrupt, Context& context) {
    const auto start = std::chrono::steady_clock::now();
    std::stop_source stop;
    Progress progress{projection.name(), "events"};
    RebuildOptions options;
    if (arguments.until) options.until = Position{*arguments.until};
    options.keep_old = arguments.keep;
    options.stop = stop.get_token();
    options.progress = [&](const FoldProgress& fold) {
        if (interrupt.requested()) stop.request_stop();
        progress.update(fold.events, fold.position.value(), fold.target.value());
    };
    const auto rebuilt = rebuild(store, projection, options);
    progress.clear();
    if (!rebuilt)
        throw Failure{Exit::failed, "interrupted",
                      store.name() + ": rebuild of projection \"" + projection.name() +
                          "\" interrupted; readers keep the generation that was there"};
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    print_rebuilt(projection, *rebuilt, seconds, context);
}

Exit rebuild_chosen(const Arguments& arguments, Context& context) {
    const auto [projections, known] =
        choose_projections(arguments.names, arguments.all, "stele projection rebuild", context);
    const EventStore store = context.open_existing();
    if (arguments.until && Position{*arguments.until} > store.head())
        throw usage_failure("stele projection rebuild", "--until: expected a position up to the head, " +
                                                            std::to_string(store.head().value()) + ", found " +
                                                            std::to_string(*arguments.until));
    const Interrupt interrupt;
    Exit status = Exit::done;
    for (const auto& projection : projections) {
        try {
            rebuild_one(store, *projection, arguments, interrupt, context);
        } catch (const Error& error) {
            // One that fails is no reason to leave the others as they are.
            if (interrupt.requested() || projections.size() == 1) throw;
            status = report(error, context.json());
        }
    }
    return arguments.all ? known.report_broken_files(status, context.json()) : status;
}

}  // namespace

void add_projection(CommandLine& line) {
    CLI::App& group = line.group("projection", "Read models: list them, build them from the log, ask them.");
    line.add(group,
             {"list", "List the projections: which generation is current, and how far behind the log it is.",
              "stele projection list --json", "0 done · 1 failed · 2 command line · 4 no such store"},
             list);

    const auto arguments = std::make_shared<Arguments>();
    CLI::App& rebuild = line.add(group,
                                 {"rebuild",
                                  "Build a projection's next generation from the log, then switch to it. Readers "
                                  "keep the old one until then.",
                                  "stele projection rebuild tenant_stats\n"
                                  "stele projection rebuild projections/tenant_stats.sql --until 90112",
                                  "0 rebuilt · 1 stopped at an event · 2 command line · 4 no such projection"},
                                 [arguments](Context& context) { return rebuild_chosen(*arguments, context); });
    tool::arguments(rebuild, "NAME", arguments->names,
                    "a projection of the project, or a .sql file that defines one");
    flag(rebuild, "--all", arguments->all, "all of the project's");
    number(rebuild, "--until", "POSITION", arguments->until, 0,
           "build the read model as it was at that position, and pause there");
    flag(rebuild, "--keep", arguments->keep, "keep the file of the old generation");

    add_projection_query(line, group);
    add_projection_test(line, group);
}

}  // namespace stele::tool
