// stele listener explain: what a listener does, and with which events. stele explain, debug-event: what listeners
// make of an event.
#include "../chosen_event.hpp"
#include "../chosen_listeners.hpp"
#include "../definitions.hpp"
#include "../listener_output.hpp"
#include "../options.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <algorithm>
#include <memory>
#include <sstream>

namespace stele::tool {
namespace {

using std::chrono::milliseconds;

std::string lasting(milliseconds time) { return human_seconds(std::chrono::duration<double>(time).count()); }

std::string selection_of(const Listener::Head& head) {
    std::ostringstream text;
    if (head.query.selects_everything()) {
        text << "every event";
    } else {
        text << "events of " << head.query;
    }
    if (!head.where.text.empty()) text << " where " << head.where.text;
    return text.str();
}

std::string order_of(const Listener::Head& head) {
    switch (head.order.kind) {
        case OrderBy::Kind::stream:
            return "by stream";
        case OrderBy::Kind::expression:
            return "by " + head.order.expression.text;
        case OrderBy::Kind::global:
            return "all one after another";
        case OrderBy::Kind::none:
            return "none";
    }
    return "";
}

std::string retries_of(const RetryPolicy& retry) {
    if (retry.attempts == 1) return "none: one attempt";
    std::string text = "up to " + counted(retry.attempts, "attempt") + ", ";
    if (retry.delays.empty()) {
        std::ostringstream growth;
        growth << lasting(retry.first) << " behind the first, each wait " << retry.factor
               << " times the one before, at most " << lasting(retry.longest);
        return text + growth.str();
    }
    for (std::size_t i = 0; i < retry.delays.size(); ++i)
        text += (i == 0 ? "after " : ", ") + lasting(retry.delays[i]);
    return text;
}

std::string end_of(const Listener::Head& head) {
    if (head.mode == ListenerMode::sync) return "a dead letter; nothing waits for it";
    switch (head.after_last) {
        case AfterLast::free_key:
            return "a dead letter; later events of the key are delivered";
        case AfterLast::hold_key:
            return "a dead letter; later events of the key wait until it is retried or discarded";
        case AfterLast::stop:
            return "the listener stops until it is resumed";
    }
    return "";
}

// What a listener does, each part with its name, for people and as JSON.
std::vector<std::pair<std::string, std::string>> parts_of(const Listener::Head& head) {
    const bool is_queued = head.mode == ListenerMode::queued;
    std::vector<std::pair<std::string, std::string>> parts{
        {"sink", head.appends ? head.sink + ", an append to the same store, exactly once" : head.sink},
        {"selects", selection_of(head)}};
    parts.emplace_back("runs", is_queued ? "in queue " + head.queue : "within append(), before it returns");
    if (is_queued) {
        parts.emplace_back("order", order_of(head));
        parts.emplace_back("retries", retries_of(head.retry));
    }
    parts.emplace_back("at last", end_of(head));
    if (head.stop_after_dead > 0)
        parts.emplace_back("stops", "when there are " + counted(head.stop_after_dead, "dead letter"));
    if (head.breaker.failures > 0)
        parts.emplace_back("breaker", "opens after " + counted(head.breaker.failures, "failure") +
                                          " in a row, for " + lasting(head.breaker.open));
    if (head.deduplication)
        parts.emplace_back("repetitions", "of " + head.deduplication->by.text + " within " +
                                              lasting(head.deduplication->within) + " are passed over");
    return parts;
}

Exit explain_definition(const Listener& listener, Context& context) {
    const auto parts = parts_of(listener.head());
    if (context.json()) {
        nlohmann::ordered_json json{{"name", listener.name()}};
        for (auto [name, text] : parts) {
            std::replace(name.begin(), name.end(), ' ', '_');
            json[name] = text;
        }
        context.out().json(json);
        return Exit::done;
    }
    context.out().line(listener.name());
    constexpr std::size_t width = 13;
    for (auto [name, text] : parts) {
        name.resize(width, ' ');
        context.out().line("  " + name + printable(text));
    }
    return Exit::done;
}

// ---- stele listener explain

struct OfListener {
    std::string name;
    std::optional<std::string> event;
};

Exit explain_listener(const OfListener& arguments, Context& context) {
    constexpr auto command = "stele listener explain";
    const EventStore store = context.open_existing();
    const auto known = known_listeners(context);
    (void)names_of_listeners({arguments.name}, false, command, store, known);
    const auto listener = known.find(arguments.name);
    if (!listener)
        throw Failure{Exit::not_found,
                      "not_found",
                      store.name() + ": nothing defines listener \"" + arguments.name +
                          "\" any more; what it has left is in control.db",
                      {{"store", store.name()}, {"listener", arguments.name}}}
            .hint("stele listener status " + arguments.name);
    if (!arguments.event) return explain_definition(*listener, context);
    const auto event = event_named(*arguments.event, command, store);
    ListenerRegistry only;
    only.add(listener);
    print_explanations(event, explain_event(store, only, event), context);
    return Exit::done;
}

// ---- stele explain, stele debug-event

void explain_all(const std::vector<Event>& events, const EventStore& store, Context& context) {
    const auto known = known_listeners(context);
    const auto explanations = explain_events(store, known, events);
    for (std::size_t i = 0; i < events.size(); ++i) print_explanations(events[i], explanations[i], context);
    if (known.empty() && !context.json()) note("no listeners are defined: nothing is delivered");
}

Exit explain(const std::string& word, Context& context) {
    const EventStore store = context.open_existing();
    explain_all({event_named(word, "stele explain", store)}, store, context);
    return Exit::done;
}

struct History {
    std::optional<std::string> event;
    std::optional<std::int64_t> last;
};

Exit debug_event(const History& arguments, Context& context) {
    const EventStore store = context.open_existing();
    if (arguments.event) {
        explain_all({event_named(*arguments.event, "stele debug-event", store)}, store, context);
        return Exit::done;
    }
    if (!arguments.last) throw usage_failure("stele debug-event", "which events? an EVENT, or --history N");
    const auto behind = std::max<std::int64_t>(0, store.head().value() - *arguments.last);
    // A page at a time: N may be large.
    constexpr std::size_t page = 1'000;
    std::vector<Event> events;
    for (const Event& event : store.read(all().after(Position{behind}))) {
        events.push_back(event);
        if (events.size() < page) continue;
        explain_all(events, store, context);
        events.clear();
    }
    explain_all(events, store, context);
    return Exit::done;
}

constexpr auto exit_status = "0 done · 1 failed · 2 command line · 4 no such store or event";

}  // namespace

void add_listener_explain(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<OfListener>();
    CLI::App& app = line.add(group,
                             {"explain",
                              "Say what a listener does: what it selects, in what order, when it tries again, what "
                              "comes at last. With an\n"
                              "event: whether it selects that one, or why not, and what has become of it.",
                              "stele listener explain send_notification\n"
                              "stele listener explain send_notification 90112",
                              "0 done · 1 failed · 2 command line · 4 no such store, listener or event"},
                             [arguments](Context& context) { return explain_listener(*arguments, context); });
    argument(app, "NAME", arguments->name, "a listener of the project");
    optional_argument(app, "EVENT", arguments->event, "its position, or its id");
}

void add_explain(CommandLine& line) {
    const auto word = std::make_shared<std::string>();
    CLI::App& one =
        line.add({"explain",
                  "Say what listeners make of an event: which select it, which not and why, and what has "
                  "become of it.",
                  "stele explain 90112\n"
                  "stele explain 0193fbd2-7c1e-7000-8000-000000000001 --json",
                  exit_status},
                 [word](Context& context) { return explain(*word, context); });
    argument(one, "EVENT", *word, "its position, or its id");

    const auto history = std::make_shared<History>();
    CLI::App& many = line.add({"debug-event", "The same as explain, and over the last events of the log.",
                               "stele debug-event --history 20", exit_status},
                              [history](Context& context) { return debug_event(*history, context); });
    optional_argument(many, "EVENT", history->event, "its position, or its id");
    number(many, "--history", "N", history->last, 1, "the last N events instead");
    excludes(many, "--history", "EVENT");
}

}  // namespace stele::tool
