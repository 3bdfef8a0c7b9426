#include "replay_arguments.hpp"

#include "definitions.hpp"
#include "missing_stream.hpp"
#include "options.hpp"

namespace stele::tool {

void ReplayArguments::add_stream_to(CLI::App& app) { stream_argument(app, stream, "[tenant:]Type/id"); }

void ReplayArguments::add_bounds_to(CLI::App& app) {
    number(app, "--at-version", "V", at_version, 1, "the state at this version");
    number(app, "--at-position", "P", at_position, 1, "the state at this position of the log");
    time(app, "--at-time", at_time, "the state at that time, by when events were recorded");
    flag(app, "--occurred", occurred, "with --at-time: by when events happened");
    needs(app, "--occurred", "--at-time");
}

void ReplayArguments::add_fold_to(CLI::App& app) {
    text(app, "--aggregate", "FILE", aggregate, "the .sql file that says how to fold");
    raw_flag(app, raw);
}

ReplayOptions ReplayArguments::options(Progress& progress) const {
    ReplayOptions options;
    if (at_version) options.at_version = Version{*at_version};
    if (at_position) options.at_position = Position{*at_position};
    options.at_time = at_time;
    if (occurred) options.time_of = TimeOf::occurred;
    options.progress = drawn_on(progress);
    return options;
}

std::function<void(std::int64_t, std::int64_t)> drawn_on(Progress& progress) {
    return [&progress](std::int64_t done, std::int64_t total) { progress.update(done, done, total); };
}

ReplayedStream replayed_stream(Context& context, const ReplayArguments& arguments, const std::string& command) {
    const auto& stream = *arguments.stream;
    EventStore store = context.open_existing(Context::seen(arguments.raw));
    if (!store.version(stream)) throw missing_stream(store, stream, arguments.raw ? command + " --raw" : command);
    auto aggregate = aggregate_for(context, stream.aggregate_type(), arguments.aggregate, command);
    return {std::move(store), stream, std::move(aggregate)};
}

}  // namespace stele::tool
