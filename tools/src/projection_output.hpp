// How far projections are, as a table and as JSON: `projection list` and `status` say it alike.
#pragma once

#include "context.hpp"

#include <stele/projections/rebuild.hpp>

#include <vector>

namespace stele::tool {

/// "sync" or "async".
[[nodiscard]] const char* word(ProjectionMode mode);

[[nodiscard]] nlohmann::ordered_json to_json(const ProjectionStatus& status);

void print_projections(const std::vector<ProjectionStatus>& projections, Context& context);
void print_projection_table(const std::vector<ProjectionStatus>& projections, Output& out);

}  // namespace stele::tool
