// How a regular expression of ECMAScript is written for PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace stele::detail::json_schema {

/// Throws PatternError where `source` uses what ECMAScript has not.
[[nodiscard]] std::string pcre2_of(std::string_view source);

}  // namespace stele::detail::json_schema
