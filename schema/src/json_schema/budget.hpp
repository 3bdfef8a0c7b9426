// Budget: what a check may take, so that every check ends soon.
//
// One step is worth about 100 nanoseconds. What can be counted is counted: questions, names that are looked for,
// bytes of canonical text, items of patterns and characters that these pass over. No clock is asked: what a check
// finds does not depend on the machine, nor on what else that has to do.
#pragma once

#include "pattern.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace stele::detail::json_schema {

class Budget {
public:
    explicit Budget(std::uint64_t steps) : steps_left_(steps) {}

    [[nodiscard]] bool spent() const noexcept { return steps_left_ == 0; }

    void pay(std::uint64_t steps) noexcept { steps_left_ -= std::min(steps, steps_left_); }

    /// For a canonical text that was made and looked up. Of strings a byte costs least.
    void pay_for_text(std::uint64_t bytes, bool of_a_string) noexcept { pay(2 + bytes / (of_a_string ? 32 : 2)); }

    /// Whether `pattern` is found in `text`. One search takes a number of steps that grows no faster than the text,
    /// or is given up.
    [[nodiscard]] Match search(const Pattern& pattern, std::string_view text) {
        constexpr std::size_t short_text = 64;
        if (text.size() <= short_text) {
            pay(1 + text.size() / 2);
            const auto match = pattern.glance(text);
            if (match != Match::gave_up) return match;
        }
        const auto found = pattern.search(text, std::min(steps_left_, most_of_a_search(text.size())));
        pay(found.steps);
        return found.match;
    }

    static constexpr std::uint64_t most_of_a_search(std::uint64_t bytes) noexcept { return 100'000 + 2 * bytes; }

private:
    std::uint64_t steps_left_;
};

}  // namespace stele::detail::json_schema
