// stele health: is all well? For those who look on behalf of others: load balancers, supervisors, alarms.
#include "../definitions.hpp"
#include "../options.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/health.hpp>
#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/projection_status.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct HealthArguments {
    std::optional<std::int64_t> max_lag_events;
    std::optional<std::int64_t> max_lag_seconds;
    std::optional<std::int64_t> stalled_after;
    std::optional<std::int64_t> max_dead;

    // What is not given here, stele.toml says.
    [[nodiscard]] HealthLimits over(HealthLimits limits) const {
        if (max_lag_events) limits.lag_events = max_lag_events;
        if (max_lag_seconds) limits.lag_seconds = static_cast<double>(*max_lag_seconds);
        if (stalled_after) limits.stalled_after = std::chrono::seconds{*stalled_after};
        if (max_dead) limits.dead = *max_dead;
        return limits;
    }
};

struct Ailment {
    const char* kind;
    std::string name;
    std::string reason;
};

template <class Status>
void add_ailments(std::vector<Ailment>& ailments, const char* kind, const std::vector<Status>& all,
                  const HealthLimits& limits) {
    for (const auto& status : all)
        for (auto& reason : what_ails(status, limits, now()))
            ailments.push_back({kind, status.name, std::move(reason)});
}

Exit run_health(const HealthArguments& arguments, Context& context) {
    const auto config = listener_config(context);
    const auto limits = arguments.over(config.health);
    const EventStore store = context.open_existing(Context::Events::either);
    const auto known = known_projections(context);
    const auto projections = projection_status(store, known.registry);
    const auto listeners = listener_status(store, known_listeners(context, config));
    std::vector<Ailment> ailments;
    add_ailments(ailments, "projection", projections, limits);
    add_ailments(ailments, "listener", listeners, limits);
    for (const auto& broken : known.broken_files) ailments.push_back({"file", "", broken.what()});

    if (context.json()) {
        auto reasons = nlohmann::ordered_json::array();
        for (const auto& ailment : ailments)
            reasons.push_back({{"kind", ailment.kind}, {"name", ailment.name}, {"reason", ailment.reason}});
        context.out().json({{"healthy", ailments.empty()},
                            {"head", store.head().value()},
                            {"projections", projections.size()},
                            {"listeners", listeners.size()},
                            {"reasons", std::move(reasons)}});
    } else if (ailments.empty()) {
        context.out().line("healthy: " + counted(static_cast<std::int64_t>(projections.size()), "projection") +
                           ", " + counted(static_cast<std::int64_t>(listeners.size()), "listener"));
    } else {
        for (const auto& [kind, name, reason] : ailments)
            context.out().line(std::string{kind} + (name.empty() ? ": " : " " + name + " ") + printable(reason));
    }
    return ailments.empty() ? Exit::done : Exit::failed;
}

}  // namespace

void add_health(CommandLine& line) {
    const auto arguments = std::make_shared<HealthArguments>();
    CLI::App& app = line.add(
        {"health",
         "Say whether projections and listeners are well: red when one has stopped, when events wait and its "
         "position\n"
         "stays where it is, when a retry is long overdue, when a limit is passed. Each reason is a line. What an\n"
         "operator has paused is healthy. Limits that are not given here are those of [health] in stele.toml.",
         "stele health\n"
         "stele health --max-lag-seconds 300 --max-dead 0 --json",
         "0 all is well · 1 something is not, or failed · 2 command line · 4 no such store"},
        [arguments](Context& context) { return run_health(*arguments, context); });
    number(app, "--max-lag-events", "N", arguments->max_lag_events, 0, "red when one is further behind");
    number(app, "--max-lag-seconds", "N", arguments->max_lag_seconds, 0,
           "red when the first event that one has not dealt with is older");
    number(app, "--stalled-after", "SECONDS", arguments->stalled_after, 0,
           "red when events wait, and nothing has moved for so long; else what stele.toml says, else 30");
    number(app, "--max-dead", "N", arguments->max_dead, 0, "red when a listener has more dead letters");
}

}  // namespace stele::tool
