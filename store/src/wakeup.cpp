#include "wakeup.hpp"

#include <algorithm>

namespace stele {

std::uint64_t Wakeup::ticket() noexcept {
    const std::lock_guard lock{mutex_};
    return changes_;
}

void Wakeup::wake() noexcept {
    const std::lock_guard lock{mutex_};
    ++changes_;
    looked_ = 0;
    if (waiting_ != 0) changed_.notify_all();
}

void Wakeup::kick() noexcept {
    const std::lock_guard lock{mutex_};
    changed_.notify_all();
}

void Wakeup::wait(std::uint64_t ticket, std::chrono::steady_clock::time_point deadline,
                  const std::function<bool()>& stopped) {
    std::unique_lock lock{mutex_};
    ++waiting_;
    bool looks = false;
    while (changes_ == ticket && !stopped()) {
        const auto now = std::chrono::steady_clock::now();
        if (now >= deadline) break;
        if (!looking_) looking_ = looks = true;
        if (!looks) {
            // A time point at the end of the clock overflows where it is turned into the system's; wait() has none.
            if (deadline == std::chrono::steady_clock::time_point::max()) {
                changed_.wait(lock);
            } else {
                changed_.wait_until(lock, deadline);
            }
            continue;
        }
        const auto pause = looked_ < quiet_after ? look_every : look_every_when_quiet;
        changed_.wait_until(lock, std::min(deadline, now + pause));
        if (changes_ != ticket || stopped()) break;

        lock.unlock();
        bool changed = true;  // where looking fails, whoever waits looks at the log and meets the same failure
        try {
            changed = changed_elsewhere_();
        } catch (...) {
        }
        lock.lock();
        if (looked_ < quiet_after) ++looked_;
        if (changed) {
            ++changes_;
            looked_ = 0;
            changed_.notify_all();
        }
    }
    --waiting_;
    if (looks) {
        looking_ = false;
        if (waiting_ != 0) changed_.notify_all();  // somebody else looks from now on
    }
}

}  // namespace stele
