// stele find: the events for which an SQL condition holds.
#include "../event_filters.hpp"
#include "../event_output.hpp"
#include "../missing_stream.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/replay/find.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct FindArguments {
    std::string condition;
    std::optional<StreamId> stream;
    EventFilters filters;
    bool backward = false;
    bool count = false;
    bool explain = false;
};

// What the filters select; their limit is about what is found.
Read read_of(const FindArguments& arguments) {
    auto filters = arguments.filters;
    filters.limit.reset();
    Read read = filters.read();
    if (arguments.stream) read.stream(*arguments.stream);
    return read.backward(arguments.backward);
}

void explain(const FindPlan& plan, Context& context) {
    if (context.json())
        return context.out().json(nlohmann::ordered_json{
            {"way", plan.way}, {"narrowed_to", plan.narrowed_to}, {"nothing", plan.nothing}});
    context.out().line(plan.way);
    for (const auto& line : plan.narrowed_to) context.out().line("  " + printable(line));
    if (!plan.nothing) context.out().line("then the condition is computed for each event");
}

Exit run_find(const FindArguments& arguments, Context& context) {
    sql::Condition condition{{arguments.condition, "condition"}, sql::Condition::Over::event};
    const EventStore store = context.open_existing(arguments.filters.events());
    if (arguments.stream && !store.version(*arguments.stream))
        throw missing_stream(store, *arguments.stream, "stele read");
    const Read read = read_of(arguments);
    if (arguments.explain) {
        explain(plan_find(store, condition, read), context);
        return Exit::done;
    }

    Progress progress{"find", "events looked at"};
    FindOptions options;
    options.limit = arguments.filters.limit;
    options.whole_events = !arguments.count;
    std::int64_t looked_at = 0;
    options.progress = [&](std::int64_t done, std::int64_t total) {
        progress.update(looked_at += 1'000, done, total);
    };
    EventPrinter printer{context.out(), context.json(), EventPrinter::Streams::shown};
    const auto found = find(
        store, condition, read,
        [&](const Event& event) {
            if (arguments.count) return true;
            progress.clear();
            printer.print(event);
            return true;
        },
        options);
    progress.clear();
    printer.flush();
    if (!arguments.count) return Exit::done;
    if (context.json())
        context.out().json(nlohmann::ordered_json{{"events", found.events}, {"looked_at", found.looked_at}});
    else
        context.out().line(std::to_string(found.events));
    return Exit::done;
}

}  // namespace

void add_find(CommandLine& line) {
    const auto arguments = std::make_shared<FindArguments>();
    CLI::App& app = line.add(
        {"find",
         "Print the events for which a condition holds: an SQL expression on the event. What it says of type,\n"
         "stream, tags, position and recorded_at is looked up in indices; the rest is computed event by event.",
         "stele find '$data(total) > 1000' --type OrderPlaced\n"
         "stele find \"\\$metadata(actor) = 'user-7'\" order/10249 --count",
         "0 done, also where nothing is found · 1 failed, or the condition cannot be computed for an event ·\n"
         "2 command line · 4 no such store or stream"},
        [arguments](Context& context) { return run_find(*arguments, context); });
    argument(app, "CONDITION", arguments->condition, "such as '$data(total) > 1000', kept from the shell's own $");
    optional_stream_argument(app, arguments->stream, "[tenant:]Type/id, to look at this stream alone");
    arguments->filters.add_to(app);
    flag(app, "--backward", arguments->backward, "newest first");
    flag(app, "--count", arguments->count, "print how many there are");
    flag(app, "--explain", arguments->explain, "print which events would be looked at, and how");
    excludes(app, "--explain", "--count");
}

}  // namespace stele::tool
