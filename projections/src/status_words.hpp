// The words in which statuses are told to people: numbers, lasting times, labelled lines.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace stele {

[[nodiscard]] std::string with_one_decimal(double value);

/// 1,234,567
[[nodiscard]] std::string grouped(std::int64_t value);

/// 1 event, 2,000 events
[[nodiscard]] std::string counted(std::int64_t number, std::string_view singular);

/// 12.0 s, 3.5 min, 2.0 h, 4.0 days
[[nodiscard]] std::string lasting(double seconds);

/// `  what        value`, and a line break.
void status_line(std::ostream& out, const char* what, const std::string& value);

}  // namespace stele
