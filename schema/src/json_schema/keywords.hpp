// The keywords of one schema, read by valijson into the rules of a node.
#pragma once

#include "program.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>

namespace stele::detail::json_schema {

/// Gives the node of a schema that stands directly in the one being read, at `step` (a JSON Pointer).
using ChildNode = std::function<NodeId(const std::string& step, const nlohmann::json& schema)>;

/// Fills `node` with what `schema` says: an object that the metaschema has accepted, and no reference.
/// Throws SchemaFault, with a pointer from `schema` on.
void read_keywords(const nlohmann::json& schema, Node& node, const ChildNode& child);

}  // namespace stele::detail::json_schema
