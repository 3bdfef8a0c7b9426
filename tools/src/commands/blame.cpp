// stele blame: each field of an aggregate's state, and the event that last set it.
#include "../event_output.hpp"
#include "../options.hpp"
#include "../replay_arguments.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/replay/blame.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct BlameArguments {
    ReplayArguments replay;
    std::optional<std::string> pointer;
};

using ordered = nlohmann::ordered_json;

void print_json(const Blamed& blamed, Output& out) {
    for (const auto& field : blamed.fields) {
        ordered line{{"pointer", field.pointer}, {"value", field.value}};
        if (const auto& event = field.set_by) {
            line["version"] = event->version.value();
            line["position"] = event->position.value();
            line["type"] = event->type;
            line["recorded_at"] = to_rfc3339(event->recorded_at);
            line["occurred_at"] = to_rfc3339(event->occurred_at);
            line["actor"] = or_null(event->actor());
            line["id"] = event->id.to_string();
            line["correlation_id"] = or_null(event->correlation_id());
        } else {
            line["version"] = 0;
            line["position"] = 0;
            for (const char* name : {"type", "recorded_at", "occurred_at", "actor", "id", "correlation_id"})
                line[name] = nullptr;
        }
        out.json(line);
    }
}

void print_table(const Blamed& blamed, Output& out) {
    note(printable(blamed.state.stream.name()) + " at version " + std::to_string(blamed.state.version.value()) +
         ", position " + std::to_string(blamed.state.position.value()));
    using Align = Table::Align;
    Table table{out, {{"FIELD"}, {"VERSION", Align::right}, {"OCCURRED AT"}, {"TYPE"}, {"ACTOR"}, {"VALUE"}}};
    for (const auto& field : blamed.fields) {
        const std::string pointer = field.pointer.empty() ? "(all)" : field.pointer;
        if (const auto& event = field.set_by) {
            table.row({pointer, std::to_string(event->version.value()), human_time(event->occurred_at), event->type,
                       event->actor().value_or("-"), field.value.dump()});
        } else {
            table.row({pointer, "0", "-", "(initial state)", "-", field.value.dump()});
        }
    }
    table.flush_rows();
}

// `lines/0/price` is taken for `/lines/0/price`.
std::string pointer_of(const std::optional<std::string>& word) {
    if (!word || word->empty() || word->front() == '/') return word.value_or(std::string{});
    return '/' + *word;
}

Exit run_blame(const BlameArguments& arguments, Context& context) {
    const auto [store, stream, aggregate] = replayed_stream(context, arguments.replay, "stele blame");
    Progress progress{"blame", "events"};
    const auto pointer = pointer_of(arguments.pointer);
    const auto blamed = blame(store, stream, *aggregate, pointer, arguments.replay.options(progress));
    progress.clear();
    context.json() ? print_json(blamed, context.out()) : print_table(blamed, context.out());
    return Exit::done;
}

}  // namespace

void add_blame(CommandLine& line) {
    const auto arguments = std::make_shared<BlameArguments>();
    CLI::App& app = line.add(
        {"blame",
         "Show each field of an aggregate's state, with the event that last set it: the last one behind which its\n"
         "value was another. Elements of an array keep their event when others come or go beside them.",
         "stele blame order/10249\n"
         "stele blame order/10249 /lines/0 --at-version 3",
         "0 done · 1 failed, at an event that cannot be folded · 2 command line ·\n"
         "4 no such stream, it was not there yet, or nothing is at POINTER"},
        [arguments](Context& context) { return run_blame(*arguments, context); });
    arguments->replay.add_stream_to(app);
    optional_argument(app, "POINTER", arguments->pointer,
                      "the fields below it, such as /lines/0; else those of the whole state");
    arguments->replay.add_bounds_to(app);
    arguments->replay.add_fold_to(app);
}

}  // namespace stele::tool
