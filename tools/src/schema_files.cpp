#include "schema_files.hpp"

#include "failure.hpp"
#include "project.hpp"
#include "suggest.hpp"
#include "terminal.hpp"

#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

struct Name {
    std::string type;
    int version;
};

/// What TYPE.vN.json says by its name; nothing for other files.
std::optional<Name> name_of(const fs::path& file) {
    if (file.extension() != ".json") return std::nullopt;
    const auto stem = file.stem().string();
    const auto mark = stem.rfind(".v");
    if (mark == std::string::npos || mark == 0) return std::nullopt;
    const auto digits = std::string_view(stem).substr(mark + 2);
    int version = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
    if (error != std::errc{} || end != digits.data() + digits.size() || version < 1) return std::nullopt;
    return Name{stem.substr(0, mark), version};
}

std::string text_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) {
        throw Failure{Exit::failed, "unreadable", file.string() + ": cannot be read", {{"file", file.string()}}};
    }
    return std::move(text).str();
}

}  // namespace

SchemasByType schemas_in(const fs::path& folder) {
    std::error_code failed;
    if (!fs::is_directory(folder, failed)) {
        throw Failure{Exit::not_found,
                      "not_found",
                      folder.string() + ": there is no folder of schemas here",
                      {{"folder", folder.string()}}};
    }
    SchemasByType schemas;
    for (const auto& entry : fs::directory_iterator(folder)) {
        auto name = name_of(entry.path());
        if (!name) continue;
        const auto shown = shown_from_here(entry.path());
        auto schema = JsonSchema::compile(JsonText::parse(text_of(entry.path()), shown), shown);
        schemas[name->type].emplace(name->version,
                                    KnownSchema{name->type, name->version, std::move(schema), shown});
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
