// stele status: what the store is and holds.
#include "../definitions.hpp"
#include "../listener_output.hpp"
#include "../options.hpp"
#include "../projection_output.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/projections/health.hpp>

#include <memory>

namespace stele::tool {
namespace {

using Json = nlohmann::ordered_json;

struct All {
    StoreInfo info;
    std::vector<ProjectionStatus> projections;
    std::vector<ListenerStatus> listeners;
};

template <class Status>
std::vector<std::string> reasons_of(const Status& status) {
    return what_ails(status, HealthLimits{}, now());
}

// Deliveries that a listener has taken up, or parked, and that are not done.
std::int64_t queue_depth(const ListenerStatus& status) { return status.under_way + status.parked; }

template <class Status>
Json json_of(const std::vector<Status>& all, bool detailed) {
    auto listed = Json::array();
    for (const auto& status : all) {
        auto json = tool::to_json(status);
        if (detailed) {
            const auto reasons = reasons_of(status);
            if constexpr (std::is_same_v<Status, ListenerStatus>) json["queue_depth"] = queue_depth(status);
            json["healthy"] = reasons.empty();
            json["reasons"] = reasons;
        }
        listed.push_back(std::move(json));
    }
    return listed;
}

Json to_json(const All& all, bool detailed) {
    const auto& info = all.info;
    return {{"store", info.name},
            {"backend", info.backend},
            {"format", info.format},
            {"head", info.head.value()},
            {"events", info.head.value()},  // positions have no gaps (L2)
            {"streams", info.streams},
            {"types", info.types},
            {"bytes", info.bytes},
            {"projections", json_of(all.projections, detailed)},
            {"listeners", json_of(all.listeners, detailed)}};
}

template <class Status>
void print_details(const std::vector<Status>& all, Output& out) {
    for (const auto& status : all) {
        out.line("");
        out.write(describe(status));
        const auto reasons = reasons_of(status);
        out.line(std::string{"  healthy     "} + (reasons.empty() ? "yes" : "no"));
        for (const auto& reason : reasons) out.line("              " + printable(reason));
    }
}

Exit run_status(bool detailed, Context& context) {
    const EventStore store = context.open_existing(Context::Events::either);
    const auto known = known_projections(context);
    const All all{store.info(), projection_status(store, known.registry),
                  listener_status(store, known_listeners(context))};
    auto& out = context.out();
    if (context.json()) {
        out.json(to_json(all, detailed));
        return known.report_broken_files(Exit::done, context.json());
    }
    const auto& info = all.info;
    out.line(printable(info.name) + ": " + info.backend + ", format " + std::to_string(info.format) + ", " +
             human_bytes(info.bytes));
    out.line(counted(info.head.value(), "event") + " of " + counted(info.types, "type") + " in " +
             counted(info.streams, "stream"));
    if (detailed) {
        print_details(all.projections, out);
        print_details(all.listeners, out);
    } else {
        if (!all.projections.empty()) print_projection_table(all.projections, out);
        if (!all.listeners.empty()) print_listener_table(all.listeners, out);
    }
    return known.report_broken_files(Exit::done, context.json());
}

}  // namespace

void add_status(CommandLine& line) {
    const auto detailed = std::make_shared<bool>(false);
    CLI::App& app = line.add(
        {"status", "Say what the store is, how much it holds, and how far its projections and listeners are.",
         "stele status --json\n"
         "stele status --detailed",
         "0 done · 1 failed · 2 command line · 4 no such store"},
        [detailed](Context& context) { return run_status(*detailed, context); });
    flag(app, "--detailed", *detailed,
         "of each projection and listener all there is to say: who runs it, whether it is healthy and why not, "
         "what\n"
         "waits, how its breaker is");
}

}  // namespace stele::tool
