// Budget: what a check may take, so that every check ends soon.
//
// One step is worth about 100 nanoseconds. What can be counted is counted: questions, names that are looked for,
// bytes of canonical text. How long a search for a pattern takes nobody can tell from outside; one that does not
// end at once is paid for by the clock.
#pragma once

#include "pattern.hpp"

#include <algorithm>
#include <chrono>
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

    /// Whether `pattern` is found in `text`, with more and more effort.
    [[nodiscard]] Match search(const Pattern& pattern, std::string_view text) {
        constexpr std::size_t short_text = 64;
        // Attempts for each place where a match may begin.
        constexpr unsigned at_once = 30;
        constexpr unsigned cheap = 10'000;
        constexpr unsigned costly = 500'000;
        if (text.size() <= short_text) {
            pay(1 + text.size() / 2);
            const auto match = pattern.search(text, at_once);
            if (match != Match::gave_up) return match;
        }
        auto match = timed_search(pattern, text, cheap);
        if (match == Match::gave_up && costly_searches_left_ > 0 && !spent()) {
            --costly_searches_left_;
            match = timed_search(pattern, text, costly);
        }
        return match;
    }

private:
    [[nodiscard]] Match timed_search(const Pattern& pattern, std::string_view text, unsigned attempts) {
        const auto begin = std::chrono::steady_clock::now();
        const auto match = pattern.search(text, attempts);
        const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - begin;
        pay(1 + static_cast<std::uint64_t>(taken.count()) / 100);
        return match;
    }

    std::uint64_t steps_left_;
    int costly_searches_left_ = 16;
};

}  // namespace stele::detail::json_schema
