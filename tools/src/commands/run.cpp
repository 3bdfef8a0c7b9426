// stele run: keeps the project's read models up with the log, and has its listeners deliver, until it is told to
// stop.
#include "../chosen_projections.hpp"
#include "../event_output.hpp"
#include "../interrupt.hpp"
#include "../options.hpp"
#include "../projection_output.hpp"
#include "../stop_on_interrupt.hpp"
#include "../suggest.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/runner.hpp>

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace stele::tool {
namespace {

constexpr auto run_command = "stele run";

struct RunArguments {
    std::vector<std::string> names;
    bool until_caught_up = false;
    bool no_listeners = false;
    bool only_listeners = false;
};

const char* word(RunnerNews::Kind kind) {
    switch (kind) {
        case RunnerNews::Kind::owned:
            return "owned";
        case RunnerNews::Kind::lost:
            return "lost";
        case RunnerNews::Kind::building:
            return "building";
        case RunnerNews::Kind::built:
            return "built";
        case RunnerNews::Kind::live:
            return "live";
        case RunnerNews::Kind::paused:
            return "paused";
        case RunnerNews::Kind::failed:
            return "failed";
        case RunnerNews::Kind::dropped:
            return "dropped";
        case RunnerNews::Kind::trouble:
            return "trouble";
        case RunnerNews::Kind::superseded:
            return "superseded";
        case RunnerNews::Kind::dead:
            return "dead";
    }
    return "";
}

// One line for each thing that happens: JSON on standard output, for people on standard error. Called by the
// threads of the runner, one at a time.
void tell(const RunnerNews& news, Context& context, std::stop_source& stop) {
    const auto time = now();
    if (!context.json()) return note(human_time(time) + "  " + printable(news.text));
    try {
        const bool is_listener = !news.listener.empty();
        context.out().json(
            {{"time", to_rfc3339(time)},
             {is_listener ? "listener" : "projection", is_listener ? news.listener : news.projection},
             {"what", word(news.kind)},
             {"text", news.text}});
        context.out().flush();
    } catch (const std::exception&) {
        stop.request_stop();  // nobody reads what we say, or the disk behind it is full
    }
}

// What is to be run, by names or all of it.
struct Chosen {
    std::vector<std::shared_ptr<const Projection>> projections{};
    std::vector<std::shared_ptr<const Listener>> listeners{};
    ListenerConfig config{};
    KnownProjections known{};
};

Failure nothing_called(const std::string& name, const Chosen& chosen, const ListenerRegistry& listeners,
                       Context& context) {
    std::vector<std::string> names;
    for (const auto& projection : chosen.known.registry.all()) names.push_back(projection->name());
    for (const auto& listener : listeners.all()) names.push_back(listener->name());
    const auto place = place_of_projections(context);
    const auto meant = nearest(name, names);
    return Failure{Exit::not_found,
                   "not_found",
                   place + ": no projection or listener \"" + name + "\"",
                   {{"store", place}, {"name", name}}}
        .hint(meant ? std::string{run_command} + " " + *meant
                    : "stele check-config --detailed, which shows what there is");
}

template <class Part>
void add_once(std::vector<std::shared_ptr<const Part>>& parts, std::shared_ptr<const Part> part) {
    const bool is_there =
        std::any_of(parts.begin(), parts.end(), [&](const auto& other) { return other->name() == part->name(); });
    if (!is_there) parts.push_back(std::move(part));
}

Chosen choose(const RunArguments& arguments, Context& context) {
    if (arguments.no_listeners && arguments.only_listeners)
        throw usage_failure(run_command, "--no-listeners and --only-listeners exclude each other");
    Chosen chosen;
    ListenerRegistry listeners;
    if (!arguments.no_listeners) {
        chosen.config = listener_config(context);
        // Better found now than as a delivery that fails.
        for (const auto& declared : chosen.config.listeners)
            for (const auto& missing : declared.sink.missing)
                throw Mistake{context.project()->file.string(), missing.place, missing.message}.failure();
        listeners = known_listeners(context, chosen.config);
    }
    if (!arguments.only_listeners) chosen.known = known_projections(context);
    if (arguments.names.empty()) {
        chosen.projections = chosen.known.registry.all();
        chosen.listeners = listeners.all();
    }
    for (const auto& name : arguments.names) {
        if (names_file(name)) {
            add_once(chosen.projections, projection_in_file(name));
            continue;
        }
        const auto all = chosen.known.registry.all();
        const auto projection =
            std::find_if(all.begin(), all.end(), [&](const auto& known) { return known->name() == name; });
        auto listener = listeners.find(name);
        if (projection == all.end() && listener == nullptr) {
            // A broken file may be the one that was meant.
            if (!chosen.known.broken_files.empty()) throw Failure{chosen.known.broken_files.front()};
            throw nothing_called(name, chosen, listeners, context);
        }
        if (projection != all.end()) add_once(chosen.projections, *projection);
        if (listener != nullptr) add_once(chosen.listeners, std::move(listener));
    }
    return chosen;
}

// Whether listeners deliver; says so where there are some and they do not.
bool listeners_deliver(const Chosen& chosen, Context& context) {
    const bool by_environment = !listeners_are_on();
    if (chosen.config.enabled && !by_environment) return true;
    if (chosen.listeners.empty()) return false;
    const auto why = by_environment ? "STELE_LISTENERS" : context.project()->file.string() + ", listeners_enabled";
    note("listeners are off (" + why + "): nothing is delivered, and nothing is lost");
    return false;
}

template <class Wait>
void wait_as_long_as_it_takes(const Wait& wait, const std::stop_token& stop, Exit& status) {
    auto reached = WaitResult::timed_out;
    while (reached == WaitResult::timed_out && !stop.stop_requested()) reached = wait();
    if (reached == WaitResult::failed || reached == WaitResult::superseded) status = Exit::failed;
}

// Waits until each projection and listener is where the log was when the waiting began, or cannot get there.
Exit wait_until_caught_up(Runner& runner, const EventStore& store, bool deliver, const std::stop_token& stop) {
    constexpr std::chrono::seconds turn{1};
    const auto head = store.head();
    Exit status = Exit::done;
    for (const auto& projection : runner.registry().all())
        wait_as_long_as_it_takes([&] { return runner.wait_for(projection->name(), head, turn); }, stop, status);
    if (!deliver) return status;
    for (const auto& listener : runner.listeners().all())
        wait_as_long_as_it_takes([&] { return runner.wait_for_listener(listener->name(), head, turn); }, stop,
                                 status);
    return status;
}

void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any requested;
    std::unique_lock lock{mutex};
    requested.wait(lock, stop, [] { return false; });
}

Exit host(const RunArguments& arguments, Context& context) {
    const auto chosen = choose(arguments, context);
    if (chosen.projections.empty() && chosen.listeners.empty() && chosen.known.broken_files.empty())
        throw Failure{Exit::not_found, "not_found",
                      place_of_projections(context) + ": no projection and no listener to run"}
            .hint("stele init my-audit, for a project that has one");
    EventStore store = context.open_existing();
    auto status =
        arguments.names.empty() ? chosen.known.report_broken_files(Exit::done, context.json()) : Exit::done;
    if (chosen.projections.empty() && chosen.listeners.empty()) return status;

    const Interrupt interrupt;
    std::stop_source stop;
    const StopOnInterrupt stopper{[&] { stop.request_stop(); }, interrupt, context.out().fd()};
    RunnerOptions options;
    options.label = "stele run, process " + std::to_string(::getpid());
    options.news = [&](const RunnerNews& news) { tell(news, context, stop); };
    options.queues = chosen.config.queues;
    options.listeners_enabled = listeners_deliver(chosen, context);
    Runner runner{store, options};
    for (const auto& projection : chosen.projections) runner.add(projection);
    for (const auto& listener : chosen.listeners) runner.add(listener);
    runner.start();
    if (arguments.until_caught_up) {
        const auto caught_up = wait_until_caught_up(runner, store, options.listeners_enabled, stop.get_token());
        if (caught_up != Exit::done) status = caught_up;
    } else {
        wait_for(stop.get_token());
    }
    runner.stop();
    return status;
}

}  // namespace

void add_run(CommandLine& line) {
    const auto arguments = std::make_shared<RunArguments>();
    CLI::App& app = line.add(
        {"run",
         "Keep the project's projections up with the log, and have its listeners deliver, until SIGTERM or "
         "SIGINT:\n"
         "build projections that are absent or were changed, take in what is appended, try deliveries again that\n"
         "failed, go on after others have rebuilt, paused or resumed something. Several may run at once: each\n"
         "projection and each listener is advanced by one of them, and by another when that one dies. One line on\n"
         "standard error for each thing that happens; with --json, on standard output. Listeners rest where\n"
         "stele.toml says listeners_enabled = false or the environment STELE_LISTENERS=off; they go on from where\n"
         "they were.",
         "stele run\n"
         "stele run tenant_stats --until-caught-up",
         "0 stopped as asked, or caught up · 1 failed, or a mistake in stele.toml; with --until-caught-up, "
         "something\n"
         "stopped at an event, or another definition has built it · 2 command line · 4 no such store, projection "
         "or\n"
         "listener"},
        [arguments](Context& context) { return host(*arguments, context); });
    tool::arguments(app, "NAME", arguments->names,
                    "only these projections and listeners; all of the project's if absent");
    flag(app, "--until-caught-up", arguments->until_caught_up,
         "end when each projection is where the log was at the start, and each listener has settled all up to "
         "there\n"
         "(delivered, or waiting for a retry, or a dead letter), or is paused, has failed, or is by a later "
         "version");
    flag(app, "--no-listeners", arguments->no_listeners, "projections alone");
    flag(app, "--only-listeners", arguments->only_listeners, "listeners alone");
}

}  // namespace stele::tool
