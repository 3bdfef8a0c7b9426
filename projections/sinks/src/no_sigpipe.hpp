// NoSigpipe: writing to what nobody reads any more is an error of this thread, and not the end of the process.
#pragma once

#include <csignal>
#include <ctime>

namespace stele::sinks {

/// While it is there, SIGPIPE does not reach this thread; one that came meanwhile is dropped. The process's own
/// setting is not touched: that belongs to the program.
class NoSigpipe {
public:
    NoSigpipe() noexcept {
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        sigset_t waiting;
        sigemptyset(&waiting);
        sigpending(&waiting);
        was_waiting_ = sigismember(&waiting, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    ~NoSigpipe() {
        if (!was_waiting_) {
            const timespec at_once{};
            while (sigtimedwait(&sigpipe_, nullptr, &at_once) == SIGPIPE) continue;
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;

    /// The signals that were blocked before.
    [[nodiscard]] const sigset_t& before() const noexcept { return before_; }

private:
    sigset_t sigpipe_{};
    sigset_t before_{};
    bool was_waiting_ = false;
};

}  // namespace stele::sinks
