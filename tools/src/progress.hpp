// Progress: how far a long command is, on the terminal of standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace stele::tool {

/// A line that is drawn over and over: percent, bar, count, rate, time left. Draws nothing where standard error is
/// no terminal. The destructor clears the line.
///
///     import  42% [########            ]  31,567 lines  61,200/s  1 s left
class Progress {
public:
    enum class Wanted { no, yes };

    /// `unit` is what is counted, in the plural.
    Progress(std::string label, std::string unit, Wanted wanted = Wanted::yes);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `count` units are done, which is `done` of `total` of the work; `total` 0: nobody knows. Cheap: draws at
    /// most ten times a second.
    void update(std::int64_t count, std::int64_t done, std::int64_t total);

    /// Removes the line, so that other text may be written; the next update() draws it again.
    void clear();

    /// The line for these figures, not longer than `width`. Pure, for tests.
    [[nodiscard]] static std::string line(const std::string& label, const std::string& unit, std::int64_t count,
                                          std::int64_t done, std::int64_t total, double seconds, std::size_t width);

private:
    using Clock = std::chrono::steady_clock;

    std::string label_;
    std::string unit_;
    bool terminal_;
    bool drawn_ = false;
    bool first_ = true;
    std::int64_t count_at_start_ = 0;
    std::int64_t done_at_start_ = 0;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_{};
};

}  // namespace stele::tool
