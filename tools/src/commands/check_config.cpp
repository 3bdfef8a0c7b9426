// stele check-config: everything that is wrong with the project, each with its place.
#include "../config/listener_words.hpp"
#include "../definitions.hpp"
#include "../options.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/runner.hpp>

#include <algorithm>
#include <memory>

namespace stele::tool {
namespace {

struct CheckConfigArguments {
    bool detailed = false;
};

void add_what_is_missing(const ListenerConfig& config, Mistakes& mistakes) {
    for (const auto& declared : config.listeners) {
        for (const auto& missing : declared.sink.missing) mistakes.add(missing.place, missing.message);
        for (const auto& reference : declared.sink.secrets) {
            try {
                (void)reference.secret.read();
            } catch (const Error& error) {
                mistakes.add(reference.place, "listener \"" + declared.listener->name() + "\": " + error.what());
            }
        }
    }
}

void add_clashes(const ListenerConfig& config, const ListenerRegistry& program, Mistakes& mistakes) {
    for (const auto& declared : config.listeners)
        if (program.find(declared.listener->name()) != nullptr)
            mistakes.add(declared.place, "listener \"" + declared.listener->name() +
                                             "\": expected a name of its own, found that of one of the program");
}

void tell(const char* what, const Mistake& mistake, Context& context) {
    if (!context.json()) return context.out().line(printable(mistake.text()));
    context.out().json({{"what", what},
                        {"file", mistake.file},
                        {"line", mistake.place.line},
                        {"column", mistake.place.column},
                        {"message", mistake.message}});
}

// What a file says of itself begins with its name and its line.
void tell(const Failure& broken, Context& context) {
    if (!context.json()) return context.out().line(printable(broken.what()));
    nlohmann::ordered_json line{{"what", "mistake"}};
    for (const auto& [name, value] : broken.facts().items()) line[name] = value;
    line["message"] = broken.what();
    context.out().json(line);
}

void show_listener(const Listener& listener, const std::string& target, bool declared, Context& context) {
    const auto& head = listener.head();
    const auto breaker = breaker_in_words(head.breaker);
    const auto mode = std::string{head.mode == ListenerMode::sync ? "sync" : "queued"};
    if (context.json()) {
        nlohmann::ordered_json line{{"what", "listener"},
                                    {"name", head.name},
                                    {"selects", selection_in_words(head)},
                                    {"order", order_in_words(head.order)},
                                    {"mode", mode},
                                    {"queue", head.queue},
                                    {"priority", head.priority},
                                    {"retries", schedule_in_words(head)},
                                    {"from", start_in_words(head.start)},
                                    {"sink", head.sink},
                                    {"target", target}};
        line["breaker"] = nullptr;
        if (!breaker.empty()) line["breaker"] = breaker;
        context.out().json(line);
        return;
    }
    auto& out = context.out();
    const auto row = [&](const char* label, const std::string& text) {
        out.line("  " + std::string{label} + std::string(10 - std::string_view{label}.size(), ' ') +
                 printable(text));
    };
    out.line("listener " + head.name + (declared ? "" : " (of the program)"));
    row("selects", selection_in_words(head));
    row("order", order_in_words(head.order));
    row("retries", schedule_in_words(head));
    if (head.stop_after_dead > 0) row("stops", "at " + counted(head.stop_after_dead, "dead letter"));
    if (!breaker.empty()) row("breaker", breaker);
    if (head.deduplication)
        row("once",
            "for each " + head.deduplication->by.text + " within " + duration_in_words(head.deduplication->within));
    row("from", start_in_words(head.start));
    row("sink", head.sink + (target.empty() ? "" : ": " + target));
    row("queue", mode == "sync"
                     ? "none: it is sync"
                     : head.queue + (head.priority == 0 ? "" : ", priority " + std::to_string(head.priority)));
}

void show_queue(const QueueOptions& queue, Context& context) {
    if (context.json()) {
        context.out().json({{"what", "queue"},
                            {"name", queue.name},
                            {"workers", queue.workers},
                            {"rate", queue.rate},
                            {"priority", queue.priority}});
        return;
    }
    std::string text = "queue " + queue.name + ": " + counted(queue.workers, "worker");
    if (queue.rate > 0) text += ", at most " + nlohmann::json(queue.rate).dump() + " deliveries a second";
    if (queue.priority != 0) text += ", priority " + std::to_string(queue.priority);
    context.out().line(printable(text));
}

void show_what_would_run(const ListenerConfig& config, const KnownProjections& projections, Context& context) {
    for (const auto& projection : projections.registry.all()) {
        const std::string mode = projection->mode() == ProjectionMode::sync ? "sync" : "async";
        if (context.json()) {
            context.out().json({{"what", "projection"},
                                {"name", projection->name()},
                                {"version", projection->version()},
                                {"mode", mode}});
        } else {
            context.out().line("projection " + projection->name() + " version " +
                               std::to_string(projection->version()) + ", " + mode);
        }
    }
    for (const auto& queue : config.queues) show_queue(queue, context);
    for (const auto& declared : config.listeners)
        show_listener(*declared.listener, sinks::target_of(declared.sink.sink), true, context);
    for (const auto& listener : context.registry().listeners.all()) show_listener(*listener, "", false, context);
    if (context.json()) return;
    if (!config.enabled) context.out().line("listeners are off: listeners_enabled = false");
    if (!listeners_are_on()) context.out().line("listeners are off: STELE_LISTENERS");
}

Exit run_check_config(const CheckConfigArguments& arguments, Context& context) {
    const auto folder = context.project_folder();
    if (!folder)
        throw Failure{Exit::not_found, "not_found",
                      std::string{"no "} + project_file + " in this folder or one above"}
            .hint("stele init my-audit");
    Mistakes mistakes{shown_from_here(*folder / project_file)};
    const Project project = load_project(*folder, mistakes);
    const auto config = read_listener_config(*project.settings, project.folder, mistakes);
    add_what_is_missing(config, mistakes);
    add_clashes(config, context.registry().listeners, mistakes);
    const auto projections = known_projections(context, project);
    auto broken_files = broken_aggregates(project);
    for (auto& broken : broken_schemas(project)) broken_files.push_back(std::move(broken));

    for (const auto& mistake : mistakes.all()) tell("mistake", mistake, context);
    for (const auto& broken : projections.broken_files) tell(broken, context);
    for (const auto& broken : broken_files) tell(broken, context);
    for (auto hint : mistakes.hints()) {
        if (!context.json()) hint.message = "hint: " + hint.message;
        tell("hint", hint, context);
    }
    if (arguments.detailed) show_what_would_run(config, projections, context);

    const auto wrong = mistakes.count() + projections.broken_files.size() + broken_files.size();
    if (wrong == 0) {
        if (!context.json() && !arguments.detailed) context.out().line(mistakes.file() + ": nothing is wrong");
        return Exit::done;
    }
    if (!context.json()) note(counted(static_cast<std::int64_t>(wrong), "mistake"));
    return Exit::failed;
}

}  // namespace

void add_check_config(CommandLine& line) {
    const auto arguments = std::make_shared<CheckConfigArguments>();
    CLI::App& app = line.add({"check-config",
                              "Name every mistake in stele.toml and in the files of projections, aggregates and "
                              "schemas, with file, line and column:\n"
                              "unknown keys, values of a wrong kind, SQL that does not compile, secrets, files "
                              "and folders that are not\n"
                              "there. Nothing is sent, and no store is needed.",
                              "stele check-config\n"
                              "stele check-config --detailed",
                              "0 nothing is wrong · 1 mistakes · 2 command line · 4 no stele.toml"},
                             [arguments](Context& context) { return run_check_config(*arguments, context); });
    flag(app, "--detailed", arguments->detailed,
         "also what would run: projections, queues, and of each listener what it selects, in what order, when it "
         "tries\n"
         "again, and where it sends to");
}

}  // namespace stele::tool
