// Numbers of JSON, compared as what they stand for and not as how they are written or held.
#pragma once

#include <limits>
#include <string>

namespace stele::detail::json_schema {

/// Holds every integer of 64 bits and every double exactly, so that comparing is comparing.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 64);

/// Whether there is no fraction: 1.0 is an integer, as draft-07 has it.
[[nodiscard]] bool is_whole(Number number) noexcept;

/// As JSON; the same text for the same number, however it was written: 1e2, 100.0 and 100 are "100".
[[nodiscard]] std::string text_of(Number number);

/// Whether `number` is a whole multiple of `divisor`, which is more than 0. Counted in decimals, because that is
/// how both were written: 4.35 is a multiple of 0.01, though their doubles divide to 434.99999999999994.
[[nodiscard]] bool is_multiple(Number number, Number divisor) noexcept;

}  // namespace stele::detail::json_schema
