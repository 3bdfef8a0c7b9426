#include <stele/schema/error.hpp>
#include <stele/schema/time.hpp>

#include "text.hpp"

#include <cstdint>

namespace stele {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

/// Writes `value` in decimal with `width` digits to `out` and steps behind them.
void put(char*& out, std::uint64_t value, int width) {
    for (int i = width; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
    out += width;
}

/// Reads an RFC 3339 date-time from left to right.
class Reader {
public:
    Reader(std::string_view text, std::string_view field) : rest_(text), text_(text), field_(field) {}

    /// Exactly `width` digits, a number from `low` to `high`.
    unsigned number(std::size_t width, unsigned low, unsigned high, std::string_view what) {
        unsigned value = 0;
        bool good = rest_.size() >= width;
        for (std::size_t i = 0; good && i < width; ++i) {
            good = is_digit(rest_[i]);
            value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
        }
        if (!good || value < low || value > high) {
            refuse(std::string(what) + " from " + padded(low, width) + " to " + padded(high, width));
        }
        rest_.remove_prefix(width);
        return value;
    }

    /// One character out of `any_of`.
    char one(std::string_view any_of, std::string_view what) {
        if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) refuse(std::string(what));
        const char c = rest_[0];
        rest_.remove_prefix(1);
        return c;
    }

    /// `.` and digits, if they are there; digits past the sixth are cut off.
    microseconds fraction() {
        if (rest_.empty() || rest_[0] != '.') return {};
        rest_.remove_prefix(1);
        if (rest_.empty() || !is_digit(rest_[0])) refuse("a digit behind the '.'");
        std::int64_t value = 0;
        for (std::int64_t unit = 100'000; !rest_.empty() && is_digit(rest_[0]);
             rest_.remove_prefix(1), unit /= 10) {
            value += unit * (rest_[0] - '0');
        }
        return microseconds{value};
    }

    /// `Z`, or hours and minutes ahead of UTC.
    minutes offset() {
        const char sign = one("Zz+-", "'Z' or an offset such as +02:00");
        if (sign == 'Z' || sign == 'z') return {};
        const hours h{number(2, 0, 23, "hours of the offset")};
        one(":", "':' in the offset");
        const minutes m{number(2, 0, 59, "minutes of the offset")};
        return sign == '-' ? -(h + m) : h + m;
    }

    void end() const {
        if (!rest_.empty()) refuse("nothing behind the offset");
    }

    [[noreturn]] void refuse(const std::string& expected) const {
        throw InvalidInput(std::string(field_), "an RFC 3339 time (" + expected + ")", detail::quoted(text_));
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    static std::string padded(unsigned value, std::size_t width) {
        auto digits = std::to_string(value);
        return std::string(width - digits.size(), '0') + digits;
    }

    std::string_view rest_;
    std::string_view text_;
    std::string_view field_;
};

}  // namespace

Timestamp now() { return std::chrono::floor<microseconds>(std::chrono::system_clock::now()); }

std::string to_rfc3339(Timestamp time) {
    if (time < first_moment || time > last_moment) {
        throw InvalidInput("time", "a moment in the years 0000 to 9999",
                           std::to_string(time.time_since_epoch().count()) + " microseconds from 1970");
    }
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};

    std::string text = "0000-00-00T00:00:00.000000Z";
    char* out = text.data();
    const auto field = [&out](auto value, int width) {
        put(out, static_cast<std::uint64_t>(value), width);
        ++out;
    };
    field(static_cast<int>(date.year()), 4);
    field(static_cast<unsigned>(date.month()), 2);
    field(static_cast<unsigned>(date.day()), 2);
    field(clock.hours().count(), 2);
    field(clock.minutes().count(), 2);
    field(clock.seconds().count(), 2);
    field(clock.subseconds().count(), 6);
    return text;
}

Timestamp parse_rfc3339(std::string_view text, std::string_view field) {
    Reader reader{text, field};

    const year y{static_cast<int>(reader.number(4, 0, 9999, "a year"))};
    reader.one("-", "'-' behind the year");
    const std::chrono::month m{reader.number(2, 1, 12, "a month")};
    reader.one("-", "'-' behind the month");
    const auto last_day = static_cast<unsigned>((y / m / std::chrono::last).day());
    const std::chrono::day d{reader.number(2, 1, last_day, "a day")};
    reader.one("Tt ", "'T' between date and time");
    const hours hour{reader.number(2, 0, 23, "hours")};
    reader.one(":", "':' behind the hours");
    const minutes minute{reader.number(2, 0, 59, "minutes")};
    reader.one(":", "':' behind the minutes");
    const seconds second{reader.number(2, 0, 60, "seconds")};
    const auto fraction = reader.fraction();
    const auto offset = reader.offset();
    reader.end();

    const auto whole = sys_days{y / m / d} + hour + minute + second - offset;
    if (second == seconds{60}) {
        // A leap second ends a month in UTC, so the second after it is the first one of the next.
        const auto next_day = std::chrono::floor<days>(whole);
        const bool starts_a_month =
            whole == next_day && std::chrono::year_month_day{next_day}.day() == std::chrono::day{1};
        if (!starts_a_month) reader.refuse("seconds up to 59, or 60 at the end of a month in UTC");
    }
    const Timestamp time = whole + fraction;
    if (time < first_moment || time > last_moment) reader.refuse("years 0000 to 9999 in UTC");
    return time;
}

}  // namespace stele
