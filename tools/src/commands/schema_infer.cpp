// stele schema infer: a schema from the events that are there.
#include "../options.hpp"
#include "../schema_files.hpp"
#include "../suggest.hpp"
#include "../terminal.hpp"
#include "commands.hpp"

#include <stele/schema/schema_inference.hpp>

#include <memory>

namespace stele::tool {
namespace {

struct SchemaInferArguments {
    std::string type;
    std::optional<std::int64_t> limit;
    std::optional<std::int64_t> version;
    SchemaInferenceOptions options;
};

Failure no_events(const EventStore& store, const SchemaInferArguments& arguments) {
    Nearest nearest{arguments.type};
    for (const auto& info : store.types()) {
        if (info.type != arguments.type) nearest.consider(info.type);
    }
    auto message = store.name() + ": no events of type \"" + printable(arguments.type) + '"';
    if (arguments.version) message += " in version " + std::to_string(*arguments.version);
    Failure failure{Exit::not_found, "not_found", message, {{"type", arguments.type}}};
    if (nearest.found()) return std::move(failure).hint("stele schema infer " + *nearest.found());
    return failure;
}

Exit run_schema_infer(const SchemaInferArguments& arguments, Context& context) {
    const EventStore store = context.open_existing(Context::Events::stored);
    SchemaInference inference{arguments.options};
    auto read = Read{matching(types(arguments.type))}.only({.id = false, .metadata = false, .tags = false});
    for (const Event& event : store.read(read)) {
        if (arguments.version && event.schema_version != *arguments.version) continue;
        inference.add(event.data);
        if (arguments.limit && inference.count() == static_cast<std::uint64_t>(*arguments.limit)) break;
    }
    if (inference.count() == 0) throw no_events(store, arguments);
    if (context.json()) {
        context.out().json({{"type", arguments.type},
                            {"events", inference.count()},
                            {"schema", nlohmann::ordered_json::parse(inference.schema().text())}});
    } else {
        note("from " + counted(static_cast<std::int64_t>(inference.count()), "event") + " of " +
             printable(arguments.type));
        context.out().write(inference.schema().text());
    }
    return Exit::done;
}

}  // namespace

void add_schema_infer(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<SchemaInferArguments>();
    CLI::App& app = line.add(
        group,
        {"infer",
         "Propose a schema from the events of a type: the types of their fields, and which are always there.\n"
         "Every event that was looked at fits it. Read it before you keep it.",
         "stele schema infer SiteCreated > schemas/SiteCreated.v1.json\n"
         "stele schema infer SiteCreated --limit 10000",
         "0 done · 1 failed · 2 command line · 4 no such store, or no events of that type"},
        [arguments](Context& context) { return run_schema_infer(*arguments, context); });
    argument(app, "TYPE", arguments->type, "the type of event");
    number(app, "--limit", "N", arguments->limit, 1, "look at no more events than this, the oldest");
    number(app, "--version", "V", arguments->version, 1, "only events of this schema version");
    flag(app, "--enums", arguments->options.enums,
         "propose the values of fields that held a few short strings: what stands in events is in the schema then");
}

}  // namespace stele::tool
