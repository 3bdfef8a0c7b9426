// stele dead-letter: what could not be delivered; look at it, have it tried again, give it up.
#include "../definitions.hpp"
#include "../event_output.hpp"
#include "../listener_output.hpp"
#include "../options.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/schema/event_json.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct DeadLetterArguments {
    std::optional<std::int64_t> id;
    std::optional<std::string> listener;
    std::optional<std::string> type;
    std::optional<std::string> key;
    std::optional<std::string> cause;
    std::optional<Timestamp> since;
    std::optional<std::int64_t> limit;
    bool all = false;
    bool dry_run = false;

    [[nodiscard]] DeadLetterFilter filter() const {
        DeadLetterFilter filter{listener, type, key, cause, since, id, {}};
        if (limit) filter.limit = static_cast<std::size_t>(*limit);
        return filter;
    }
    [[nodiscard]] bool says_which() const { return all || id || listener || type || key || cause || since; }
    // Whether a misspelling may be why nothing was found: `--type Paied` has no letters, and neither has an id that
    // is gone.
    [[nodiscard]] bool narrows() const { return id || listener || type || key || cause || since; }
};

Failure no_letter(std::int64_t id, const EventStore& store) {
    return Failure{
        Exit::not_found,
        "not_found",
        store.name() + ": no dead letter " + std::to_string(id) + ": delivered or discarded since, or never there",
        {{"store", store.name()}, {"id", id}}}
        .hint("stele dead-letter list");
}

Exit list_letters(const DeadLetterArguments& arguments, Context& context) {
    const EventStore store = context.open_existing();
    const auto letters = dead_letters(store, arguments.filter());
    if (context.json()) {
        for (const auto& letter : letters) context.out().json(to_json(letter));
        return Exit::done;
    }
    print_letter_table(letters, context.out());
    if (letters.empty()) note(store.name() + ": no dead letters" + (arguments.narrows() ? " of this kind" : ""));
    return Exit::done;
}

Exit show(const DeadLetterArguments& arguments, Context& context) {
    const EventStore store = context.open_existing();
    const auto letters = dead_letters(store, {.id = arguments.id});
    if (letters.empty()) throw no_letter(*arguments.id, store);
    const auto& letter = letters.front();
    const auto attempts = attempts_of(store, letter.id);
    const auto event = store.at(letter.position);
    if (context.json()) {
        auto json = to_json(letter);
        auto each = nlohmann::ordered_json::array();
        for (const auto& attempt : attempts) each.push_back(to_json(attempt));
        json["attempts_made"] = std::move(each);
        json["event"] = event ? nlohmann::ordered_json::parse(to_event_line(*event)) : nlohmann::ordered_json();
        context.out().json(json);
        return Exit::done;
    }
    auto& out = context.out();
    out.line("dead letter " + std::to_string(letter.id) + " of " + letter.listener + ", key " +
             printable(letter.key) +
             (letter.holds_key  ? ": later events of the key wait for it"
              : letter.retrying ? ": is tried again"
                                : ""));
    Table table{out,
                {{"ATTEMPT", Table::Align::right}, {"AT"}, {"TOOK", Table::Align::right}, {"CAUSE"}, {"ERROR"}}};
    for (const auto& attempt : attempts)
        table.row({std::to_string(attempt.number), human_time(attempt.at),
                   human_seconds(std::chrono::duration<double>(attempt.duration).count()), attempt.cause,
                   attempt.error});
    table.flush_rows();
    if (!event) return Exit::done;
    EventPrinter printer{out, false, EventPrinter::Streams::shown};
    printer.print(*event);
    printer.flush();
    return Exit::done;
}

Exit stats(const DeadLetterArguments& arguments, Context& context) {
    const EventStore store = context.open_existing();
    const auto all = dead_letter_stats(store, arguments.filter());
    if (context.json()) {
        for (const auto& one : all)
            context.out().json({{"listener", one.listener},
                                {"type", one.type},
                                {"cause", one.cause},
                                {"count", one.count},
                                {"first_failed_at", to_rfc3339(one.first_failed_at)},
                                {"last_failed_at", to_rfc3339(one.last_failed_at)}});
        return Exit::done;
    }
    Table table{context.out(),
                {{"LISTENER"}, {"TYPE"}, {"CAUSE"}, {"COUNT", Table::Align::right}, {"FIRST"}, {"LAST"}}};
    for (const auto& one : all)
        table.row({one.listener, one.type, one.cause, std::to_string(one.count), human_time(one.first_failed_at),
                   human_time(one.last_failed_at)});
    table.flush_rows();
    if (all.empty()) note(store.name() + ": no dead letters" + (arguments.narrows() ? " of this kind" : ""));
    return Exit::done;
}

// Retry and discard: what they are called, and what they do to the letters of a filter.
struct Change {
    const char* command;
    const char* done;
    const char* planned;
    std::vector<DeadLetter> (*change)(const EventStore&, const DeadLetterFilter&, bool dry_run, const std::string&);
};
constexpr Change retrying{"stele dead-letter retry", "is tried again", "would be tried again", retry_dead_letters};
constexpr Change discarding{"stele dead-letter discard", "was discarded", "would be discarded",
                            discard_dead_letters};

// Whoever retries is told where nobody would deliver.
void note_idle_listeners(const std::vector<DeadLetter>& letters, const EventStore& store, Context& context) {
    const auto known = known_listeners(context);
    std::string told;
    for (const auto& letter : letters) {
        if (letter.listener == told) continue;
        told = letter.listener;
        const auto status = listener_status(store, known, told);
        if (status.state == "live" && !status.owner.empty()) continue;
        note(told + " " + (status.state == "live" ? "is run by nobody" : "is " + status.state) +
             (status.advice.empty() ? "" : ": " + status.advice));
    }
}

Exit change(const Change& what, const DeadLetterArguments& arguments, Context& context) {
    if (!arguments.says_which())
        throw usage_failure(what.command, "which dead letters? an ID, a filter such as --listener NAME, or --all");
    const EventStore store = context.open_existing();
    const auto letters = what.change(store, arguments.filter(), arguments.dry_run, {});
    if (arguments.id && letters.empty()) {
        if (!dead_letters(store, {.id = arguments.id}).empty())
            throw Failure{
                Exit::failed, "not_retried",
                store.name() + ": dead letter " + std::to_string(*arguments.id) +
                    " is of a sync listener, or of another kind than was asked for: it is not tried again"}
                .hint("stele dead-letter discard " + std::to_string(*arguments.id));
        throw no_letter(*arguments.id, store);
    }
    for (const auto& letter : letters) {
        if (context.json()) {
            auto json = to_json(letter);
            json["dry_run"] = arguments.dry_run;
            context.out().json(json);
        } else {
            context.out().line(std::to_string(letter.id) + ": " + printable(letter.type) + " of " +
                               printable(letter.stream) + " at position " +
                               std::to_string(letter.position.value()) + " for " + letter.listener + " " +
                               (arguments.dry_run ? what.planned : what.done));
        }
    }
    if (context.json()) return Exit::done;
    const auto count = static_cast<std::int64_t>(letters.size());
    note(counted(count, "dead letter") + (arguments.dry_run ? ", nothing was changed" : ""));
    if (what.change == retry_dead_letters && !arguments.dry_run) note_idle_listeners(letters, store, context);
    return Exit::done;
}

void add_filter(CLI::App& app, DeadLetterArguments& arguments) {
    text(app, "--listener", "NAME", arguments.listener, "those of this listener");
    text(app, "--type", "TYPE", arguments.type, "those of events of this type");
    text(app, "--key", "KEY", arguments.key, "those of this key: a stream, unless the listener orders otherwise");
    text(app, "--cause", "CAUSE", arguments.cause, "those that failed for this cause at last, such as timeout");
    time(app, "--since", arguments.since, "those that last failed at or after it");
    number(app, "--limit", "N", arguments.limit, 1, "at most so many, the oldest first");
}

void add_change(CommandLine& line, CLI::App& group, const About& about, const Change& what) {
    const auto arguments = std::make_shared<DeadLetterArguments>();
    CLI::App& app =
        line.add(group, about, [arguments, &what](Context& context) { return change(what, *arguments, context); });
    const auto take = [arguments](const std::string& word) {
        try {
            arguments->id = std::stoll(word);
        } catch (const std::exception&) {
            throw BadValue{"the number of a dead letter", word};
        }
    };
    option(app, "ID", "ID", take, "the number of one, as `list` says it");
    add_filter(app, *arguments);
    flag(app, "--all", arguments->all, "all that there are");
    flag(app, "--dry-run", arguments->dry_run, "say which, and change nothing");
}

}  // namespace

void add_dead_letter(CommandLine& line) {
    CLI::App& group = line.group(
        "dead-letter", "Dead letters, which no listener could deliver: look at them, retry them, discard them.");

    const auto listed = std::make_shared<DeadLetterArguments>();
    CLI::App& list_app =
        line.add(group,
                 {"list",
                  "List the dead letters: the event, who could not deliver it, how often it was tried, "
                  "and the last error.",
                  "stele dead-letter list --listener send_notification --since 2026-01-05",
                  "0 done · 1 failed · 2 command line · 4 no such store"},
                 [listed](Context& context) { return list_letters(*listed, context); });
    add_filter(list_app, *listed);

    const auto shown = std::make_shared<DeadLetterArguments>();
    CLI::App& show_app = line.add(
        group,
        {"show", "Show one dead letter: each attempt's time, duration and error, and the event itself.",
         "stele dead-letter show 7", "0 done · 1 failed · 2 command line · 4 no such store or dead letter"},
        [shown](Context& context) {
            if (!shown->id) throw usage_failure("stele dead-letter show", "which dead letter? its ID");
            return show(*shown, context);
        });
    number(show_app, "ID", "ID", shown->id, 1, "its number, as `list` says it");

    constexpr auto exit_status =
        "0 done, also where a filter finds none · 1 failed · 2 command line · 4 no such store, or no dead letter "
        "ID";
    add_change(
        line, group,
        {"retry",
         "Have dead letters delivered again by whoever runs their listener: the event is read again from the\n"
         "log, and gets all of its attempts anew. One that was delivered meanwhile is left alone.",
         "stele dead-letter retry 7\n"
         "stele dead-letter retry --listener send_notification --cause timeout --dry-run",
         exit_status},
        retrying);
    add_change(
        line, group,
        {"discard", "Give dead letters up: their events will not be delivered. Keys that waited for them go on.",
         "stele dead-letter discard 7\n"
         "stele dead-letter discard --listener send_notification --type BackupFailed",
         exit_status},
        discarding);

    const auto counted_ones = std::make_shared<DeadLetterArguments>();
    CLI::App& stats_app =
        line.add(group,
                 {"stats", "Count the dead letters by listener, type and cause, the most first.",
                  "stele dead-letter stats --json", "0 done · 1 failed · 2 command line · 4 no such store"},
                 [counted_ones](Context& context) { return stats(*counted_ones, context); });
    add_filter(stats_app, *counted_ones);
}

}  // namespace stele::tool
