// The functions whose result depends on something else than their arguments, and what stands in their place on a
// connection whose rows must be the same whenever they are computed.
#pragma once

#include "tokens.hpp"

#include <string_view>
#include <vector>

struct sqlite3;

namespace stele::sql {

/// random(), changes(), CURRENT_TIMESTAMP and the like: never deterministic.
[[nodiscard]] bool is_never_deterministic(std::string_view function) noexcept;

/// date(), strftime() and the like: deterministic but for the clock and the machine's time zone.
[[nodiscard]] bool is_date_function(std::string_view function) noexcept;

/// True for 'now', 'localtime', 'utc'.
[[nodiscard]] bool names_clock_or_zone(std::string_view argument) noexcept;

/// Replaces the former by functions that always fail, and the latter by functions that fail where they would look
/// at the clock or the time zone and otherwise give what SQLite's own give. Views, defaults and triggers meet them
/// too.
void install_deterministic_functions(sqlite3* db);

}  // namespace stele::sql
