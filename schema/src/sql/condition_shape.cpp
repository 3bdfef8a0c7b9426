#include <stele/schema/sql/condition_shape.hpp>

#include "tokens.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

namespace stele::sql {
namespace {

using Kind = ConditionShape::Kind;
using Comparison = ConditionShape::Comparison;
using Tokens = std::span<const Token>;

constexpr int most_brackets = 100;  // deeper ones are `other`

ConditionShape other() { return {}; }

bool opens(const Token& token) { return token.is("(") || token.is("CASE"); }
bool closes(const Token& token) { return token.is(")") || token.is("END"); }

// Whether every bracket is closed, and none is closed that was not opened: `a) OR (b` compiles within the brackets
// that an expression is put into, and means something else than it seems to.
bool is_balanced(Tokens tokens) {
    int depth = 0;
    for (const auto& token : tokens) {
        if (opens(token)) ++depth;
        if (closes(token) && --depth < 0) return false;
    }
    return depth == 0;
}

// The pieces between the words `word` that stand outside of brackets. The AND of BETWEEN is none of these.
std::vector<Tokens> split(Tokens tokens, std::string_view word) {
    std::vector<Tokens> pieces;
    std::size_t start = 0;
    int depth = 0;
    int betweens = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (opens(tokens[i])) ++depth;
        if (closes(tokens[i])) --depth;
        if (depth > 0) continue;
        if (tokens[i].is("BETWEEN")) ++betweens;
        if (tokens[i].is("AND") && betweens > 0) {
            --betweens;
        } else if (tokens[i].is(word)) {
            pieces.push_back(tokens.subspan(start, i - start));
            start = i + 1;
        }
    }
    pieces.push_back(tokens.subspan(start));
    return pieces;
}

// Whether the first token is a bracket and the last one closes it.
bool is_bracketed(Tokens tokens) {
    if (tokens.size() < 3 || !tokens.front().is("(")) return false;
    int depth = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (opens(tokens[i])) ++depth;
        if (closes(tokens[i])) --depth;
        if (depth == 0) return i + 1 == tokens.size();
    }
    return false;
}

std::optional<Literal> literal_of(const Token& token) {
    if (token.kind == Token::Kind::string) {
        std::string text;
        const auto inner = token.text.substr(1, token.text.size() - 2);
        for (std::size_t i = 0; i < inner.size(); ++i) {
            text += inner[i];
            if (inner[i] == '\'') ++i;  // doubled
        }
        return text;
    }
    if (token.kind == Token::Kind::number) {
        std::int64_t number = 0;
        const auto* const end = token.text.data() + token.text.size();
        const auto [stop, error] = std::from_chars(token.text.data(), end, number);
        if (error == std::errc{} && stop == end) return number;
    }
    return std::nullopt;
}

bool is_placeholder(const Token& token) { return token.kind == Token::Kind::variable && token.text.front() == '$'; }

ConditionShape compare(const Token& placeholder, Comparison comparison, std::vector<Literal> literals) {
    return {Kind::comparison, {}, comparison, std::string{placeholder.text}, std::move(literals)};
}

std::optional<Comparison> operator_of(Tokens tokens) {
    std::string text;
    for (const auto& token : tokens) text += token.text;
    if (text == "=" || text == "==") return Comparison::equal;
    if (text == "<") return Comparison::less;
    if (text == "<=") return Comparison::less_or_equal;
    if (text == ">") return Comparison::greater;
    if (text == ">=") return Comparison::greater_or_equal;
    if (tokens.size() == 1 && tokens[0].is("IS")) return Comparison::equal;
    return std::nullopt;
}

Comparison turned_round(Comparison comparison) {
    switch (comparison) {
        case Comparison::less:
            return Comparison::greater;
        case Comparison::less_or_equal:
            return Comparison::greater_or_equal;
        case Comparison::greater:
            return Comparison::less;
        case Comparison::greater_or_equal:
            return Comparison::less_or_equal;
        default:
            return comparison;
    }
}

// $name < literal, and literal > $name
std::optional<ConditionShape> plain_comparison(Tokens tokens) {
    if (tokens.size() < 3) return std::nullopt;
    const auto comparison = operator_of(tokens.subspan(1, tokens.size() - 2));
    if (!comparison) return std::nullopt;
    const auto& left = tokens.front();
    const auto& right = tokens.back();
    if (is_placeholder(left))
        if (auto literal = literal_of(right)) return compare(left, *comparison, {*std::move(literal)});
    if (is_placeholder(right))
        if (auto literal = literal_of(left))
            return compare(right, turned_round(*comparison), {*std::move(literal)});
    return std::nullopt;
}

// $name IN ('a', 'b')
std::optional<ConditionShape> in_list(Tokens tokens) {
    if (tokens.size() < 5 || !is_placeholder(tokens[0]) || !tokens[1].is("IN") || !tokens[2].is("(") ||
        !tokens.back().is(")"))
        return std::nullopt;
    std::vector<Literal> literals;
    const auto list = tokens.subspan(3, tokens.size() - 4);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i % 2 == 1) {
            if (!list[i].is(",")) return std::nullopt;
            continue;
        }
        auto literal = literal_of(list[i]);
        if (!literal) return std::nullopt;
        literals.push_back(*std::move(literal));
    }
    if (list.size() % 2 == 0) return std::nullopt;
    return compare(tokens[0], Comparison::equal, std::move(literals));
}

// $name BETWEEN 1 AND 5
std::optional<ConditionShape> between(Tokens tokens) {
    if (tokens.size() != 5 || !is_placeholder(tokens[0]) || !tokens[1].is("BETWEEN") || !tokens[3].is("AND"))
        return std::nullopt;
    const auto low = literal_of(tokens[2]);
    const auto high = literal_of(tokens[4]);
    if (!low || !high) return std::nullopt;
    ConditionShape both{Kind::all_of, {}, {}, {}, {}};
    both.parts.push_back(compare(tokens[0], Comparison::greater_or_equal, {*low}));
    both.parts.push_back(compare(tokens[0], Comparison::less_or_equal, {*high}));
    return both;
}

// $name IS NULL, $name ISNULL
std::optional<ConditionShape> null_test(Tokens tokens) {
    if (tokens.size() < 2 || !is_placeholder(tokens[0])) return std::nullopt;
    const bool two_words = tokens.size() == 3 && tokens[1].is("IS") && tokens[2].is("NULL");
    const bool one_word = tokens.size() == 2 && tokens[1].is("ISNULL");
    if (!two_words && !one_word) return std::nullopt;
    return compare(tokens[0], Comparison::is_null, {});
}

// 'x' IN (SELECT value FROM json_each($tags))
std::optional<ConditionShape> element_test(Tokens tokens) {
    constexpr std::string_view words[] = {"IN", "(", "SELECT", "value", "FROM", "json_each", "("};
    if (tokens.size() != 11 || !is_placeholder(tokens[8]) || !tokens[9].is(")") || !tokens[10].is(")"))
        return std::nullopt;
    for (std::size_t i = 0; i < std::size(words); ++i)
        if (!tokens[i + 1].is(words[i])) return std::nullopt;
    auto literal = literal_of(tokens[0]);
    if (!literal) return std::nullopt;
    return compare(tokens[8], Comparison::contains, {*std::move(literal)});
}

ConditionShape shape(Tokens tokens, int brackets) {
    if (brackets > most_brackets) return other();
    // OR binds loosest, then AND.
    for (const auto& [word, kind] : {std::pair{"OR", Kind::any_of}, std::pair{"AND", Kind::all_of}}) {
        const auto pieces = split(tokens, word);
        if (pieces.size() == 1) continue;
        ConditionShape joined{kind, {}, {}, {}, {}};
        for (const auto& piece : pieces) joined.parts.push_back(shape(piece, brackets));
        return joined;
    }
    for (const auto read : {plain_comparison, in_list, between, null_test, element_test})
        if (auto found = read(tokens)) return *std::move(found);
    if (is_bracketed(tokens)) return shape(tokens.subspan(1, tokens.size() - 2), brackets + 1);
    return other();
}

}  // namespace

ConditionShape shape_of(std::string_view condition) {
    auto tokens = tokenize(condition);
    std::erase_if(tokens, [](const Token& token) { return token.kind == Token::Kind::blank; });
    if (!tokens.empty() && tokens.back().is(";")) tokens.pop_back();
    if (tokens.empty() || !is_balanced(tokens)) return other();
    return shape(tokens, 0);
}

}  // namespace stele::sql
