#include "schema_files.hpp"

#include "failure.hpp"
#include "project.hpp"
#include "suggest.hpp"
#include "terminal.hpp"

#include <stele/schema/event_types.hpp>

#include <utility>

namespace stele::tool {
namespace fs = std::filesystem;

SchemasByType schemas_in(const fs::path& folder) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) {
        throw Failure{Exit::not_found,
                      "not_found",
                      folder.string() + ": there is no folder of schemas here",
                      {{"folder", folder.string()}}};
    }
    const auto types = EventTypes::load(shown_from_here(folder));
    SchemasByType schemas;
    for (const auto& [version, schema] : types.schemas()) {
        schemas[version.type].emplace(version.version,
                                      KnownSchema{version.type, version.version, schema, schema.file()});
    }
    return schemas;
}

SchemasByType recorded_schemas(const EventStore& store) {
    SchemasByType schemas;
    for (auto& one : store.schemas()) {
        const auto place = "recorded in " + store.name();
        auto schema = JsonSchema::compile(std::move(one.document), place);
        schemas[one.type].emplace(one.version, KnownSchema{one.type, one.version, std::move(schema), place});
    }
    return schemas;
}

fs::path schema_folder(Context& context) {
    if (const auto* project = context.project()) return project->schemas;
    throw Failure{Exit::command_line, "no_project",
                  "which schemas? there is no stele.toml in this folder or one above, and no --project"}
        .hint("stele init my-audit, for a folder with a stele.toml");
}

bool has_upcaster(const fs::path& folder, const std::string& type, int from) {
    std::error_code failed;
    const auto file = type + ".v" + std::to_string(from) + "-v" + std::to_string(from + 1) + ".sql";
    return fs::exists(folder / file, failed);
}

const SchemaVersions& versions_of(const SchemasByType& schemas, const std::string& type, const std::string& where) {
    const auto known = schemas.find(type);
    if (known != schemas.end()) return known->second;
    Nearest nearest{type};
    for (const auto& [name, versions] : schemas) nearest.consider(name);
    auto failure = Failure{
        Exit::not_found, "not_found", where + ": no schema of \"" + printable(type) + '"', {{"type", type}}};
    if (nearest.found()) throw std::move(failure).hint("the type " + *nearest.found());
    throw std::move(failure);
}

}  // namespace stele::tool
