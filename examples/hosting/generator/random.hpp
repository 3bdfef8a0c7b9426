// Random: numbers that look random and are the same on every machine, from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace hosting {

/// SplitMix64 (Steele, Lea, Flood, 2014), in whole numbers alone: the distributions of <random> differ from one
/// standard library to the next, and floating point from one compiler to the next.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9E3779B97F4A7C15U;
        auto z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }

    /// 0 … bound - 1, for bounds that are small beside 2^64. Requires bound > 0.
    std::int64_t below(std::int64_t bound) noexcept {
        return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
    }
    std::int64_t between(std::int64_t low, std::int64_t high) noexcept { return low + below(high - low + 1); }
    /// True one time in `times`.
    bool one_in(std::int64_t times) noexcept { return below(times) == 0; }

    template <class Values>
    const auto& one_of(const Values& values) noexcept {
        return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(std::size(values))))];
    }

private:
    std::uint64_t state_;
};

}  // namespace hosting
