// What an import costs, from the file to the log: gunzip, parse, check, append.
#include "both_sides.hpp"
#include "history.hpp"
#include "tool_process.hpp"

namespace stele::bench {
namespace {

// The bare side has the rows parsed already, and makes only their ids: the file brings none.
void insert_all(const std::filesystem::path& file, ParsedHistory& history) {
    static constexpr std::size_t events_a_commit = 1'000;
    BareLog bare{file, Durability::full, history.streams, history.types};
    for (std::size_t at = 0; at < history.events.size();) {
        const auto end = std::min(history.events.size(), at + events_a_commit);
        const auto time = now();
        bare.begin();
        for (; at < end; ++at) {
            history.events[at].event.id = EventId::generate();
            bare.insert(history.events[at], time);
        }
        bare.commit();
    }
}

Runner import_history(Context& context) {
    const auto made = context.new_folder();
    const auto file = context.history ? std::filesystem::absolute(*context.history) : *made / "history.jsonl.gz";
    if (!context.history) make_history(file, context.sizes().history_lines);
    auto history = std::make_shared<ParsedHistory>(parse_history(file));

    return [&context, made, file, history] {
        const auto folder = context.new_folder();
        const auto store = *folder / "log.stele";
        const auto bare_file = *folder / "bare.db";

        const auto import = run_tool(context, *folder, {"--store", store.string(), "import", file.string()});
        Stopwatch bare;
        bare.time([&] { insert_all(bare_file, *history); });

        context.compared(require_same(EventStore::open(store), bare_file, Order::same, Ids::own));
        const auto count = static_cast<double>(history->events.size());
        return std::vector<Measurement>{{count / import.seconds, count / bare.seconds()}};
    };
}

}  // namespace

std::vector<Workload> import_workloads() {
    return {{.name = "import",
             .about = "stele import of curl's history (gunzip, parse, append), durability full",
             .figures = {{.name = "import",
                          .unit = "events/s",
                          .against = "bare SQLite, parsed rows, 1,000 a commit",
                          .goal = Goal{.value = 0.5}}},
             .prepare = import_history}};
}

}  // namespace stele::bench
