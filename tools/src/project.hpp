// Project: what stele.toml says.
//
//     store       = "audit.stele"     # the store's folder, or its URL
//     projections = "projections"     # folders; these are their defaults
//     aggregates  = "aggregates"
//     schemas     = "schemas"
//
// Paths are relative to the folder that stele.toml stands in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace stele::tool {

/// All paths are relative to the current folder where that is shorter: messages begin with them.
struct Project {
    std::filesystem::path folder;      ///< where stele.toml stands
    std::optional<std::string> store;  ///< a path, or a URL
    std::filesystem::path projections;
    std::filesystem::path aggregates;
    std::filesystem::path schemas;
};

inline constexpr const char* project_file = "stele.toml";

/// Reads `folder`/stele.toml. Throws Failure: not_found where there is none; failed, with line and column, where it
/// cannot be read. An unknown key is an error: a misspelt one must not be passed over.
[[nodiscard]] Project load_project(const std::filesystem::path& folder);

/// The project of `folder` or the nearest one above it.
[[nodiscard]] std::optional<Project> find_project(const std::filesystem::path& folder);

}  // namespace stele::tool
