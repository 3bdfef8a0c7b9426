// Pattern: a regular expression of ECMAScript, searched for in a string with bounded effort.
//
// PCRE2 does the matching: it keeps its way back on the heap, so that no string overflows the stack, and it counts
// its steps, so that a pattern that backtracks without end is stopped. What ECMAScript and PCRE2 read differently
// is translated; what only PCRE2 knows is refused, so that a schema means the same here as elsewhere.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stele::detail::json_schema {

/// What is wrong with a pattern.
class PatternError : public std::runtime_error {
public:
    PatternError(const std::string& expected_, const std::string& found_)
        : std::runtime_error("expected " + expected_ + ", found " + found_), expected(expected_), found(found_) {}
    std::string expected;
    std::string found;
};

enum class Match { no, yes, gave_up };

/// Immutable; any number of threads may search with one.
class Pattern {
public:
    static constexpr std::size_t max_bytes = 10'000;

    /// Throws PatternError.
    explicit Pattern(std::string_view source);

    [[nodiscard]] const std::string& source() const noexcept { return source_; }

    /// Whether it is found anywhere in `text`; in what is not UTF-8, nothing is. Gives up after `steps` attempts.
    [[nodiscard]] Match search(std::string_view text, unsigned steps) const;

private:
    struct Code;
    std::string source_;
    std::shared_ptr<const Code> code_;
};

}  // namespace stele::detail::json_schema
