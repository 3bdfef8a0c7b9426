// SQL cut into tokens, as SQLite cuts it: enough to find names, literals and where a statement starts.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace stele::sql {

struct Token {
    enum class Kind {
        blank,   ///< white space, and comments
        string,  ///< '…'
        name,    ///< a bare word, or a name in "…", […] or `…`
        number,
        variable,  ///< $name, $name(…), :name, @name, ?1
        symbol,    ///< one character of anything else
    };
    Kind kind;
    std::size_t offset;
    std::string_view text;

    /// True for a bare word or symbol that equals `word`, in any case.
    [[nodiscard]] bool is(std::string_view word) const noexcept;
};

[[nodiscard]] std::vector<Token> tokenize(std::string_view sql);

/// The offset of the first token that is neither blank nor a lone semicolon; the size of `sql` where there is none.
[[nodiscard]] std::size_t first_word(std::string_view sql);

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace stele::sql
