// stele schema catalog: all types of events, for people and for tools.
#include "../catalog/catalog.hpp"
#include "../options.hpp"
#include "commands.hpp"

#include <memory>

namespace stele::tool {
namespace {

struct SchemaCatalogArguments {
    std::string format = "markdown";
    std::optional<std::int64_t> sample;
    CatalogOptions options;
};

nlohmann::ordered_json json_of(const CatalogEntry& entry) {
    auto fields = nlohmann::ordered_json::array();
    for (const auto& field : entry.fields) {
        fields.push_back({{"path", field.path},
                          {"type", field.type},
                          {"required", field.required},
                          {"forbidden", field.forbidden},
                          {"description", field.description}});
    }
    return {{"type", entry.type},
            {"versions", entry.versions},
            {"title", entry.title},
            {"description", entry.description},
            {"inferred", entry.inferred},
            {"events", entry.events},
            {"first_position", entry.first_position},
            {"last_position", entry.last_position},
            {"aggregate_types", entry.aggregate_types},
            {"actors", entry.actors},
            {"projections", entry.projections},
            {"listeners", entry.listeners},
            {"fields", std::move(fields)}};
}

Exit run_schema_catalog(const SchemaCatalogArguments& arguments, Context& context) {
    auto options = arguments.options;
    options.sample = arguments.sample.value_or(options.sample);
    const auto catalog = catalog_of(context, options);
    if (arguments.format == "asyncapi") {
        context.out().line(as_asyncapi(catalog).dump(context.json() ? -1 : 2));
    } else if (context.json()) {
        for (const auto& entry : catalog.entries) context.out().json(json_of(entry));
    } else {
        context.out().write(as_markdown(catalog));
    }
    return Exit::done;
}

}  // namespace

void add_schema_catalog(CommandLine& line, CLI::App& group) {
    const auto arguments = std::make_shared<SchemaCatalogArguments>();
    CLI::App& app = line.add(
        group,
        {"catalog",
         "Describe all types of events: schemas, fields, how many there are, on which streams, and\n"
         "which projections and listeners take them. A type without a schema is described as its events look.",
         "stele schema catalog > docs/events.md\n"
         "stele schema catalog --format asyncapi > asyncapi.json",
         "0 done · 1 failed · 2 command line · 4 no such store"},
        [arguments](Context& context) { return run_schema_catalog(*arguments, context); });
    choice(app, "--format", {"markdown", "asyncapi"}, arguments->format,
           "what to write; with --json, markdown is one object a type");
    number(app, "--sample", "N", arguments->sample, 1, "how many of the latest events of each type are looked at");
    flag(app, "--actors", arguments->options.actors, "name who appended them (metadata.actor)");
    flag(app, "--values", arguments->options.values,
         "list the short strings that come again and again in events without a schema");
}

}  // namespace stele::tool
