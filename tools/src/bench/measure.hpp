// Time, medians and percentiles, as every workload takes them.
#pragma once

#include <chrono>
#include <vector>

namespace stele::bench {

/// Adds up the time of the slices that it is told of.
class Stopwatch {
public:
    template <class Work>
    void time(Work&& work) {
        const auto start = std::chrono::steady_clock::now();
        work();
        total_ += std::chrono::steady_clock::now() - start;
    }
    [[nodiscard]] double seconds() const { return std::chrono::duration<double>(total_).count(); }

private:
    std::chrono::steady_clock::duration total_{};
};

/// The middle value; of an even number of values, the mean of the two in the middle. Requires values.
[[nodiscard]] double median(std::vector<double> values);

/// The smallest value that at least `percent` of all values do not exceed. Requires values.
[[nodiscard]] double percentile(std::vector<double> values, double percent);

}  // namespace stele::bench
