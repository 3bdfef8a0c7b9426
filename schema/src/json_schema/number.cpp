#include "number.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace stele::detail::json_schema {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr Number beyond_64_bits = 18446744073709551616.0L;

bool is_64_bits(Number number) noexcept { return is_whole(number) && std::fabs(number) < beyond_64_bits; }

/// digits * 10^exponent.
struct Decimal {
    std::uint64_t digits;
    int exponent;
};

/// The shortest decimal that stands for the number; its sign is left out.
Decimal decimal_of(Number number) noexcept {
    const Number size = std::fabs(number);
    if (is_64_bits(size)) return {static_cast<std::uint64_t>(size), 0};
    std::array<char, 64> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<double>(size),
                                   std::chars_format::scientific)
                         .ptr;
    Decimal decimal{0, 0};
    bool fraction = false;
    const char* at = text.data();
    for (; at != end && *at != 'e'; ++at) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(*at - '0');
        if (fraction) --decimal.exponent;
    }
    if (at != end) {
        int power = 0;
        ++at;
        if (*at == '+') ++at;
        std::from_chars(at, end, power);
        decimal.exponent += power;
    }
    return decimal;
}

}  // namespace

bool is_whole(Number number) noexcept { return std::trunc(number) == number; }

std::string text_of(Number number) {
    std::array<char, 64> text;
    char* end = text.data();
    if (is_64_bits(number)) {
        if (number < 0) *end++ = '-';
        end = std::to_chars(end, text.data() + text.size(), static_cast<std::uint64_t>(std::fabs(number))).ptr;
    } else {
        end = std::to_chars(end, text.data() + text.size(), static_cast<double>(number)).ptr;
    }
    return {text.data(), end};
}

bool is_multiple(Number number, Number divisor) noexcept {
    if (number == 0) return true;
    const auto whole = decimal_of(number);
    const auto part = decimal_of(divisor);
    if (part.digits == 0) return false;
    int power = whole.exponent - part.exponent;
    if (power >= 0) {
        // whole.digits * 10^power, modulo part.digits, without ever holding the large number.
        Wide rest = whole.digits % part.digits;
        for (; power > 0 && rest != 0; --power) rest = rest * 10 % part.digits;
        return rest == 0;
    }
    Wide scaled = part.digits;
    for (; power < 0; ++power) {
        scaled *= 10;
        if (scaled > whole.digits) return false;
    }
    return whole.digits % scaled == 0;
}

}  // namespace stele::detail::json_schema
