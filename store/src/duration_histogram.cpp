#include <stele/store/duration_histogram.hpp>

#include <algorithm>
#include <functional>
#include <numeric>

namespace stele {

void DurationHistogram::add(double seconds, std::int64_t times) noexcept {
    const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), seconds);
    counts[static_cast<std::size_t>(bound - bounds.begin())] += times;
    sum += seconds * static_cast<double>(times);
}

void DurationHistogram::add(const DurationHistogram& other) noexcept {
    std::transform(counts.begin(), counts.end(), other.counts.begin(), counts.begin(), std::plus<>{});
    sum += other.sum;
}

std::int64_t DurationHistogram::count() const noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

}  // namespace stele
