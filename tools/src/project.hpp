// Project: what stele.toml says.
//
//     store       = "audit.stele"     # the store's folder, or its URL
//     projections = "projections"     # folders; these are their defaults
//     aggregates  = "aggregates"
//     schemas     = "schemas"
//
// Paths are relative to the folder that stele.toml stands in. What it says of listeners is in
// config/listener_config.hpp: only the commands that need them read that part.
#pragma once

#include "config/toml_value.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace stele::tool {

/// All paths are relative to the current folder where that is shorter: messages begin with them.
struct Project {
    std::filesystem::path folder;               ///< where stele.toml stands
    std::filesystem::path file;                 ///< stele.toml, as messages name it
    std::shared_ptr<const TomlValue> settings;  ///< all that stands in it
    std::optional<std::string> store;           ///< a path, or a URL
    std::filesystem::path projections;
    std::filesystem::path aggregates;
    std::filesystem::path schemas;
};

inline constexpr const char* project_file = "stele.toml";

/// Reads `folder`/stele.toml. Throws Failure: not_found where there is none; failed, with line and column, where it
/// cannot be read. An unknown key is an error: a misspelt one must not be passed over.
[[nodiscard]] Project load_project(const std::filesystem::path& folder);
/// The same, noting what is wrong with it but for what makes it no TOML at all, which is thrown.
[[nodiscard]] Project load_project(const std::filesystem::path& folder, Mistakes& mistakes);

/// The project of `folder` or the nearest one above it.
[[nodiscard]] std::optional<Project> find_project(const std::filesystem::path& folder);
/// The folder that it stands in.
[[nodiscard]] std::optional<std::filesystem::path> find_project_folder(const std::filesystem::path& folder);

/// A path as short as it can be said from the current folder: messages begin with it.
[[nodiscard]] std::string shown_from_here(const std::filesystem::path& path);

}  // namespace stele::tool
