#include "text.hpp"

#include <stele/schema/error.hpp>

#include <simdjson.h>

#include <algorithm>

namespace stele::detail {
namespace {

constexpr bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

/// How long the character is that `lead` begins; 1 for a byte that begins none.
constexpr std::size_t length_by_lead(unsigned char lead) {
    if (lead >= 0xf0) return 4;
    if (lead >= 0xe0) return 3;
    if (lead >= 0xc0) return 2;
    return 1;
}

std::string hex(unsigned char byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {digits[byte >> 4], digits[byte & 15]};
}

}  // namespace

bool is_utf8(std::string_view text) noexcept { return simdjson::validate_utf8(text.data(), text.size()); }

std::size_t broken_utf8_at(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto length = length_by_lead(static_cast<unsigned char>(text[at]));
        if (length > text.size() - at || !simdjson::validate_utf8(text.data() + at, length)) return at;
        at += length;
    }
    return at;
}

bool has_control_characters(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return is_control(static_cast<unsigned char>(c)); });
}

std::string byte_name(unsigned char byte) { return "the byte 0x" + hex(byte); }

std::string printable(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string out;
    while (!text.empty()) {
        if (out.size() >= longest) return out + "…";
        auto length = length_by_lead(static_cast<unsigned char>(text[0]));
        length = std::min(length, text.size());
        const auto character = text.substr(0, length);
        if (is_control(static_cast<unsigned char>(text[0])) ||
            !simdjson::validate_utf8(character.data(), character.size())) {
            length = 1;
            out += "\\x" + hex(static_cast<unsigned char>(text[0]));
        } else {
            out += character;
        }
        text.remove_prefix(length);
    }
    return out;
}

std::string quoted(std::string_view text) { return '"' + printable(text) + '"'; }

void require_utf8(std::string_view text, std::string_view field) {
    if (is_utf8(text)) return;
    const auto at = broken_utf8_at(text);
    throw InvalidInput(std::string(field), "UTF-8",
                       byte_name(static_cast<unsigned char>(text[at])) + " at byte " + std::to_string(at));
}

void require_name(std::string_view text, std::string_view field) {
    if (text.empty()) throw InvalidInput(std::string(field), "at least one character", "none");
    require_utf8(text, field);
    if (has_control_characters(text)) {
        throw InvalidInput(std::string(field), "text without control characters", quoted(text));
    }
}

void require_bytes_at_most(std::size_t limit, std::string_view text, std::string_view field) {
    if (text.size() <= limit) return;
    throw InvalidInput(std::string(field), "at most " + std::to_string(limit) + " bytes",
                       std::to_string(text.size()));
}

}  // namespace stele::detail
