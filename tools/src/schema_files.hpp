// The schemas that commands can name: those in the project's folder, and those that a store has recorded.
#pragma once

#include "context.hpp"

#include <stele/schema/json_schema.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace stele::tool {

struct KnownSchema {
    std::string type;
    int version = 1;
    JsonSchema schema;
    std::string place;  ///< the file, or "recorded in STORE"
};

/// All versions of a type, ascending.
using SchemaVersions = std::map<int, KnownSchema>;
using SchemasByType = std::map<std::string, SchemaVersions>;

/// The schemas in `folder`, read as a store reads them: what EventTypes::load() refuses is refused. Throws what
/// that throws, and Failure (not found) where there is no such folder.
[[nodiscard]] SchemasByType schemas_in(const std::filesystem::path& folder);

/// What `store` has recorded.
[[nodiscard]] SchemasByType recorded_schemas(const EventStore& store);

/// The project's folder of schemas. Throws Failure (command line) where there is no project.
[[nodiscard]] std::filesystem::path schema_folder(Context& context);

/// Whether `folder` has an upcaster from version `from` of `type` to the next one.
[[nodiscard]] bool has_upcaster(const std::filesystem::path& folder, const std::string& type, int from);

/// The versions of `type`. Throws Failure (not found), with the nearest name, where there are none; `where` names
/// what was looked through.
[[nodiscard]] const SchemaVersions& versions_of(const SchemasByType& schemas, const std::string& type,
                                                const std::string& where);

}  // namespace stele::tool
