// stele streams: what streams there are.
#include "../event_output.hpp"
#include "../options.hpp"
#include "commands.hpp"

#include <memory>

namespace stele::tool {
namespace {

using Align = Table::Align;

struct StreamsArguments {
    std::optional<std::string> tenant;
    std::optional<std::string> aggregate_type;
    std::optional<std::int64_t> limit;
};

bool selected(const StreamInfo& info, const StreamsArguments& arguments) {
    return (!arguments.tenant || info.stream.tenant() == *arguments.tenant) &&
           (!arguments.aggregate_type || info.stream.aggregate_type() == *arguments.aggregate_type);
}

nlohmann::ordered_json to_json(const StreamInfo& info) {
    return {{"tenant", info.stream.tenant()},
            {"aggregate_type", info.stream.aggregate_type()},
            {"aggregate_id", info.stream.aggregate_id()},
            {"version", info.version.value()},
            {"first_position", info.first_position.value()},
            {"last_position", info.last_position.value()},
            {"last_recorded_at", to_rfc3339(info.last_recorded_at)}};
}

Exit run_streams(const StreamsArguments& arguments, Context& context) {
    const EventStore store = context.open_existing();
    Table table{context.out(),
                {{"STREAM"},
                 {"EVENTS", Align::right},
                 {"FIRST", Align::right},
                 {"LAST", Align::right},
                 {"LAST RECORDED AT"}}};
    std::int64_t left = arguments.limit.value_or(std::numeric_limits<std::int64_t>::max());
    store.streams([&](const StreamInfo& info) {
        if (left == 0) return false;
        if (!selected(info, arguments)) return true;
        --left;
        if (context.json()) {
            context.out().json(to_json(info));
        } else {
            table.row({info.stream.name(), std::to_string(info.version.value()),
                       std::to_string(info.first_position.value()), std::to_string(info.last_position.value()),
                       human_time(info.last_recorded_at)});
        }
        return true;
    });
    table.flush_rows();
    return Exit::done;
}

}  // namespace

void add_streams(CommandLine& line) {
    const auto arguments = std::make_shared<StreamsArguments>();
    CLI::App& app =
        line.add({"streams", "List the streams: how many events each has, the first and the last.",
                  "stele streams --aggregate-type Site", "0 done · 1 failed · 2 command line · 4 no such store"},
                 [arguments](Context& context) { return run_streams(*arguments, context); });
    text(app, "--tenant", "T", arguments->tenant, "streams of this tenant; \"\" for those without one");
    text(app, "--aggregate-type", "A", arguments->aggregate_type, "streams of aggregates of this type");
    number(app, "--limit", "N", arguments->limit, 0, "at most so many");
}

}  // namespace stele::tool
