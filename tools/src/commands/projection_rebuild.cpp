// stele projection rebuild: the next generation of read models, beside their readers.
#include "../chosen_projections.hpp"
#include "../interrupt.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../projection_output.hpp"
#include "../stop_on_interrupt.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/rebuild_all.hpp>

#include <chrono>
#include <map>
#include <memory>

namespace stele::tool {
namespace {

constexpr auto rebuild_command = "stele projection rebuild";

struct ProjectionRebuildArguments {
    std::vector<std::string> names;
    bool all = false;
    bool keep = false;
    std::optional<std::int64_t> until;
    std::optional<Timestamp> as_of;
    std::optional<std::string> into;
    std::optional<std::int64_t> nice;
};

void print_rebuilt(const Projection& projection, const Rebuilt& rebuilt, const RebuildOptions& options,
                   double seconds, Context& context) {
    const Generation& generation = rebuilt.generation;
    if (context.json()) {
        nlohmann::ordered_json line{{"name", generation.name},         {"version", generation.version},
                                    {"generation", generation.number}, {"mode", tool::word(projection.mode())},
                                    {"state", generation.state},       {"position", generation.position.value()},
                                    {"events", rebuilt.events},        {"began_at", rebuilt.began_at.value()},
                                    {"skipped", generation.skipped}};
        if (options.into) line["file"] = options.into->string();
        line["seconds"] = seconds;
        return context.out().json(line);
    }
    const auto where = options.into ? options.into->string() : "generation " + std::to_string(generation.number);
    context.out().line(
        generation.name + ": " + printable(where) + ", " + counted(rebuilt.events, "event") + " up to position " +
        std::to_string(generation.position.value()) +
        (rebuilt.began_at > Position{0}
             ? ", gone on from position " + std::to_string(rebuilt.began_at.value()) + " of a rebuild that died"
             : "") +
        (generation.skipped > 0 ? ", " + grouped(generation.skipped) + " of them skipped" : "") + ", in " +
        human_seconds(seconds));
}

[[noreturn]] void throw_interrupted(const EventStore& store, const std::string& what) {
    throw Failure{
        Exit::failed, "interrupted",
        store.name() + ": rebuild of " + what + " interrupted; readers keep the generation that was there"};
}

void rebuild_one(const EventStore& store, const Projection& projection, RebuildOptions options, Context& context) {
    const auto start = std::chrono::steady_clock::now();
    Progress progress{projection.name(), "events"};
    options.progress = [&](const FoldProgress& fold) {
        progress.update(fold.events, fold.position.value(), fold.target.value());
    };
    const auto rebuilt = rebuild(store, projection, options);
    progress.clear();
    if (!rebuilt) throw_interrupted(store, "projection \"" + projection.name() + "\"");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    print_rebuilt(projection, *rebuilt, options, seconds, context);
}

// Several at once, on all cores. One that fails is no reason to leave the others as they are.
Exit rebuild_several(const EventStore& store, const std::vector<std::shared_ptr<const Projection>>& projections,
                     const RebuildOptions& options, Context& context) {
    const auto start = std::chrono::steady_clock::now();
    Progress progress{counted(static_cast<std::int64_t>(projections.size()), "projection"), "events"};
    std::map<std::string, FoldProgress> at;
    RebuildAllOptions all;
    all.each = options;
    all.progress = [&](const Projection& projection, const FoldProgress& fold) {
        at[projection.name()] = fold;
        FoldProgress sum;
        for (const auto& [name, one] : at) {
            sum.events += one.events;
            sum.position = Position{sum.position.value() + one.position.value()};
        }
        const auto target = fold.target.value() * static_cast<std::int64_t>(projections.size());
        progress.update(sum.events, sum.position.value(), target);
    };
    const auto results = rebuild_all(store, projections, all);
    progress.clear();

    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    Exit status = Exit::done;
    std::string interrupted;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].rebuilt) {
            print_rebuilt(*projections[i], *results[i].rebuilt, options, seconds, context);
            continue;
        }
        if (!results[i].failed()) {
            interrupted += (interrupted.empty() ? "\"" : ", \"") + results[i].name + "\"";
            continue;
        }
        try {
            std::rethrow_exception(results[i].error);
        } catch (const Error& error) {
            status = report(error, context.json());
        }
    }
    if (!interrupted.empty()) throw_interrupted(store, interrupted);
    return status;
}

RebuildOptions options_of(const ProjectionRebuildArguments& arguments, const EventStore& store) {
    RebuildOptions options;
    if (arguments.until && Position{*arguments.until} > store.head())
        throw usage_failure(rebuild_command, "--until: expected a position up to the head, " +
                                                 std::to_string(store.head().value()) + ", found " +
                                                 std::to_string(*arguments.until));
    if (arguments.until) options.until = Position{*arguments.until};
    options.as_of = arguments.as_of;
    if (arguments.into) options.into = *arguments.into;
    options.keep_old = arguments.keep;
    if (arguments.nice) options.niceness = static_cast<int>(*arguments.nice);
    return options;
}

Exit rebuild_chosen(const ProjectionRebuildArguments& arguments, Context& context) {
    const auto [projections, known] = choose_projections(arguments.names, arguments.all, rebuild_command, context);
    if (arguments.into && projections.size() != 1)
        throw usage_failure(rebuild_command,
                            "--into: expected one projection, found " + std::to_string(projections.size()));
    const EventStore store = context.open_existing();
    const Interrupt interrupt;
    std::stop_source stop;
    const StopOnInterrupt stopper{[&] { stop.request_stop(); }, interrupt};
    auto options = options_of(arguments, store);
    options.stop = stop.get_token();

    Exit status = Exit::done;
    if (projections.size() == 1) {
        rebuild_one(store, *projections.front(), options, context);
    } else {
        status = rebuild_several(store, projections, options, context);
    }
    return arguments.all ? known.report_broken_files(status, context.json()) : status;
}

}  // namespace

void add_projection_rebuild(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<ProjectionRebuildArguments>();
    CLI::App& app =
        line.add(group,
                 {"rebuild",
                  "Build a projection's next generation from the log, then switch to it. Readers keep the old one "
                  "until then,\n"
                  "and whoever runs the projection may go on meanwhile. One that was killed is gone on with.",
                  "stele projection rebuild tenant_stats\n"
                  "stele projection rebuild --all\n"
                  "stele projection rebuild projections/tenant_stats.sql --until 90112\n"
                  "stele projection rebuild tenant_stats --as-of 2026-01-05 --into january.db",
                  "0 rebuilt · 1 stopped at an event, or interrupted · 2 command line · 4 no such projection"},
                 [arguments](Context& context) { return rebuild_chosen(*arguments, context); });
    tool::arguments(app, "NAME", arguments->names, "a projection of the project, or a .sql file that defines one");
    flag(app, "--all", arguments->all, "all of the project's");
    number(app, "--until", "POSITION", arguments->until, 0,
           "build the read model as it was at that position, and pause there");
    time(app, "--as-of", arguments->as_of, "the same by time: with what was recorded then or before");
    text(app, "--into", "FILE", arguments->into, "build into a new file; the read model itself stays as it is");
    flag(app, "--keep", arguments->keep, "keep the old generation, for `stele projection rollback`");
    nice(app, arguments->nice);
    excludes(app, "--until", "--as-of");
    excludes(app, "--into", "--keep");
}

}  // namespace stele::tool
