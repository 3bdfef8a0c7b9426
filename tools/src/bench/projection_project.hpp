// A project folder with one projection in it, which has one upsert an event.
#pragma once

#include <filesystem>

namespace stele::bench {

inline constexpr const char* projection_name = "stream_sizes";

/// Writes `folder`/stele.toml and the projection's file; `folder` is there.
void write_projection_project(const std::filesystem::path& folder);

}  // namespace stele::bench
