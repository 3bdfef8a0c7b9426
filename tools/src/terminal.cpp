#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace stele::tool {
namespace {

struct CodePoint {
    char32_t value;      // U+FFFD for bytes that are not UTF-8
    std::size_t length;  // in bytes
};

CodePoint decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return {0xFFFD, 1};
    auto value = static_cast<char32_t>(first & (0x7F >> length));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {0xFFFD, 1};
        value = value << 6 | (byte(i) & 0x3F);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < least[length] || value > 0x10FFFF || surrogate) return {0xFFFD, 1};
    return {value, length};
}

struct Interval {
    char32_t first, last;
};

template <std::size_t N>
bool within(const std::array<Interval, N>& intervals, char32_t c) {
    for (const auto& interval : intervals)
        if (c >= interval.first && c <= interval.last) return true;
    return false;
}

// Unicode 15: the blocks of East Asian width W and F, and of characters that take no column of their own.
constexpr std::array<Interval, 10> wide{{{0x1100, 0x115F},
                                         {0x2E80, 0x303E},
                                         {0x3041, 0xA4CF},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF01, 0xFF60},
                                         {0xFFE0, 0xFFE6},
                                         {0x1F300, 0x1FAFF},
                                         {0x20000, 0x3FFFD}}};
constexpr std::array<Interval, 7> combining{{{0x0300, 0x036F},
                                             {0x1AB0, 0x1AFF},
                                             {0x200B, 0x200F},
                                             {0x2060, 0x2064},
                                             {0x20D0, 0x20FF},
                                             {0xFE00, 0xFE0F},
                                             {0xFE20, 0xFE2F}}};

std::size_t columns_of(char32_t c) { return c < 0x300 ? 1 : within(combining, c) ? 0 : within(wide, c) ? 2 : 1; }

// Control characters, and those that turn the direction of the text around them.
bool controls(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::size_t terminal_width(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool wants_colour(int fd) {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return is_terminal(fd) && (no_colour == nullptr || *no_colour == '\0') &&
           (term == nullptr || std::string_view{term} != "dumb");
}

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto [value, length] = decode(text);
        columns += columns_of(value);
        text.remove_prefix(length);
    }
    return columns;
}

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto [value, length] = decode(text);
        if (value == '\n' || value == '\r' || value == '\t') {
            out += ' ';
        } else if (controls(value)) {
            out += "·";
        } else if (value == 0xFFFD) {
            out += "\uFFFD";
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out;
}

std::string shortened(std::string_view text, std::size_t columns) {
    std::size_t used = 0;
    std::size_t cut = 0;  // where the last character ends that leaves a column for the ellipsis
    for (std::size_t at = 0; at < text.size();) {
        const auto [value, length] = decode(text.substr(at));
        used += columns_of(value);
        if (used > columns) return columns == 0 ? std::string{} : std::string(text.substr(0, cut)) + "…";
        at += length;
        if (used < columns) cut = at;
    }
    return std::string(text);
}

std::string grouped(std::int64_t number) {
    const std::string digits = std::to_string(number);
    std::string text;
    for (std::size_t at = 0; at < digits.size(); ++at) {
        const bool behind_a_digit = at > 0 && digits[at - 1] != '-';
        if (behind_a_digit && (digits.size() - at) % 3 == 0) text += ',';
        text += digits[at];
    }
    return text;
}

std::string human_bytes(std::int64_t bytes) {
    if (bytes < 1024) return std::to_string(bytes) + " B";
    constexpr std::array<const char*, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
    auto value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text.data();
}

std::string human_seconds(double seconds) {
    std::array<char, 48> text{};
    const auto whole = static_cast<long long>(seconds + 0.5);
    if (seconds < 10) {
        std::snprintf(text.data(), text.size(), "%.1f s", seconds);
    } else if (whole < 60) {
        std::snprintf(text.data(), text.size(), "%lld s", whole);
    } else if (whole < 3600) {
        std::snprintf(text.data(), text.size(), "%lld min %02lld s", whole / 60, whole % 60);
    } else {
        std::snprintf(text.data(), text.size(), "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
    }
    return text.data();
}

std::string counted(std::int64_t number, std::string_view singular, std::string_view plural) {
    std::string text = grouped(number) + " ";
    if (number == 1) return text += singular;
    return plural.empty() ? (text += singular) += 's' : text += plural;
}

}  // namespace stele::tool
