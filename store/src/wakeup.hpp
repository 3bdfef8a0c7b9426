// Wakeup: lets those who follow the log sleep until it may have grown.
//
// Commits of this process wake them at once. Commits of other processes are noticed by looking: one of the
// sleepers, and only one however many there are, looks every few milliseconds; nobody looks while nobody waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace stele {

class Wakeup {
public:
    /// How often a sleeper looks for commits of other processes; and how often when it has looked so many times, a
    /// second long, and found none: who idles costs next to nothing.
    static constexpr std::chrono::milliseconds look_every{4};
    static constexpr std::chrono::milliseconds look_every_when_quiet{8};
    static constexpr int quiet_after = 250;

    /// `changed_elsewhere` says whether another process has committed since it was last asked. It is called from
    /// one thread at a time.
    explicit Wakeup(std::function<bool()> changed_elsewhere) : changed_elsewhere_(std::move(changed_elsewhere)) {}

    [[nodiscard]] std::uint64_t ticket() noexcept;
    void wake() noexcept;
    void kick() noexcept;
    void wait(std::uint64_t ticket, std::chrono::steady_clock::time_point deadline,
              const std::function<bool()>& stopped);

private:
    std::function<bool()> changed_elsewhere_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t changes_ = 0;
    int waiting_ = 0;
    bool looking_ = false;  ///< one of the sleepers looks for all
    int looked_ = 0;        ///< in vain, since the last change
};

}  // namespace stele
