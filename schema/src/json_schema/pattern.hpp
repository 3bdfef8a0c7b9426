// Pattern: a regular expression of ECMAScript, searched for in a string with bounded effort.
//
// PCRE2 does the matching: it keeps its way back on the heap, so that no string overflows the stack. Its own limit
// counts what one place where a match may begin takes, and not the characters that a step passes over; a string has
// as many such places as bytes, so that limit bounds nothing where strings are long. So patterns are compiled with
// callouts: before each of their items PCRE2 tells us where it is, and how far it has come since is the work that
// it did. It is the same whenever and wherever the search is made. What ECMAScript and PCRE2 read differently is
// translated; what only PCRE2 knows is refused, so that a schema means the same here as elsewhere.
#pragma once

#include <cstdint>
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

struct Searched {
    Match match;
    std::uint64_t steps;  ///< what it took, see Pattern::search()
};

/// Immutable; any number of threads may search with one.
class Pattern {
public:
    static constexpr std::size_t max_bytes = 10'000;

    /// Throws PatternError.
    explicit Pattern(std::string_view source);

    [[nodiscard]] const std::string& source() const noexcept { return source_; }

    /// Whether it is found anywhere in `text`, with next to no effort: gives up where that does not do. For texts
    /// of some dozen bytes.
    [[nodiscard]] Match glance(std::string_view text) const;

    /// Whether it is found anywhere in `text`; in what is not UTF-8, nothing is. A step is about 100 nanoseconds:
    /// three items of the pattern, or a hundred characters passed over. Gives up where that would take more than
    /// `most` steps (it then took those, and at most what passing over the text twice takes besides), or more than
    /// 64 MB of memory.
    [[nodiscard]] Searched search(std::string_view text, std::uint64_t most) const;

private:
    struct Code;
    std::string source_;
    std::shared_ptr<const Code> code_;
};

}  // namespace stele::detail::json_schema
