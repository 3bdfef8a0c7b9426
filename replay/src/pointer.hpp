// JSON Pointers (RFC 6901), cut into their names.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// The names of `pointer`, unescaped; none for the whole value. Throws InvalidInput naming `pointer`.
[[nodiscard]] std::vector<std::string> names_of_pointer(std::string_view pointer);

/// Adds `name` to `pointer`, escaped.
void append_name(std::string& pointer, std::string_view name);

/// What stands there in `value`; null where nothing does.
[[nodiscard]] const nlohmann::json* value_at(const nlohmann::json& value, const std::vector<std::string>& names);

/// `name` as an array's index; the largest number there is where it is none.
[[nodiscard]] std::size_t index_of(std::string_view name) noexcept;

}  // namespace stele
