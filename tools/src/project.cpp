#include "project.hpp"

#include "failure.hpp"
#include "suggest.hpp"

#include <toml++/toml.h>

#include <array>
#include <vector>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

std::string at(const fs::path& file, const toml::source_region& where) {
    return file.string() + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column) + ": ";
}

Failure bad_file(const std::string& message) { return Failure{Exit::failed, "project", message}; }

// As short as it can be said from here.
std::string shown_from_here(const fs::path& path) {
    const std::string absolute = fs::absolute(path).lexically_normal().string();
    std::error_code failed;
    const auto here = fs::current_path(failed);
    const auto relative = failed ? std::string{} : fs::path(absolute).lexically_proximate(here).string();
    return relative.empty() || relative.size() > absolute.size() ? absolute : relative;
}

bool is_url(const std::string& store) { return store.find("://") != std::string::npos; }

// The string under `key`. Throws Failure where something else stands there.
std::optional<std::string> text(const toml::table& table, const char* key, const fs::path& file) {
    const toml::node* node = table.get(key);
    if (node == nullptr) return std::nullopt;
    const auto* value = node->as_string();
    if (value == nullptr || value->get().empty())
        throw bad_file(at(file, node->source()) + key + ": expected a path in quotes");
    return value->get();
}

void refuse_unknown_keys(const toml::table& table, const fs::path& file) {
    static const std::vector<std::string> known{"store", "projections", "aggregates", "schemas"};
    for (const auto& [key, node] : table) {
        const std::string name{key.str()};
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        const auto meant = nearest(name, known);
        throw bad_file(
            at(file, key.source()) + "unknown key \"" + name + "\"" +
            (meant ? "; did you mean \"" + *meant + "\"?" : "; known are store, projections, aggregates, schemas"));
    }
}

}  // namespace

Project load_project(const fs::path& folder) {
    const fs::path file = shown_from_here(folder / project_file);
    if (!fs::exists(file)) {
        throw Failure{Exit::not_found, "not_found", folder.string() + ": no " + project_file + " here"}.hint(
            "stele init " + folder.string());
    }
    toml::table table;
    try {
        table = toml::parse_file(file.string());
    } catch (const toml::parse_error& error) {
        throw bad_file(at(file, error.source()) + std::string(error.description()));
    }
    refuse_unknown_keys(table, file);

    Project project;
    project.folder = folder;
    const auto folder_of = [&](const char* key) {
        return shown_from_here(folder / text(table, key, file).value_or(key));
    };
    project.projections = folder_of("projections");
    project.aggregates = folder_of("aggregates");
    project.schemas = folder_of("schemas");
    if (const auto store = text(table, "store", file))
        project.store = is_url(*store) ? *store : shown_from_here(folder / *store);
    return project;
}

std::optional<Project> find_project(const fs::path& folder) {
    for (fs::path at = fs::absolute(folder);; at = at.parent_path()) {
        if (fs::exists(at / project_file)) return load_project(at);
        if (at == at.parent_path()) return std::nullopt;
    }
}

}  // namespace stele::tool
