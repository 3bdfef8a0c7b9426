#include "progress.hpp"

#include "output.hpp"
#include "terminal.hpp"

#include <unistd.h>

#include <algorithm>

namespace stele::tool {

Progress::Progress(std::string label, std::string unit, Wanted wanted)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      terminal_(wanted == Wanted::yes && is_terminal(STDERR_FILENO)) {}

Progress::~Progress() { clear(); }

std::string Progress::line(const std::string& label, const std::string& unit, std::int64_t count, std::int64_t done,
                           std::int64_t total, double seconds, std::size_t width) {
    std::string text = label;
    const double share =
        total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0.0;
    if (total > 0) {
        constexpr int cells = 20;
        const auto percent = std::to_string(static_cast<int>(share * 100));
        const auto full = static_cast<std::size_t>(share * cells);
        text += "  " + std::string(3 - percent.size(), ' ') + percent + "% [" + std::string(full, '#') +
                std::string(cells - full, ' ') + "]";
    }
    text += "  " + grouped(count) + " " + unit;
    if (seconds > 0) text += "  " + grouped(static_cast<std::int64_t>(static_cast<double>(count) / seconds)) + "/s";
    if (share > 0 && share < 1 && seconds >= 1)
        text += "  " + human_seconds(seconds / share * (1 - share)) + " left";
    return shortened(text, width);
}

void Progress::update(std::int64_t count, std::int64_t done, std::int64_t total) {
    if (!terminal_) return;
    const auto time = Clock::now();
    if (first_) {
        // What was there before this run, as in an import that goes on, is no part of its rate.
        first_ = false;
        start_ = time;
        count_at_start_ = count;
        done_at_start_ = done;
    }
    if (time - last_ < std::chrono::milliseconds{100}) return;
    last_ = time;
    const double seconds = std::chrono::duration<double>(time - start_).count();
    const auto text = line(label_, unit_, count - count_at_start_, done - done_at_start_,
                           total > 0 ? std::max<std::int64_t>(total - done_at_start_, 1) : 0, seconds,
                           terminal_width(STDERR_FILENO) - 1);
    static_cast<void>(write_all(STDERR_FILENO, "\r" + text + "\x1b[K"));
    drawn_ = true;
}

void Progress::clear() {
    if (!drawn_) return;
    static_cast<void>(write_all(STDERR_FILENO, "\r\x1b[K"));
    drawn_ = false;
}

}  // namespace stele::tool
