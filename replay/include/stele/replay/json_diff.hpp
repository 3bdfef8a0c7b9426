// json_diff: what changed between two JSON values, as a JSON Patch (RFC 6902).
#pragma once

#include <nlohmann/json.hpp>

namespace stele {

/// The JSON Patch that turns `before` into `after`: an array of "add", "remove" and "replace" operations, to be
/// applied in order; empty when the two are the same.
///
/// Members are named by their full path and elements by their index, never by "-". In an array, elements that are
/// in both, in the same order, are left alone (the longest such sequence), so those that were put in, taken out or
/// changed are one operation each, however many there are, up to 100 that came or went; beyond that, only what is
/// the same at the array's head and tail is left alone, and the rest is compared place by place. Elements that
/// changed are told from those that came by their place: behind the element that stayed before them. A whole value
/// that changed kind has the path "".
///
/// Exact: 1 and 1.0 differ, as do 18446744073709551615 and -1, and 0.0 and -0.0; applying the patch gives `after`
/// to the byte. (nlohmann's own diff takes each of these pairs for equal.)
///
/// Cost  proportional to the two values, times their depth in arrays, times the elements that came or went, at
/// worst.
///       Recurses as deep as they are nested.
[[nodiscard]] nlohmann::json json_diff(const nlohmann::json& before, const nlohmann::json& after);

/// Whether the two are the same in the sense of json_diff(): they are written alike.
[[nodiscard]] bool json_same(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace stele
