// stele export: the log as JSON Lines.
#include "../event_filters.hpp"
#include "../interrupt.hpp"
#include "../line_writer.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/schema/event_json.hpp>

#include <chrono>
#include <memory>

namespace stele::tool {
namespace {

struct ExportArguments {
    EventFilters filters;
    std::optional<std::string> file;
};

// Hands the line of each event to `write`; returns how many there were.
template <class Write>
std::int64_t export_lines(const EventStore& store, const EventFilters& filters, Progress& progress, Write write) {
    const std::int64_t before = filters.after.value_or(0);
    const std::int64_t total = std::max<std::int64_t>(1, store.head().value() - before);
    std::int64_t events = 0;
    std::string line;
    for (const Event& event : store.read(filters.read())) {
        line.clear();
        append_event_line(line, event);
        write(line);
        progress.update(++events, event.position.value() - before, total);
    }
    return events;
}

Exit to_file(const std::string& path, const ExportArguments& arguments, Context& context) {
    const auto start = std::chrono::steady_clock::now();
    const EventStore store = context.open_existing(arguments.filters.events());
    const Interrupt interrupt;
    LineWriter file{path};
    Progress progress{"export", "events", Progress::Wanted::yes};
    const auto events = export_lines(store, arguments.filters, progress, [&](const std::string& line) {
        if (interrupt.requested())
            throw Failure{Exit::failed, "interrupted", path + ": export interrupted; nothing was kept"};
        file.line(line);
    });
    file.commit();
    progress.clear();

    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (context.json()) {
        context.out().json(nlohmann::ordered_json{{"file", path}, {"events", events}, {"seconds", seconds}});
    } else {
        context.out().line(path + ": " + counted(events, "event") + " in " + human_seconds(seconds));
    }
    return Exit::done;
}

Exit to_standard_output(const ExportArguments& arguments, Context& context) {
    const EventStore store = context.open_existing(arguments.filters.events());
    Progress progress{"export", "events", context.out().terminal() ? Progress::Wanted::no : Progress::Wanted::yes};
    export_lines(store, arguments.filters, progress, [&](const std::string& line) { context.out().line(line); });
    return Exit::done;
}

Exit run_export(const ExportArguments& arguments, Context& context) {
    return arguments.file && *arguments.file != "-" ? to_file(*arguments.file, arguments, context)
                                                    : to_standard_output(arguments, context);
}

}  // namespace

void add_export(CommandLine& line) {
    const auto arguments = std::make_shared<ExportArguments>();
    CLI::App& app = line.add(
        {"export",
         "Write the events of the log as JSON Lines, in position order. `stele import` of the result into a new\n"
         "store gives the same events under the same ids.",
         "stele export audit.jsonl.gz\n"
         "stele export --aggregate-type Site | jq .data",
         "0 done · 1 failed; FILE is as it was before · 2 command line · 4 no such store"},
        [arguments](Context& context) { return run_export(*arguments, context); });
    optional_argument(app, "FILE", arguments->file,
                      "where to; gzip if it ends in .gz. Standard output if absent or -");
    arguments->filters.add_to(app);
}

}  // namespace stele::tool
