// stele run: keeps the project's read models up with the log, until it is told to stop.
#include "../chosen_projections.hpp"
#include "../event_output.hpp"
#include "../interrupt.hpp"
#include "../options.hpp"
#include "../projection_output.hpp"
#include "../stop_on_interrupt.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/runner.hpp>

#include <unistd.h>

#include <condition_variable>
#include <memory>
#include <mutex>

namespace stele::tool {
namespace {

constexpr auto command = "stele run";

struct Arguments {
    std::vector<std::string> names;
    bool until_caught_up = false;
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
        context.out().json({{"time", to_rfc3339(time)},
                            {"projection", news.projection},
                            {"what", word(news.kind)},
                            {"text", news.text}});
        context.out().flush();
    } catch (const std::exception&) {
        stop.request_stop();  // nobody reads what we say, or the disk behind it is full
    }
}

// Waits until each projection is where the log was when the waiting began, or cannot get there.
Exit wait_until_caught_up(Runner& runner, const EventStore& store, const std::stop_token& stop) {
    constexpr std::chrono::seconds turn{1};
    const auto head = store.head();
    Exit status = Exit::done;
    for (const auto& projection : runner.registry().all()) {
        auto reached = WaitResult::timed_out;
        while (reached == WaitResult::timed_out && !stop.stop_requested())
            reached = runner.wait_for(projection->name(), head, turn);
        if (reached == WaitResult::failed || reached == WaitResult::superseded) status = Exit::failed;
    }
    return status;
}

void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any requested;
    std::unique_lock lock{mutex};
    requested.wait(lock, stop, [] { return false; });
}

Exit run(const Arguments& arguments, Context& context) {
    const bool all = arguments.names.empty();
    const auto [projections, known] = choose_projections(arguments.names, all, command, context);
    if (projections.empty())
        throw Failure{Exit::not_found, "not_found", place_of_projections(context) + ": no projection to run"}.hint(
            "stele init my-audit, for a project that has one");
    EventStore store = context.open_existing();
    auto status = all ? known.report_broken_files(Exit::done, context.json()) : Exit::done;

    const Interrupt interrupt;
    std::stop_source stop;
    const StopOnInterrupt stopper{[&] { stop.request_stop(); }, interrupt, context.out().fd()};
    RunnerOptions options;
    options.label = "stele run, process " + std::to_string(::getpid());
    options.news = [&](const RunnerNews& news) { tell(news, context, stop); };
    Runner runner{store, options};
    for (const auto& projection : projections) runner.add(projection);
    runner.start();
    if (arguments.until_caught_up) {
        const auto caught_up = wait_until_caught_up(runner, store, stop.get_token());
        if (caught_up != Exit::done) status = caught_up;
    } else {
        wait_for(stop.get_token());
    }
    runner.stop();
    return status;
}

}  // namespace

void add_run(CommandLine& line) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App& app = line.add(
        {"run",
         "Keep the project's projections up with the log until SIGTERM or SIGINT: build those that are absent or "
         "were\n"
         "changed, take in what is appended, go on after others have rebuilt, paused or resumed them. Several may\n"
         "run at once: each projection is advanced by one of them, and by another when that one dies. One line on\n"
         "standard error for each thing that happens; with --json, on standard output.",
         "stele run\n"
         "stele run tenant_stats --until-caught-up",
         "0 stopped as asked, or caught up · 1 failed; with --until-caught-up, a projection stopped at an event, "
         "or\n"
         "another definition has built it ·\n"
         "2 command line · 4 no such store or projection"},
        [arguments](Context& context) { return run(*arguments, context); });
    tool::arguments(app, "NAME", arguments->names, "only these; all of the project's if absent");
    flag(app, "--until-caught-up", arguments->until_caught_up,
         "end when each projection is where the log was at the start, is paused, has failed, or is by a later "
         "version");
}

}  // namespace stele::tool
