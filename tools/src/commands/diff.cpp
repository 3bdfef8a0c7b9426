// stele diff: what became different in an aggregate between two points of its history.
#include "../change_output.hpp"
#include "../options.hpp"
#include "../replay_arguments.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/replay/diff.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct DiffArguments {
    ReplayArguments replay;
    Moment from{};
    std::optional<Moment> to;
    bool occurred = false;
};

std::string point(const State& state) {
    const auto version = state.version.value();
    return version == 0
               ? "version 0, before the first event"
               : "version " + std::to_string(version) + ", position " + std::to_string(state.position.value());
}

void print(const StateDifference& difference, Context& context) {
    if (context.json()) {
        context.out().json(nlohmann::ordered_json{{"stream", difference.from.stream.name()},
                                                  {"from", difference.from.version.value()},
                                                  {"to", difference.to.version.value()},
                                                  {"from_position", difference.from.position.value()},
                                                  {"to_position", difference.to.position.value()},
                                                  {"patch", difference.patch}});
        return;
    }
    note(printable(difference.from.stream.name()) + " from " + point(difference.from) + " to " +
         point(difference.to));
    print_changes(context.out(), difference.patch, difference.from.json.value());
    if (difference.patch.empty()) context.out().line("(no difference)");
}

Exit run_diff(const DiffArguments& arguments, Context& context) {
    const auto [store, stream, aggregate] = replayed_stream(context, arguments.replay, "stele diff");
    Progress progress{"diff", "events"};
    const DiffOptions options{arguments.occurred ? TimeOf::occurred : TimeOf::recorded, drawn_on(progress)};
    const Moment to = arguments.to ? *arguments.to : Moment{*store.version(stream)};
    const auto difference = diff(store, stream, *aggregate, arguments.from, to, options);
    progress.clear();
    print(difference, context);
    return Exit::done;
}

Moment moment(const std::string& word, const char* name) {
    try {
        return parse_moment(word, name);
    } catch (const InvalidInput& error) {
        const std::string message = error.what();  // "A: expected …", and BadValue names A itself
        throw BadValue{message.substr(error.field().size() + 2)};
    }
}

}  // namespace

void add_diff(CommandLine& line) {
    const auto arguments = std::make_shared<DiffArguments>();
    CLI::App& app = line.add(
        {"diff",
         "Show what became different in an aggregate from A to B. Each is a version such as 5 (0: before the "
         "first\n"
         "event), a position of the log such as @90112, or a time such as 2026-01-05T10:00:00Z.",
         "stele diff order/10249 2 4\n"
         "stele diff Site/site-42 2026-01-05 2026-01-06 --occurred",
         "0 done · 1 failed, at an event that cannot be folded · 2 command line · 4 no such stream or version"},
        [arguments](Context& context) { return run_diff(*arguments, context); });
    arguments->replay.add_stream_to(app);
    option(
        app, "A", "A", [arguments](const std::string& word) { arguments->from = moment(word, "A"); },
        "from this version, @position or time; B may be the earlier one");
    require(app, "A");
    option(
        app, "B", "B", [arguments](const std::string& word) { arguments->to = moment(word, "B"); },
        "to this one; the stream's last version if absent");
    flag(app, "--occurred", arguments->occurred, "times are those at which events happened");
    arguments->replay.add_fold_to(app);
}

}  // namespace stele::tool
