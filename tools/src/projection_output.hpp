// How far projections are, as a table, at length, and as JSON: `projection list`, `projection status` and `status`
// say it alike.
#pragma once

#include "context.hpp"

#include <stele/projections/projection_status.hpp>

#include <vector>

namespace stele::tool {

/// "sync" or "async".
[[nodiscard]] const char* word(ProjectionMode mode);

[[nodiscard]] nlohmann::ordered_json to_json(const ProjectionStatus& status);

void print_projections(const std::vector<ProjectionStatus>& projections, Context& context);
/// The same at length.
void print_statuses(const std::vector<ProjectionStatus>& projections, Context& context);
void print_projection_table(const std::vector<ProjectionStatus>& projections, Output& out);

}  // namespace stele::tool
