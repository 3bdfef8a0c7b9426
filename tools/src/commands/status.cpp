// stele status: what the store is and holds.
#include "../definitions.hpp"
#include "../projection_output.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

namespace stele::tool {
namespace {

nlohmann::ordered_json to_json(const StoreInfo& info, const std::vector<ProjectionStatus>& projections) {
    auto listed = nlohmann::ordered_json::array();
    for (const auto& projection : projections) listed.push_back(tool::to_json(projection));
    return {{"store", info.name},
            {"backend", info.backend},
            {"format", info.format},
            {"head", info.head.value()},
            {"events", info.head.value()},  // positions have no gaps (L2)
            {"streams", info.streams},
            {"types", info.types},
            {"bytes", info.bytes},
            {"projections", std::move(listed)},
            {"listeners", nlohmann::ordered_json::array()}};
}

Exit run(Context& context) {
    const EventStore store = context.open_existing();
    const StoreInfo info = store.info();
    const auto known = known_projections(context);
    const auto projections = projection_status(store, known.registry);
    if (context.json()) {
        context.out().json(to_json(info, projections));
        return known.report_broken_files(Exit::done, context.json());
    }
    context.out().line(printable(info.name) + ": " + info.backend + ", format " + std::to_string(info.format) +
                       ", " + human_bytes(info.bytes));
    context.out().line(counted(info.head.value(), "event") + " of " + counted(info.types, "type") + " in " +
                       counted(info.streams, "stream"));
    if (!projections.empty()) print_projection_table(projections, context.out());
    return known.report_broken_files(Exit::done, context.json());
}

}  // namespace

void add_status(CommandLine& line) {
    line.add({"status", "Say what the store is, how much it holds, and how far its projections are.",
              "stele status --json", "0 done · 1 failed · 2 command line · 4 no such store"},
             run);
}

}  // namespace stele::tool
