// Times: microseconds since 1970 in UTC, written as RFC 3339.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace stele {

/// A moment, to the microsecond, in UTC. Years 0000 to 9999 can be written; earlier than 1970 is negative.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// The first and the last moment that can be written.
inline constexpr Timestamp first_moment = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
inline constexpr Timestamp last_moment =
    std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - std::chrono::microseconds{1};

/// Where a store gets its time from; tests hand in their own.
using Clock = std::function<Timestamp()>;

/// The system's clock.
[[nodiscard]] Timestamp now();

/// `2026-01-05T10:00:00.000000Z`: always UTC, always six digits, 27 bytes.
/// Throws InvalidInput for a moment outside of years 0000 to 9999.
[[nodiscard]] std::string to_rfc3339(Timestamp time);

/// Reads an RFC 3339 date-time: any offset, `T`/`t`/space between date and time, a fraction of any length
/// (digits past the sixth are cut off, towards the past). A leap second (`:60`, at the end of a month in UTC) is
/// read as the second after it. Throws InvalidInput naming `field` and what is wrong.
[[nodiscard]] Timestamp parse_rfc3339(std::string_view text, std::string_view field = "time");

}  // namespace stele
