// json_diff: what changed between two JSON values, as a JSON Patch (RFC 6902).
#pragma once

#include <nlohmann/json.hpp>

namespace stele {

/// The JSON Patch that turns `before` into `after`: an array of "add", "remove" and "replace" operations, to be
/// applied in order; empty when the two are the same.
///
/// Members are named by their full path and elements by their index, never by "-". In an array, what stands the
/// same at its head and at its tail is left alone, so an element that was put in, taken out or changed is one
/// operation. A whole value that changed kind has the path "".
///
/// Exact: 1 and 1.0 differ, as do 18446744073709551615 and -1, and 0.0 and -0.0; applying the patch gives `after`
/// to the byte. (nlohmann's own diff takes each of these pairs for equal.)
///
/// Cost  proportional to the two values, times their depth in arrays at worst. Recurses as deep as they are nested.
[[nodiscard]] nlohmann::json json_diff(const nlohmann::json& before, const nlohmann::json& after);

/// Whether the two are the same in the sense of json_diff(): they are written alike.
[[nodiscard]] bool json_same(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace stele
