// AppendClock: how long the appends of a store took, counted by the threads that make them.
#pragma once

#include <stele/store/duration_histogram.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

namespace stele {

/// Threads  any may call any member; nobody waits.
class AppendClock {
public:
    /// Calls `append`, and counts how long it took, whatever came of it.
    template <class Append>
    auto time(const Append& append) {
        const Counting counting{*this, std::chrono::steady_clock::now()};
        return append();
    }

    /// What was counted so far; of appends that end meanwhile, some.
    [[nodiscard]] DurationHistogram read() const noexcept {
        DurationHistogram histogram;
        for (std::size_t i = 0; i < counts_.size(); ++i) histogram.counts[i] = counts_[i].load(relaxed);
        constexpr double seconds_a_nanosecond = 1e-9;
        histogram.sum = static_cast<double>(nanoseconds_.load(relaxed)) * seconds_a_nanosecond;
        return histogram;
    }

private:
    static constexpr auto relaxed = std::memory_order_relaxed;

    struct Counting {
        AppendClock& clock;
        std::chrono::steady_clock::time_point began;
        Counting(AppendClock& of, std::chrono::steady_clock::time_point at) : clock(of), began(at) {}
        Counting(const Counting&) = delete;
        Counting& operator=(const Counting&) = delete;
        ~Counting() {
            const auto took = std::chrono::steady_clock::now() - began;
            constexpr const auto& bounds = DurationHistogram::bounds;
            const auto seconds = std::chrono::duration<double>(took).count();
            const auto place = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
            clock.counts_[static_cast<std::size_t>(place)].fetch_add(1, relaxed);
            clock.nanoseconds_.fetch_add(std::chrono::nanoseconds{took}.count(), relaxed);
        }
    };

    std::array<std::atomic<std::int64_t>, DurationHistogram::bounds.size() + 1> counts_{};
    std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace stele
