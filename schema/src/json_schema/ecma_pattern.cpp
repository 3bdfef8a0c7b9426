#include "ecma_pattern.hpp"

#include "pattern.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace stele::detail::json_schema {
namespace {

// ECMAScript's white space beyond that of ASCII.
constexpr std::string_view other_spaces = R"(\x{a0}\x{feff}\x{2028}\x{2029}\p{Zs})";

class Translation {
public:
    explicit Translation(std::string_view source) : rest_(source) {}

    std::string run() {
        while (!rest_.empty()) {
            if (in_class_) {
                in_class();
            } else {
                outside();
            }
        }
        if (in_class_) throw PatternError("']' behind '['", "the end of the pattern");
        return std::move(out_);
    }

private:
    char ahead(std::size_t at = 0) const { return at < rest_.size() ? rest_[at] : '\0'; }

    void copy(std::size_t length) {
        out_ += rest_.substr(0, length);
        rest_.remove_prefix(std::min(length, rest_.size()));
    }

    void outside() {
        switch (ahead()) {
            case '\\':
                return escape();
            case '[':
                in_class_ = true;
                copy(1);
                if (ahead() == '^') copy(1);
                return;
            case '(':
                return group();
            case '*':
            case '+':
            case '?':
            case '}':
                copy(1);
                // A '+' behind a quantifier is PCRE2's way to forbid going back; '}' may also stand for itself.
                if (ahead() == '+') throw PatternError("no '+' behind another quantifier", "'+'");
                return;
            default:
                copy(1);
        }
    }

    void in_class() {
        switch (ahead()) {
            case '\\':
                return escape();
            case '[':  // PCRE2 would read [:alpha:] as a name
                out_ += "\\[";
                rest_.remove_prefix(1);
                return;
            case ']':
                in_class_ = false;
                return copy(1);
            default:
                copy(1);
        }
    }

    void group() {
        if (ahead(1) == '*') throw PatternError("something to repeat", "'*' behind '('");
        if (ahead(1) != '?') return copy(1);
        const auto kind = rest_.substr(2);
        const bool named = kind.starts_with('<') && !kind.starts_with("<=") && !kind.starts_with("<!");
        if (named || kind.starts_with(':') || kind.starts_with('=') || kind.starts_with('!') ||
            kind.starts_with("<=") || kind.starts_with("<!")) {
            return copy(2);
        }
        throw PatternError("a group that ECMAScript knows: (…) (?:…) (?=…) (?!…) (?<=…) (?<!…) (?<name>…)",
                           "\"(?" + std::string(kind.substr(0, 1)) + "\"");
    }

    void escape() {
        const char c = ahead(1);
        switch (c) {
            case '\0':
                if (rest_.size() < 2) throw PatternError("a character behind '\\'", "the end of the pattern");
                break;
            case 'u':
                return unicode();
            case 's':
                rest_.remove_prefix(2);
                (in_class_ ? out_ += "\\s" : out_ += "[\\s") += other_spaces;
                if (!in_class_) out_ += ']';
                return;
            case 'S':
                if (in_class_) return copy(2);
                rest_.remove_prefix(2);
                (out_ += "[^\\s") += other_spaces;
                out_ += ']';
                return;
            case 'k':
                if (in_class_ || ahead(2) != '<') throw PatternError("\\k<name>", "\\k");
                return copy(2);
            case 'c':
                if (!is_letter(ahead(2))) throw PatternError("a letter behind \\c", std::string{ahead(2)});
                return copy(3);
            case 'p':
            case 'P':  // the braces are no quantifier, so a '+' may follow
                if (const auto close = rest_.find('}'); ahead(2) == '{' && close != std::string_view::npos)
                    return copy(close + 1);
                break;
            case '0':
                rest_.remove_prefix(2);
                out_ += "\\x{0}";
                return;
            default:
                break;
        }
        const bool known = std::string_view("dDwWbBfnrtvxpP").find(c) != std::string_view::npos;
        if (is_letter(c) && !known) {
            throw PatternError("an escape that ECMAScript knows", std::string("\\") + c);
        }
        if (c == 'B' && in_class_) throw PatternError("no \\B between '[' and ']'", "\\B");
        copy(2);
    }

    static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

    /// The four hexadecimal digits from `at` on.
    std::optional<std::uint32_t> hex4(std::size_t at) const {
        std::uint32_t unit = 0;
        const auto digits = rest_.substr(std::min(at, rest_.size()), 4);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
        if (error != std::errc{} || end != digits.data() + 4) return std::nullopt;
        return unit;
    }

    void unicode() {
        if (ahead(2) == '{') {  // \u{1F432}
            const auto close = rest_.find('}');
            if (close == std::string_view::npos) throw PatternError("'}' behind \\u{", "none");
            (out_ += "\\x") += rest_.substr(2, close - 1);
            rest_.remove_prefix(close + 1);
            return;
        }
        auto unit = hex4(2);
        if (!unit) throw PatternError("four hexadecimal digits behind \\u", "fewer");
        std::size_t length = 6;
        if (*unit >= 0xd800 && *unit <= 0xdbff && ahead(6) == '\\' && ahead(7) == 'u') {
            if (const auto low = hex4(8); low && *low >= 0xdc00 && *low <= 0xdfff) {
                unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
                length = 12;
            }
        }
        if (*unit >= 0xd800 && *unit <= 0xdfff) throw PatternError("surrogates in pairs", "one alone");
        std::array<char, 12> hex;
        const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), *unit, 16).ptr;
        ((out_ += "\\x{") += std::string_view(hex.data(), static_cast<std::size_t>(end - hex.data()))) += '}';
        rest_.remove_prefix(length);
    }

    std::string_view rest_;
    std::string out_;
    bool in_class_ = false;
};

}  // namespace

std::string pcre2_of(std::string_view source) { return Translation{source}.run(); }

}  // namespace stele::detail::json_schema
