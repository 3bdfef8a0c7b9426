// stele import: events from a file or from standard input, exactly once.
#include "../import/importer.hpp"
#include "../options.hpp"
#include "../progress.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/schema/cloud_event.hpp>

#include <chrono>
#include <filesystem>
#include <memory>

namespace stele::tool {
namespace {

struct ImportArguments {
    std::string file;
    std::string format = "jsonl";
    ImportOptions options;
    std::optional<std::int64_t> batch;
    std::string durability = "full";
};

void parse_on_error(const std::string& word, ImportOptions& options) {
    constexpr std::string_view quarantine = "quarantine=";
    if (word == "stop") {
        options.on_error = OnError::stop;
    } else if (word == "skip") {
        options.on_error = OnError::skip;
    } else if (word.rfind(quarantine, 0) == 0 && word.size() > quarantine.size()) {
        options.on_error = OnError::quarantine;
        options.quarantine = word.substr(quarantine.size());
    } else {
        throw BadValue{"stop, skip or quarantine=FILE", word};
    }
}

ImportOptions options_of(const ImportArguments& arguments) {
    ImportOptions options = arguments.options;
    options.path = arguments.file;
    if (!options.source && arguments.file != "-")
        options.source = std::filesystem::path(arguments.file).filename().string();
    if (arguments.format == "cloudevents") options.parse = parse_cloud_event;
    std::error_code not_there;
    if (options.on_error == OnError::quarantine &&
        std::filesystem::equivalent(options.path, options.quarantine, not_there))
        throw usage_failure("stele import", "--on-error: the quarantine is the file that is imported");
    if (arguments.batch) options.batch.lines = static_cast<std::size_t>(*arguments.batch);
    return options;
}

void print_rejected(const std::string& file, const ImportLine& line, bool json) {
    if (json) {
        const nlohmann::ordered_json facts{{"line", line.number}, {"byte", line.byte}, {"reason", line.reason}};
        note(nlohmann::ordered_json{{"rejected", facts}}.dump(-1, ' ', false,
                                                              nlohmann::ordered_json::error_handler_t::replace));
    } else {
        note(printable(file + ":" + std::to_string(line.number) + ": " + line.reason));
    }
}

void print_result(const ImportOptions& options, const ImportResult& result, double seconds, Context& context) {
    const std::string source = options.source.value_or("");
    if (context.json()) {
        context.out().json(nlohmann::ordered_json{{"source", source},
                                                  {"lines", result.lines},
                                                  {"appended", result.appended},
                                                  {"duplicates", result.duplicates},
                                                  {"rejected", result.rejected},
                                                  {"seconds", seconds},
                                                  {"skipped_lines", result.skipped_lines}});
        return;
    }
    std::string text = printable(options.path == "-" ? "standard input" : options.path) + ": " +
                       counted(result.appended, "event") + " appended";
    if (result.duplicates > 0) text += ", " + counted(result.duplicates, "duplicate") + " passed over";
    if (result.rejected > 0) text += ", " + counted(result.rejected, "line") + " rejected";
    if (result.skipped_lines > 0)
        text += ", behind the " + counted(result.skipped_lines, "line") + " imported before";
    text += ", in " + human_seconds(seconds);
    if (result.appended > 0 && seconds >= 0.1)
        text += " (" + grouped(static_cast<std::int64_t>(static_cast<double>(result.appended) / seconds)) + "/s)";
    context.out().line(text);
}

Exit run_import(const ImportArguments& arguments, Context& context) {
    const auto start = std::chrono::steady_clock::now();
    const ImportOptions options = options_of(arguments);
    Options store_options;
    if (arguments.durability == "relaxed") store_options.durability = Durability::relaxed;
    const Interrupt interrupt;
    EventStore store = context.open_or_create(store_options);
    Importer importer{store, options, interrupt};
    {
        Progress progress{"import", "lines"};
        importer.on_progress = [&](std::int64_t lines, std::int64_t bytes, std::int64_t total) {
            progress.update(lines, bytes, total);
        };
        importer.on_rejected = [&](const ImportLine& line) {
            progress.clear();
            print_rejected(options.path, line, context.json());
        };
        importer.run();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    print_result(options, importer.result(), seconds, context);
    if (!interrupt.requested()) return Exit::done;
    const auto line = importer.result().skipped_lines + importer.result().lines;
    throw Failure{Exit::failed,
                  "interrupted",
                  store.name() + ": import of " + options.path + ": interrupted behind line " + grouped(line),
                  {{"line", line}, {"appended", importer.result().appended}}}
        .hint(options.source ? "the same command again, which goes on there"
                             : "--source NAME, so that an import of standard input can go on where it stopped");
}

}  // namespace

void add_import(CommandLine& line) {
    const auto arguments = std::make_shared<ImportArguments>();
    CLI::App& app =
        line.add({"import",
                  "Append the events of a file: JSON Lines, plain or gzip. Started again it goes on where it "
                  "stopped, a grown\n"
                  "file continues, and events that are there already under their id are passed over.",
                  "stele import orders.jsonl.gz --on-error quarantine=wrong.jsonl\n"
                  "zcat *.gz | stele import - --source nightly",
                  "0 imported; skipped and quarantined lines do not count as failure · 1 stopped at a line, or "
                  "interrupted;\n"
                  "what was before it is in the store · 2 command line · 3 the source is not what was imported\n"
                  "under its name before · 4 no such file"},
                 [arguments](Context& context) { return run_import(*arguments, context); });
    argument(app, "FILE", arguments->file, "what to import; - for standard input");
    choice(app, "--format", {"jsonl", "cloudevents"}, arguments->format,
           "event lines (the default), or CloudEvents 1.0 in JSON, one a line");
    option(
        app, "--on-error", "stop|skip|quarantine=FILE",
        [arguments](const std::string& word) { parse_on_error(word, arguments->options); },
        "at a line that is wrong: stop (the default), go on, or put it into FILE as it is and go on");
    text(app, "--source", "NAME", arguments->options.source,
         "the name to remember the progress by; the file's name if absent. Standard input without it is\n"
         "not remembered: importing it again appends it again");
    number(app, "--batch", "N", arguments->batch, 1, "lines a commit; 1,000 if absent");
    choice(app, "--durability", {"full", "relaxed"}, arguments->durability,
           "full (the default) survives a power cut at any moment, relaxed the end of the process");
}

}  // namespace stele::tool
