// stele replay: an aggregate from its events.
#include "../definitions.hpp"
#include "../event_output.hpp"
#include "../json_layout.hpp"
#include "../missing_stream.hpp"
#include "../options.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/replay/replay.hpp>
#include <stele/schema/event_json.hpp>

#include <algorithm>
#include <memory>

namespace stele::tool {
namespace {

struct Arguments {
    std::optional<StreamId> stream;
    std::optional<std::int64_t> at_version;
    std::optional<std::int64_t> at_position;
    std::optional<Timestamp> at_time;
    bool occurred = false;
    bool steps = false;
    std::optional<std::string> aggregate;
};

ReplayOptions options_of(const Arguments& arguments) {
    ReplayOptions options;
    if (arguments.at_version) options.at_version = Version{*arguments.at_version};
    if (arguments.at_position) options.at_position = Position{*arguments.at_position};
    options.at_time = arguments.at_time;
    if (arguments.occurred) options.time_of = TimeOf::occurred;
    return options;
}

std::string json_line(const State& state, const std::string& more = {}) {
    return "{\"stream\":" + nlohmann::json(state.stream.name()).dump() +
           ",\"version\":" + std::to_string(state.version.value()) +
           ",\"position\":" + std::to_string(state.position.value()) +
           ",\"state\":" + json_on_one_line(state.json.text()) + more + "}";
}

void print_state(const State& state, Context& context) {
    if (context.json()) return context.out().line(json_line(state));
    note(printable(state.stream.name()) + " at version " + std::to_string(state.version.value()) + ", position " +
         std::to_string(state.position.value()));
    context.out().line(json_indented(state.json.text()));
}

// `/lines/0/quantity: 5 → 7`, for each operation of the patch.
std::vector<std::string> described(const nlohmann::json& changes, nlohmann::json state) {
    std::vector<std::string> lines;
    for (const auto& change : changes) {
        const auto& operation = change.at("op").get_ref<const std::string&>();
        const auto& path = change.at("path").get_ref<const std::string&>();
        const std::string shown = path.empty() ? "(all)" : path;
        const auto old_value = [&] { return state.at(nlohmann::json::json_pointer(path)).dump(); };
        if (operation == "add") {
            lines.push_back("+ " + shown + ": " + change.at("value").dump());
        } else if (operation == "remove") {
            lines.push_back("- " + shown + ": " + old_value());
        } else {
            lines.push_back("~ " + shown + ": " + old_value() + " → " + change.at("value").dump());
        }
        // Paths of the next operation are those of the state that this one leaves.
        state = state.patch(nlohmann::json::array({change}));
    }
    return lines;
}

void print_step(const StreamId& stream, const Step& step, Context& context) {
    Output& out = context.out();
    if (context.json()) {
        const State state{stream, step.event.version, step.event.position, step.after};
        return out.line(
            json_line(state, ",\"event\":" + to_event_line(step.event) + ",\"changes\":" + step.changes.dump()));
    }
    out.line("version " + std::to_string(step.event.version.value()) + "  position " +
             std::to_string(step.event.position.value()) + "  " + human_time(step.event.occurred_at) + "  " +
             printable(step.event.type));
    for (const auto& change : described(step.changes, step.before.value())) {
        const std::string line = "  " + printable(change);
        out.line(out.terminal() ? shortened(line, out.width()) : line);
    }
    if (step.changes.empty()) out.line("  (no change)");
}

Exit run(const Arguments& arguments, Context& context) {
    const StreamId& stream = *arguments.stream;
    const EventStore store = context.open_existing();
    if (!store.version(stream)) throw missing_stream(store, stream, "stele replay");
    const auto aggregate = aggregate_for(context, stream.aggregate_type(), arguments.aggregate);
    const ReplayOptions options = options_of(arguments);
    if (!arguments.steps) {
        print_state(replay(store, stream, *aggregate, options), context);
        return Exit::done;
    }
    static_cast<void>(replay_steps(store, stream, *aggregate, options, [&](const Step& step) {
        print_step(stream, step, context);
        return true;
    }));
    return Exit::done;
}

}  // namespace

void add_replay(CommandLine& line) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App& app = line.add(
        {"replay",
         "Fold a stream's events into the state of its aggregate, now or as it was. Its type's file in the folder\n"
         "of aggregates says how; without one, state is the JSON merge patch of all data.",
         "stele replay order/10248 --steps\n"
         "stele replay Site/site-42 --at-time 2026-01-05T10:00:00Z",
         "0 done · 1 failed, at an event that cannot be folded · 2 command line ·\n"
         "4 no such stream, or it was not there yet"},
        [arguments](Context& context) { return run(*arguments, context); });
    stream_argument(app, arguments->stream, "[tenant:]Type/id");
    number(app, "--at-version", "V", arguments->at_version, 1, "the state at this version");
    number(app, "--at-position", "P", arguments->at_position, 1, "the state at this position of the log");
    time(app, "--at-time", arguments->at_time, "the state at that time, by when events were recorded");
    flag(app, "--occurred", arguments->occurred, "with --at-time: by when events happened");
    needs(app, "--occurred", "--at-time");
    flag(app, "--steps", arguments->steps, "each event, and what it changed");
    text(app, "--aggregate", "FILE", arguments->aggregate, "the .sql file that says how to fold");
}

}  // namespace stele::tool
