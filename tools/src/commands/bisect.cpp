// stele bisect: since when does a condition on the state hold?
#include "../change_output.hpp"
#include "../colour.hpp"
#include "../json_layout.hpp"
#include "../options.hpp"
#include "../replay_arguments.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/replay/bisect.hpp>
#include <stele/replay/json_diff.hpp>
#include <stele/schema/event_json.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct BisectArguments {
    ReplayArguments replay;
    std::string condition;
    bool changes = false;
    bool last = false;
};

void print(const Turn& turn, bool says_which, Context& context) {
    Output& out = context.out();
    const auto& stream = turn.event.stream;
    const auto before = value_of(State{stream, turn.event.version.previous(), {}, turn.before});
    const auto changes =
        json_diff(before, value_of(State{stream, turn.event.version, turn.event.position, turn.after}));
    if (context.json()) {
        const auto& event = turn.event;
        return out.line("{\"stream\":" + nlohmann::json(event.stream.name()).dump() +
                        ",\"version\":" + std::to_string(event.version.value()) + ",\"position\":" +
                        std::to_string(event.position.value()) + ",\"holds\":" + (turn.holds ? "true" : "false") +
                        ",\"state\":" + json_on_one_line(turn.after.text()) + ",\"event\":" + to_event_line(event) +
                        ",\"changes\":" + changes.dump() + "}");
    }
    const std::string heading = event_heading(turn.event);
    if (!says_which) {
        out.line(painted(out, Colour::bold, heading));
    } else {
        const std::string which = turn.holds ? "holds   " : "ceases  ";
        out.line(painted(out, turn.holds ? Colour::green : Colour::red, which) +
                 painted(out, Colour::bold, heading));
    }
    print_changes(out, changes, before, "  ");
    if (changes.empty()) out.line("  (no change)");
}

Exit run_bisect(const BisectArguments& arguments, Context& context) {
    sql::Condition condition{{arguments.condition, "condition"}, sql::Condition::Over::event_and_state};
    const auto [store, stream, aggregate] = replayed_stream(context, arguments.replay, "stele bisect");
    Progress progress{"bisect", "events"};
    const auto options = arguments.replay.options(progress);

    std::optional<Turn> found;
    std::int64_t printed = 0;
    const auto events = turns(store, stream, *aggregate, condition, options, [&](const Turn& turn) {
        if (arguments.changes) {
            progress.clear();
            print(turn, true, context);
            ++printed;
            return true;
        }
        if (turn.holds) found = turn;
        return arguments.last || !turn.holds;
    });
    progress.clear();
    if (found) print(*found, false, context);
    if (found || printed > 0) return Exit::done;
    throw Failure{
        Exit::not_found,
        "never_holds",
        store.name() + ": " + stream.name() + ": the condition holds behind none of " + counted(events, "event"),
        {{"store", store.name()}, {"stream", stream.name()}, {"events", events}}};
}

}  // namespace

void add_bisect(CommandLine& line) {
    const auto arguments = std::make_shared<BisectArguments>();
    CLI::App& app = line.add(
        {"bisect",
         "Find the first event behind which a condition holds: an SQL expression on $state, $state(path) and the\n"
         "event. It is computed after each event from the first one on, as a condition may hold and cease again.",
         "stele bisect order/10249 '$state(total) > 1000'\n"
         "stele bisect Stock/lamp '$state(reserved) > $state(on_hand)' --changes",
         "0 done · 1 failed, at an event that cannot be folded, or that the condition cannot be computed for ·\n"
         "2 command line · 4 no such stream, or it never holds"},
        [arguments](Context& context) { return run_bisect(*arguments, context); });
    arguments->replay.add_stream_to(app);
    argument(app, "CONDITION", arguments->condition, "such as '$state(total) > 1000', kept from the shell's own $");
    flag(app, "--changes", arguments->changes, "each event at which it begins to hold, or ceases to");
    flag(app, "--last", arguments->last, "the last event at which it begins to hold");
    excludes(app, "--changes", "--last");
    arguments->replay.add_bounds_to(app);
    arguments->replay.add_fold_to(app);
}

}  // namespace stele::tool
