#include "text.hpp"

#include <stele/schema/event_json.hpp>

#include <array>

namespace stele::sinks {
namespace {

// The length of the UTF-8 character at the start of `text`, and the character; 0 where there is none.
struct Character {
    std::size_t size = 0;
    char32_t value = 0;
};
Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, lead};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
    char32_t value = lead & (0xff >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        value = (value << 6) | (byte(i) & 0x3f);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least[size] || value > 0x10ffff || surrogate) return {};
    return {size, value};
}

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string printable(std::string_view text, std::size_t most) {
    text = trimmed(text);
    std::string clean;
    while (!text.empty()) {
        if (clean.size() >= most) return clean + "…";
        const auto [size, value] = first_character(text);
        if (size == 0) {
            clean.push_back('?');
            text.remove_prefix(1);
            continue;
        }
        const bool is_control = value < 0x20 || (value >= 0x7f && value <= 0x9f);
        if (is_control) {
            clean.push_back(' ');
        } else {
            clean.append(text.substr(0, size));
        }
        text.remove_prefix(size);
    }
    clean.erase(clean.find_last_not_of(' ') + 1);
    return clean;
}

std::string after_colon(std::string_view text, std::size_t most) {
    const auto clean = printable(text, most);
    return clean.empty() ? "" : ": " + clean;
}

std::string base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    unsigned int bits = 0;
    int held = 0;
    for (const char byte : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(byte);
        for (held += 8; held >= 6; held -= 6) text.push_back(alphabet[(bits >> (held - 6)) & 63]);
    }
    if (held > 0) text.push_back(alphabet[(bits << (6 - held)) & 63]);
    while (text.size() % 4 != 0) text.push_back('=');
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (const auto padding = text.find('='); padding != std::string_view::npos) {
        if (text.size() % 4 != 0 || text.substr(padding).find_first_not_of('=') != std::string_view::npos ||
            text.size() - padding > 2)
            return std::nullopt;
        text = text.substr(0, padding);
    }
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    unsigned int bits = 0;
    int held = 0;
    for (const char letter : text) {
        const auto value = alphabet.find(letter);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6) | static_cast<unsigned int>(value);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        bytes.push_back(static_cast<char>((bits >> held) & 0xff));
    }
    return bytes;
}

std::string event_line_with(const Event& event, std::initializer_list<Field> fields) {
    std::string line = to_event_line(event);
    line.pop_back();  // its closing brace
    for (const auto& [name, value] : fields) {
        line.append(",\"").append(name).append("\":").append(nlohmann::json(value).dump());
    }
    line.push_back('}');
    return line;
}

}  // namespace stele::sinks
