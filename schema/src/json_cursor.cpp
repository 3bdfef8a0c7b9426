#include "json_cursor.hpp"

#include <stele/schema/json_text.hpp>

#include "text.hpp"

#include <bitset>
#include <cassert>
#include <cstdint>
#include <cstring>

namespace stele::detail {
namespace {

/// The brackets that are open, outermost first.
class Nesting {
public:
    [[nodiscard]] bool full() const noexcept { return depth_ == JsonText::max_depth; }
    [[nodiscard]] bool empty() const noexcept { return depth_ == 0; }
    [[nodiscard]] bool in_object() const noexcept { return object_[depth_ - 1]; }
    void open(bool object) noexcept { object_[depth_++] = object; }
    void close() noexcept { --depth_; }

private:
    std::size_t depth_ = 0;
    std::bitset<JsonText::max_depth> object_;
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether one of eight characters ends a run of plain ones within a string: a quote, a backslash or a control
/// character. (Each test turns the bytes in question into ones with a set high bit; a carry from the byte below
/// can only follow a byte that was in question itself.)
bool has_special(std::uint64_t eight) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    const auto zeros = [](std::uint64_t word) { return (word - ones) & ~word; };
    const auto control = (eight - ones * 0x20) & ~eight;
    return ((zeros(eight ^ ones * '"') | zeros(eight ^ ones * '\\') | control) & high_bits) != 0;
}

std::string escape_name(unsigned unit) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    return std::string("\\u") + hex[unit >> 12] + hex[unit >> 8 & 15] + hex[unit >> 4 & 15] + hex[unit & 15];
}

}  // namespace

void JsonCursor::fail(std::string expected) const {
    const auto rest = std::string_view{at_, static_cast<std::size_t>(end_ - at_)};
    std::string found;
    if (rest.empty()) {
        found = "the end";
    } else if (rest.starts_with("\xEF\xBB\xBF")) {
        found = "a byte order mark";
    } else if (rest[0] > 0x20 && rest[0] < 0x7f) {
        found = std::string("'") + rest[0] + '\'';
    } else {
        found = byte_name(static_cast<unsigned char>(rest[0]));
    }
    throw JsonFault{byte(), std::move(expected), std::move(found)};
}

std::string_view JsonCursor::value() {
    const char* const start = at_;
    Nesting nesting;
    for (;;) {
        // A value begins here.
        switch (ahead()) {
            case '{':
            case '[': {
                const bool object = *at_ == '{';
                if (nesting.full()) {
                    throw JsonFault{byte(), "at most " + std::to_string(JsonText::max_depth) + " levels of nesting",
                                    "one more"};
                }
                ++at_;
                space();
                nesting.open(object);
                if (ahead() == (object ? '}' : ']')) break;  // closed below
                if (object) key();
                continue;
            }
            case '"':
                string();
                break;
            case 't':
                literal("true");
                break;
            case 'f':
                literal("false");
                break;
            case 'n':
                literal("null");
                break;
            default:
                number();
        }
        // It has ended, and with it perhaps the objects and arrays that it is the last of.
        for (;;) {
            if (nesting.empty()) return {start, static_cast<std::size_t>(at_ - start)};
            space();
            const bool object = nesting.in_object();
            if (ahead() == (object ? '}' : ']')) {
                ++at_;
                nesting.close();
                continue;
            }
            expect(',', object ? "',' or '}' behind a member" : "',' or ']' behind an element");
            space();
            if (object) key();
            break;
        }
    }
}

std::string_view JsonCursor::key() {
    const auto name = string("a member's name in quotes");
    space();
    expect(':', "':' behind a member's name");
    space();
    return name;
}

std::string_view JsonCursor::string(const char* described) {
    const char* const start = at_;
    expect('"', described);
    for (;;) {
        for (std::uint64_t eight; end_ - at_ >= 8; at_ += 8) {
            std::memcpy(&eight, at_, 8);
            if (has_special(eight)) break;
        }
        while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
        switch (ahead()) {
            case '"':
                ++at_;
                return {start, static_cast<std::size_t>(at_ - start)};
            case '\\':
                escape();
                break;
            default:
                fail(at_ == end_ ? "'\"' at the end of a string" : "control characters in a string escaped");
        }
    }
}

void JsonCursor::escape() {
    const char* const start = at_;
    const auto lone = [&](unsigned unit) {
        const auto at = static_cast<std::size_t>(start - begin_);
        throw JsonFault{at, "surrogates in pairs", escape_name(unit) + " alone"};
    };
    ++at_;
    if (ahead() != 'u') {
        if (at_ == end_ || !std::strchr("\"\\/bfnrt", *at_) || *at_ == '\0') fail("one of \"\\/bfnrtu behind '\\'");
        ++at_;
        return;
    }
    const auto unit = hex4();
    if (unit < 0xd800 || unit > 0xdfff) return;
    if (unit > 0xdbff || end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') lone(unit);
    ++at_;
    const auto second = hex4();
    if (second < 0xdc00 || second > 0xdfff) lone(unit);
}

/// Steps over `u` and four hexadecimal digits.
unsigned JsonCursor::hex4() {
    ++at_;
    unsigned unit = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = ahead();
        const char lower = static_cast<char>(c | 0x20);
        if (is_digit(c)) {
            unit = unit << 4 | static_cast<unsigned>(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            unit = unit << 4 | static_cast<unsigned>(lower - 'a' + 10);
        } else {
            fail("four hexadecimal digits behind '\\u'");
        }
        ++at_;
    }
    return unit;
}

void JsonCursor::number() {
    if (ahead() != '-' && !is_digit(ahead())) fail("a JSON value");
    if (*at_ == '-') ++at_;
    if (ahead() == '0') {
        ++at_;
        if (is_digit(ahead())) fail("no digit behind a leading 0");
    } else {
        digits();
    }
    if (ahead() == '.') {
        ++at_;
        digits();
    }
    if (ahead() == 'e' || ahead() == 'E') {
        ++at_;
        if (ahead() == '+' || ahead() == '-') ++at_;
        digits();
    }
}

void JsonCursor::digits() {
    if (!is_digit(ahead())) fail("a digit");
    while (is_digit(ahead())) ++at_;
}

void JsonCursor::literal(std::string_view word) {
    const auto rest = std::string_view{at_, static_cast<std::size_t>(end_ - at_)};
    if (!rest.starts_with(word)) fail("a JSON value");
    at_ += word.size();
}

std::string unescaped(std::string_view token) {
    assert(token.size() >= 2);
    const auto inside = token.substr(1, token.size() - 2);
    if (inside.find('\\') == std::string_view::npos) return std::string(inside);
    return nlohmann::json::parse(token).get<std::string>();  // rare: names and ids are seldom escaped
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    auto plain_from = text.begin();
    for (auto at = text.begin(); at != text.end(); ++at) {
        const auto byte = static_cast<unsigned char>(*at);
        if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
        out.append(plain_from, at);
        plain_from = at + 1;
        switch (byte) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\b':
                out += "\\b";
                break;
            case '\f':
                out += "\\f";
                break;
            default:
                out.append("\\u00").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
        }
    }
    out.append(plain_from, text.end());
    out += '"';
}

}  // namespace stele::detail
