#include "project.hpp"

#include "failure.hpp"
#include "suggest.hpp"

#include <algorithm>
#include <vector>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

bool is_url(const std::string& store) { return store.find("://") != std::string::npos; }

// What stands in the file. Throws Failure where there is none, or it is not TOML.
Project opened(const fs::path& folder) {
    const fs::path file = shown_from_here(folder / project_file);
    if (!fs::exists(file)) {
        throw Failure{Exit::not_found, "not_found", folder.string() + ": no " + project_file + " here"}.hint(
            "stele init " + folder.string());
    }
    Project project;
    project.folder = folder;
    project.file = file;
    project.settings = std::make_shared<const TomlValue>(read_toml(file, file.string()));
    return project;
}

void refuse_unknown_keys(const TomlValue& settings, Mistakes& mistakes) {
    static const std::vector<std::string> known{"store",    "projections", "aggregates", "schemas",
                                                "listener", "queue",       "health",     "listeners_enabled"};
    for (const auto& member : settings.members) {
        if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
        const auto meant = nearest(member.key, known);
        std::string others;
        for (const auto& key : known) others += (others.empty() ? "" : ", ") + key;
        mistakes.add(member.place, "unknown key \"" + member.key + "\"" +
                                       (meant ? "; did you mean \"" + *meant + "\"?" : "; known are " + others));
    }
}

}  // namespace

Project load_project(const fs::path& folder, Mistakes& mistakes) {
    Project project = opened(folder);
    refuse_unknown_keys(*project.settings, mistakes);
    const auto path = [&](const char* key) -> std::optional<std::string> {
        const auto* member = project.settings->find(key);
        if (member == nullptr) return std::nullopt;
        if (member->value.kind == TomlValue::Kind::text && !member->value.text.empty()) return member->value.text;
        mistakes.add(member->value.place, std::string{key} + ": expected a path in quotes");
        return std::nullopt;
    };
    const auto folder_of = [&](const char* key) { return shown_from_here(folder / path(key).value_or(key)); };
    project.projections = folder_of("projections");
    project.aggregates = folder_of("aggregates");
    project.schemas = folder_of("schemas");
    if (const auto store = path("store"))
        project.store = is_url(*store) ? *store : shown_from_here(folder / *store);
    return project;
}

Project load_project(const fs::path& folder) {
    Mistakes mistakes{shown_from_here(folder / project_file)};
    auto project = load_project(folder, mistakes);
    mistakes.throw_first();
    return project;
}

std::optional<fs::path> find_project_folder(const fs::path& folder) {
    for (fs::path at = fs::absolute(folder);; at = at.parent_path()) {
        if (fs::exists(at / project_file)) return at;
        if (at == at.parent_path()) return std::nullopt;
    }
}

std::optional<Project> find_project(const fs::path& folder) {
    const auto found = find_project_folder(folder);
    return found ? std::optional{load_project(*found)} : std::nullopt;
}

std::string shown_from_here(const fs::path& path) {
    const std::string absolute = fs::absolute(path).lexically_normal().string();
    std::error_code failed;
    const auto here = fs::current_path(failed);
    const auto relative = failed ? std::string{} : fs::path(absolute).lexically_proximate(here).string();
    return relative.empty() || relative.size() > absolute.size() ? absolute : relative;
}

}  // namespace stele::tool
