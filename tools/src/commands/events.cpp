// stele events: the log, and what is appended to it.
#include "../event_filters.hpp"
#include "../event_output.hpp"
#include "../options.hpp"
#include "../stop_on_interrupt.hpp"
#include "../suggest.hpp"
#include "commands.hpp"

#include <algorithm>
#include <memory>

namespace stele::tool {
namespace {

struct EventsArguments {
    EventFilters filters;
    bool backward = false;
    bool follow = false;
};

// An empty answer to a misspelt type looks like an answer. People get told; programs asked for events.
void note_unknown_types(const EventStore& store, const std::vector<std::string>& wanted) {
    std::vector<std::string> known;
    for (const auto& info : store.types()) known.push_back(info.type);
    for (const auto& type : wanted) {
        if (std::find(known.begin(), known.end(), type) != known.end()) continue;
        const auto meant = nearest(type, known);
        note(store.name() + ": no event is of type \"" + type + "\"" +
             (meant ? "; did you mean \"" + *meant + "\"?" : ""));
    }
}

Exit list_events(const EventsArguments& arguments, Context& context) {
    const EventStore store = context.open_existing(arguments.filters.events());
    EventPrinter printer{context.out(), context.json(), EventPrinter::Streams::shown};
    for (const Event& event : store.read(arguments.filters.read().backward(arguments.backward)))
        printer.print(event);
    printer.flush();
    if (printer.printed() == 0 && !context.json()) note_unknown_types(store, arguments.filters.types);
    return Exit::done;
}

// What a subscription does not select by itself.
bool has_correlation(const Event& event, const std::string& id) {
    const auto metadata = event.metadata.value();
    const auto found = metadata.find("correlation_id");
    return found != metadata.end() && found->is_string() && found->get_ref<const std::string&>() == id;
}

Position start_of(const EventFilters& filters, const EventStore& store) {
    Position start{filters.after.value_or(0)};
    if (filters.since) start = std::max(start, store.position_at(*filters.since - std::chrono::microseconds{1}));
    return start;
}

Exit follow(const EventsArguments& arguments, Context& context) {
    const auto& filters = arguments.filters;
    const EventStore store = context.open_existing(arguments.filters.events());
    const Interrupt interrupt;
    Subscription subscription = store.subscribe(filters.read().query(), start_of(filters, store));
    const StopOnInterrupt stop{[&] { subscription.stop(); }, interrupt, context.out().fd()};

    EventPrinter printer{context.out(), context.json(), EventPrinter::Streams::shown};
    while (!subscription.stopped()) {
        const auto page = subscription.next_page(std::chrono::hours{1});
        for (const Event& event : page) {
            if (filters.limit && printer.printed() >= *filters.limit) break;
            if (!filters.correlation || has_correlation(event, *filters.correlation)) printer.print(event);
        }
        printer.flush();
        if (filters.limit && printer.printed() >= *filters.limit) break;
    }
    return Exit::done;
}

Exit run_events(const EventsArguments& arguments, Context& context) {
    if (!arguments.follow) return list_events(arguments, context);
    if (arguments.filters.limit == 0) return Exit::done;
    return follow(arguments, context);
}

}  // namespace

void add_events(CommandLine& line) {
    const auto arguments = std::make_shared<EventsArguments>();
    CLI::App& app = line.add(
        {"events", "Print the events of the log, oldest first. An event is printed when it meets every condition.",
         "stele events --type BackupFailed --tag tenant:acme --since 2026-01-05 --limit 50\n"
         "stele events --after 90112 --follow --json",
         "0 done, also when --follow is interrupted · 1 failed · 2 command line · 4 no such store"},
        [arguments](Context& context) { return run_events(*arguments, context); });
    arguments->filters.add_to(app);
    flag(app, "--backward", arguments->backward, "newest first");
    flag(app, "--follow", arguments->follow, "then wait, and print events as they are appended, until interrupted");
    for (const char* bound : {"--backward", "--until", "--until-position"}) excludes(app, "--follow", bound);
}

}  // namespace stele::tool
