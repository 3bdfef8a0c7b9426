// From a schema document to a program.
#pragma once

#include "document.hpp"
#include "program.hpp"

#include <nlohmann/json.hpp>

namespace stele::detail::json_schema {

/// Compiles a document that is nested at most JsonSchema::max_depth deep. Throws SchemaFault.
[[nodiscard]] Program compile(const nlohmann::json& document);

/// The program of draft-07's schema of schemas, compiled once.
[[nodiscard]] const Program& metaprogram();

}  // namespace stele::detail::json_schema
