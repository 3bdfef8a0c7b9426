// stele trace: what caused an event, and what it caused.
#include "../event_output.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/replay/trace.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct TraceArguments {
    std::string id;
    bool correlation = false;
    std::optional<std::int64_t> after;
    std::optional<std::int64_t> until_position;
    std::optional<std::int64_t> limit;
    bool raw = false;
};

using ordered = nlohmann::ordered_json;

void print_json(const Trace& trace, Output& out) {
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
        const auto& node = trace.nodes[i];
        out.json(ordered{{"position", node.event.position.value()},
                         {"id", node.event.id.to_string()},
                         {"stream", node.event.stream.name()},
                         {"type", node.event.type},
                         {"causation_id", or_null(node.causation_id)},
                         {"depth", node.depth},
                         {"version", node.event.version.value()},
                         {"correlation_id", or_null(node.correlation_id)},
                         {"occurred_at", to_rfc3339(node.event.occurred_at)},
                         {"recorded_at", to_rfc3339(node.event.recorded_at)},
                         {"actor", or_null(node.event.actor())},
                         {"asked", trace.asked == i},
                         {"cause_is_missing", node.cause_is_missing},
                         {"closes_a_cycle", node.closes_a_cycle}});
    }
}

// The lines of the tree before each event: "│  └─ ".
std::vector<std::string> branches(const Trace& trace) {
    const auto& nodes = trace.nodes;
    std::vector<std::size_t> last_effect(nodes.size(), 0);
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].parent) last_effect[*nodes[i].parent] = i;

    // Deep trees are drawn at the depth that a terminal has room for.
    constexpr int deepest_drawn = 20;
    std::vector<std::string> below(nodes.size());  // what stands before the effects of each
    std::vector<std::string> before(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        if (!nodes[i].parent) continue;
        const auto parent = *nodes[i].parent;
        const bool is_last = last_effect[parent] == i;
        before[i] = below[parent] + (is_last ? "└─ " : "├─ ");
        below[i] = nodes[i].depth < deepest_drawn ? below[parent] + (is_last ? "   " : "│  ") : below[parent];
    }
    return before;
}

std::string remark(const Trace& trace, std::size_t i) {
    const auto& node = trace.nodes[i];
    std::string text;
    const auto add = [&](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (trace.asked == i) add("asked for");
    if (node.cause_is_missing) add("its cause is no event: " + *node.causation_id);
    if (node.closes_a_cycle) add("a cycle: its cause is its own effect, " + *node.causation_id);
    return text;
}

void print_tree(const Trace& trace, Output& out) {
    using Align = Table::Align;
    Table table{out, {{"POSITION", Align::right}, {"EVENT"}, {"STREAM"}, {"OCCURRED AT"}, {"ACTOR"}, {"REMARK"}}};
    const auto lines = branches(trace);
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
        const auto& event = trace.nodes[i].event;
        table.row({std::to_string(event.position.value()), lines[i] + event.type, event.stream.name(),
                   human_time(event.occurred_at), event.actor().value_or("-"), remark(trace, i)});
    }
    table.flush_rows();
}

Exit run_trace(const TraceArguments& arguments, Context& context) {
    const EventStore store = context.open_existing(Context::seen(arguments.raw));
    Progress progress{"trace", "events"};
    TraceOptions options;
    options.after = Position{arguments.after.value_or(0)};
    if (arguments.until_position) options.until = Position{*arguments.until_position};
    if (arguments.limit) options.most_events = static_cast<std::size_t>(*arguments.limit);
    options.progress = [&](std::int64_t done, std::int64_t total) { progress.update(done, done, total); };
    const auto start =
        arguments.correlation ? TraceStart{CorrelationId{arguments.id}} : parse_trace_start(arguments.id);
    const auto found = trace(store, start, options);
    progress.clear();

    if (context.json()) {
        print_json(found, context.out());
    } else {
        note("correlation_id " + printable(found.correlation_id) + ": " +
             counted(static_cast<std::int64_t>(found.nodes.size()), "event"));
        print_tree(found, context.out());
    }
    if (found.is_cut)
        note("there may be more: cut at " + counted(static_cast<std::int64_t>(options.most_events), "event") +
             ", see --limit");
    return Exit::done;
}

}  // namespace

void add_trace(CommandLine& line) {
    const auto arguments = std::make_shared<TraceArguments>();
    CLI::App& app = line.add(
        {"trace",
         "Show what caused an event and what it caused, over all streams, as a tree: by causation_id and\n"
         "correlation_id in metadata. These are not indexed: the log is read through once, from the event's first\n"
         "cause on where its correlation_id is that cause's id, else from the beginning.",
         "stele trace 90112\n"
         "stele trace request-3 --json",
         "0 done · 1 failed · 2 command line · 4 no such event, and none with such a correlation_id"},
        [arguments](Context& context) { return run_trace(*arguments, context); });
    argument(app, "ID", arguments->id, "a position, an event's id, or a correlation_id");
    flag(app, "--correlation", arguments->correlation, "ID is a correlation_id, even where it is a number");
    number(app, "--after", "P", arguments->after, 0, "look at the log behind this position");
    number(app, "--until-position", "P", arguments->until_position, 0, "and up to this one");
    number(app, "--limit", "N", arguments->limit, 1, "stop at so many events; 100000 if absent");
    raw_flag(app, arguments->raw);
}

}  // namespace stele::tool
