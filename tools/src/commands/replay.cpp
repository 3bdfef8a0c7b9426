// stele replay: an aggregate from its events.
#include "../change_output.hpp"
#include "../colour.hpp"
#include "../definitions.hpp"
#include "../json_layout.hpp"
#include "../options.hpp"
#include "../replay_arguments.hpp"
#include "../replay_stepper.hpp"
#include "../terminal.hpp"
#include "../what_if_output.hpp"
#include "commands.hpp"

#include <stele/replay/replay.hpp>
#include <stele/schema/event_json.hpp>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>

namespace stele::tool {
namespace {

struct ReplayCommandArguments {
    ReplayArguments replay;
    bool steps = false;
    bool step = false;
    std::set<Version> without;
    std::optional<std::string> with;

    [[nodiscard]] bool compares() const { return !without.empty() || with; }
};

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

void print_step(const Step& step, Context& context) {
    Output& out = context.out();
    if (context.json()) {
        const State state{step.event.stream, step.event.version, step.event.position, step.after};
        return out.line(
            json_line(state, ",\"event\":" + to_event_line(step.event) + ",\"changes\":" + step.changes.dump()));
    }
    out.line(painted(out, Colour::bold, event_heading(step.event)));
    print_changes(out, step.changes, step.before.value(), "  ");
    if (step.changes.empty()) out.line("  (no change)");
}

// `3,5`
std::set<Version> versions_in(const std::string& word) {
    std::set<Version> versions;
    for (std::size_t at = 0; at <= word.size();) {
        const auto end = std::min(word.find(',', at), word.size());
        std::int64_t version = 0;
        const auto [stop, error] = std::from_chars(word.data() + at, word.data() + end, version);
        if (error != std::errc{} || stop != word.data() + end || version < 1)
            throw BadValue{"versions such as 3, or 3,5", word};
        versions.insert(Version{version});
        at = end + 1;
    }
    return versions;
}

// "without version 3, by new.sql"
std::string other_fold(const ReplayCommandArguments& arguments) {
    std::string text;
    for (const auto version : arguments.without)
        text += (text.empty() ? "without version " : ", ") + std::to_string(version.value());
    if (arguments.with) text += (text.empty() ? "by " : ", by ") + *arguments.with;
    return text;
}

Exit compare(const ReplayCommandArguments& arguments, const ReplayedStream& of, Context& context) {
    std::shared_ptr<const Aggregate> with;
    if (arguments.with)
        with = aggregate_for(context, of.stream.aggregate_type(), arguments.with, "stele replay", "--with");
    Progress progress{"replay", "events"};
    const auto comparison = compare_folds(of.store, of.stream, *of.aggregate, {arguments.without, with.get()},
                                          arguments.replay.options(progress));
    progress.clear();
    return print_comparison(comparison, other_fold(arguments), context);
}

Exit run_replay(const ReplayCommandArguments& arguments, Context& context) {
    const auto of = replayed_stream(context, arguments.replay, "stele replay");
    if (arguments.compares()) return compare(arguments, of, context);
    if (arguments.step) return step_through(of, context);
    // Lines that are printed meanwhile say how far it is.
    const bool is_seen = arguments.steps && context.out().terminal();
    Progress progress{"replay", "events", is_seen ? Progress::Wanted::no : Progress::Wanted::yes};
    const auto options = arguments.replay.options(progress);
    if (!arguments.steps) {
        const auto state = replay(of.store, of.stream, *of.aggregate, options);
        progress.clear();
        print_state(state, context);
        return Exit::done;
    }
    static_cast<void>(replay_steps(of.store, of.stream, *of.aggregate, options, [&](const Step& step) {
        print_step(step, context);
        return true;
    }));
    return Exit::done;
}

}  // namespace

void add_replay(CommandLine& line) {
    const auto arguments = std::make_shared<ReplayCommandArguments>();
    CLI::App& app = line.add(
        {"replay",
         "Fold a stream's events into the state of its aggregate, now or as it was. Its type's file in the folder\n"
         "of aggregates says how; without one, state is the JSON merge patch of all data.",
         "stele replay order/10248 --steps\n"
         "stele replay Site/site-42 --at-time 2026-01-05T10:00:00Z\n"
         "stele replay order/10249 --without 3",
         "0 done · 1 failed, at an event that cannot be folded · 2 command line ·\n"
         "4 no such stream, or it was not there yet"},
        [arguments](Context& context) { return run_replay(*arguments, context); });
    arguments->replay.add_stream_to(app);
    arguments->replay.add_bounds_to(app);
    flag(app, "--steps", arguments->steps, "each event, and what it changed");
    flag(app, "--step", arguments->step, "the same in a terminal: forward and back, a key for each step");
    arguments->replay.add_fold_to(app);
    option(
        app, "--without", "V,V", [arguments](const std::string& word) { arguments->without = versions_in(word); },
        "what if these events had not happened: where the states part, and how they differ in the end");
    text(app, "--with", "FILE", arguments->with,
         "what this .sql file makes of the same events, compared in the same way");
    for (const char* compared : {"--without", "--with"}) {
        excludes(app, "--steps", compared);
        excludes(app, "--step", compared);
    }
    for (const char* bound : {"--steps", "--at-version", "--at-position", "--at-time"})
        excludes(app, "--step", bound);
}

}  // namespace stele::tool
