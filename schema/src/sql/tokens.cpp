#include "tokens.hpp"

#include <algorithm>

namespace stele::sql {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// What SQLite allows in a name: letters, digits, `_`, `$`, and every byte of a character beyond ASCII.
bool is_name(char c) noexcept {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// Each of these takes the rest of the text and returns how long its token is.

std::size_t run_of(std::string_view rest, bool (*belongs)(char) noexcept, std::size_t from = 0) {
    while (from < rest.size() && belongs(rest[from])) ++from;
    return from;
}

std::size_t through(std::string_view rest, std::string_view end, std::size_t from) {
    const auto at = rest.find(end, from);
    return at == std::string_view::npos ? rest.size() : at + end.size();
}

std::size_t quoted(std::string_view rest) {
    const char quote = rest[0] == '[' ? ']' : rest[0];
    std::size_t at = 1;
    while (at < rest.size()) {
        if (rest[at++] != quote) continue;
        const bool doubled = quote != ']' && at < rest.size() && rest[at] == quote;
        if (!doubled) return at;
        ++at;
    }
    return at;
}

std::size_t variable(std::string_view rest) {
    std::size_t at = run_of(rest, is_name, 1);
    while (at + 1 < rest.size() && rest[at] == ':' && rest[at + 1] == ':') at = run_of(rest, is_name, at + 2);
    if (at == 1 || at == rest.size() || rest[at] != '(' || rest[0] == '?') return at;
    while (at < rest.size() && !is_blank(rest[at]) && rest[at] != ')') ++at;
    return at < rest.size() && rest[at] == ')' ? at + 1 : at;
}

Token::Kind kind_of(std::string_view rest, std::size_t& size) {
    using Kind = Token::Kind;
    const char c = rest[0];
    if (is_blank(c)) return size = run_of(rest, is_blank), Kind::blank;
    if (rest.substr(0, 2) == "--") return size = through(rest, "\n", 2), Kind::blank;
    if (rest.substr(0, 2) == "/*") return size = through(rest, "*/", 2), Kind::blank;
    if (c == '\'') return size = quoted(rest), Kind::string;
    if (c == '"' || c == '[' || c == '`') return size = quoted(rest), Kind::name;
    if (c == '$' || c == ':' || c == '@' || c == '#' || c == '?') return size = variable(rest), Kind::variable;
    if (is_digit(c)) return size = run_of(rest, is_name), Kind::number;
    if (is_name(c)) return size = run_of(rest, is_name), Kind::name;
    return size = 1, Kind::symbol;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool Token::is(std::string_view word) const noexcept {
    return (kind == Kind::name || kind == Kind::symbol) && equal_ignoring_case(text, word);
}

std::vector<Token> tokenize(std::string_view sql) {
    std::vector<Token> tokens;
    for (std::size_t at = 0; at < sql.size();) {
        std::size_t size = 0;
        const auto kind = kind_of(sql.substr(at), size);
        tokens.push_back({kind, at, sql.substr(at, size)});
        at += size;
    }
    return tokens;
}

std::size_t first_word(std::string_view sql) {
    for (const auto& token : tokenize(sql)) {
        if (token.kind != Token::Kind::blank && !token.is(";")) return token.offset;
    }
    return sql.size();
}

}  // namespace stele::sql
