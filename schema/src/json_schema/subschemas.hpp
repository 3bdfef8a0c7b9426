// Where in a schema document other schemas stand.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <string_view>

namespace stele::detail::json_schema {

/// `name` as a step of a JSON Pointer: with '/' before it, and '~' and '/' escaped.
[[nodiscard]] std::string pointer_step(std::string_view name);

/// Calls `visit(step, child)` for each schema that stands directly in `schema`; `step` is a JSON Pointer from
/// `schema` to `child`. Of what is no schema, there are none.
template <class Visit>
void for_each_subschema(const nlohmann::json& schema, Visit visit) {
    if (!schema.is_object()) return;
    constexpr std::array<std::string_view, 8> singles{
        "additionalItems", "additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"};
    constexpr std::array<std::string_view, 4> maps{"definitions", "dependencies", "patternProperties",
                                                   "properties"};
    constexpr std::array<std::string_view, 4> lists{"allOf", "anyOf", "items", "oneOf"};
    const auto is_schema = [](const nlohmann::json& value) { return value.is_object() || value.is_boolean(); };

    for (const auto keyword : singles) {
        const auto at = schema.find(keyword);
        if (at != schema.end() && is_schema(*at)) visit(pointer_step(keyword), *at);
    }
    for (const auto keyword : maps) {
        const auto at = schema.find(keyword);
        if (at == schema.end() || !at->is_object()) continue;
        for (const auto& [name, child] : at->items()) {
            if (is_schema(child)) visit(pointer_step(keyword) + pointer_step(name), child);
        }
    }
    for (const auto keyword : lists) {
        const auto at = schema.find(keyword);
        if (at == schema.end()) continue;
        if (keyword == "items" && is_schema(*at)) visit(pointer_step(keyword), *at);
        if (!at->is_array()) continue;
        for (std::size_t i = 0; i < at->size(); ++i) {
            if (is_schema((*at)[i])) visit(pointer_step(keyword) + '/' + std::to_string(i), (*at)[i]);
        }
    }
}

}  // namespace stele::detail::json_schema
