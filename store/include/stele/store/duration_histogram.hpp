// DurationHistogram: how long something took, many times: for metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace stele {

/// For each interval of times, how many fell into it.
struct DurationHistogram {
    /// Upper bounds in seconds; one more, of everything, follows them.
    static constexpr std::array<double, 14> bounds{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1,
                                                   0.5,    1,      2.5,   5,     10,   30,   60};
    std::array<std::int64_t, bounds.size() + 1> counts{};  ///< the last one above all bounds
    double sum = 0;                                        ///< seconds

    void add(double seconds, std::int64_t times = 1) noexcept;
    void add(const DurationHistogram& other) noexcept;
    [[nodiscard]] std::int64_t count() const noexcept;
    friend bool operator==(const DurationHistogram&, const DurationHistogram&) = default;
};

}  // namespace stele
