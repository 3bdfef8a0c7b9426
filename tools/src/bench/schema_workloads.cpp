// What schemas and upcasters cost: an import that is checked beside one that is not, a read through three upcasters
// beside one that finds the newest version.
#include "both_sides.hpp"
#include "tool_process.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/schema/event_types.hpp>

#include <fstream>

namespace stele::bench {
namespace {

namespace fs = std::filesystem;

/// What the payloads of any type look like: an object, whose members' kinds are checked.
std::string schema_of(const nlohmann::json& data) {
    nlohmann::ordered_json properties = nlohmann::ordered_json::object();
    nlohmann::ordered_json required = nlohmann::ordered_json::array();
    for (const auto& [name, value] : data.items()) {
        const char* kind = value.is_string()           ? "string"
                           : value.is_number_integer() ? "integer"
                           : value.is_number()         ? "number"
                           : value.is_boolean()        ? "boolean"
                           : value.is_array()          ? "array"
                                                       : "object";
        properties[name] = {{"type", kind}};
        required.push_back(name);
    }
    return nlohmann::ordered_json{
        {"type", "object"}, {"required", required}, {"properties", properties}, {"additionalProperties", false}}
        .dump();
}

std::int64_t events_of(const std::string& store) { return EventStore::open(store).head().value(); }

Runner import_checked(Context& context) {
    const auto made = context.new_folder();
    const Payloads payloads{context.sizes().streams};
    const auto count = std::max<std::size_t>(context.sizes().log_events, 10);
    {
        std::ofstream lines{*made / "events.jsonl", std::ios::binary};
        for (std::size_t number = 0; number < count; ++number) {
            const auto planned = payloads.event(number);
            const auto& stream = payloads.streams()[planned.stream];
            Event event{.position = {}, .version = {}, .stream = stream};
            event.type = planned.event.type;
            event.id = planned.event.id;
            event.data = planned.event.data;
            event.metadata = planned.event.metadata;
            lines << to_event_line(event) << '\n';
        }
        fs::create_directories(*made / "checked" / "schemas");
        fs::create_directories(*made / "plain");
        std::ofstream{*made / "checked" / "stele.toml"} << "store = \"never\"\n";
        std::ofstream{*made / "plain" / "stele.toml"} << "store = \"never\"\n";
        for (std::size_t number = 0; number < 100; ++number) {
            const auto planned = payloads.event(number);
            std::ofstream{*made / "checked" / "schemas" / (planned.event.type + ".v1.json")}
                << schema_of(planned.event.data.value());
        }
    }
    return [&context, made, count] {
        const auto folder = context.new_folder();
        const auto import = [&](const char* project) {
            const auto store = (*folder / project).string();
            const auto run =
                run_tool(context, *made / project, {"--store", store, "import", (*made / "events.jsonl").string()});
            if (events_of(store) != static_cast<std::int64_t>(count))
                throw BenchError("import-checked: expected " + std::to_string(count) + " events in " + store);
            return static_cast<double>(count) / run.seconds;
        };
        const auto checked = import("checked");
        const auto plain = import("plain");
        context.compared(count);
        return std::vector<Measurement>{{checked, plain}};
    };
}

// Both sides look at the same data: what a program has to do to understand an event.
Runner read_upcast(Context& context) {
    const auto& log = context.filled_log();
    EventTypes types;
    for (const auto& type : Payloads::types()) {
        for (int version = 1; version <= 3; ++version) {
            types.upcast(type, version, [version](nlohmann::json data) {
                data["step"] = version;
                return data;
            });
        }
    }
    Options options;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    auto through = std::make_shared<const EventStore>(EventStore::open(log.store(), options));
    auto without = std::make_shared<const EventStore>(EventStore::open(log.store()));

    return [&context, &log, through, without] {
        const auto look = [&](const EventStore& store, int version) {
            std::size_t events = 0;
            std::size_t members = 0;
            for (const Event& event : store.read(all())) {
                const auto data = event.data.value();
                members += data.size();
                if (event.schema_version == version) ++events;
            }
            if (events != log.events() || members == 0)
                throw BenchError("read-upcast: expected " + std::to_string(log.events()) + " events, found " +
                                 std::to_string(events));
            return members;
        };
        Stopwatch stele;
        Stopwatch other;
        std::size_t members = 0;
        std::size_t newer_members = 0;
        stele.time([&] { newer_members = look(*through, 4); });
        other.time([&] { members = look(*without, 1); });
        if (newer_members != members + log.events())
            throw BenchError("read-upcast: the upcasters did not add their member to each event");
        context.compared(log.events());
        return std::vector{rates(static_cast<double>(log.events()), stele, other)};
    };
}

}  // namespace

std::vector<Workload> schema_workloads() {
    return {
        {.name = "import-checked",
         .about = "stele import of 250-byte events, each checked by a schema",
         .figures = {{.name = "import-checked",
                      .unit = "events/s",
                      .against = "the same without schemas",
                      .goal = Goal{.value = 0.7}}},
         .prepare = import_checked},
        {.name = "read-upcast",
         .about = "the whole log through a chain of three upcasters in C++, its data looked at",
         .figures = {{.name = "read-upcast",
                      .unit = "events/s",
                      .against = "the same without upcasters",
                      .goal = Goal{.value = 0.5}}},
         .prepare = read_upcast},
    };
}

}  // namespace stele::bench
