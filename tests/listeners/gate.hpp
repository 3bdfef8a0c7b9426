// Gate: holds handlers until a test lets them go.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace stele::test {

/// Copies are the same gate. Open at first is none.
class Gate {
public:
    /// Waits until the gate is open; ten seconds at most.
    void pass() const {
        std::unique_lock lock{state_->mutex};
        ++state_->waiting;
        state_->happened.notify_all();
        state_->happened.wait_for(lock, std::chrono::seconds{10}, [&] { return state_->is_open; });
        --state_->waiting;
    }
    void open() const {
        const std::lock_guard lock{state_->mutex};
        state_->is_open = true;
        state_->happened.notify_all();
    }
    /// Until so many stand before it; false after ten seconds.
    [[nodiscard]] bool await_waiting(int count) const {
        std::unique_lock lock{state_->mutex};
        return state_->happened.wait_for(lock, std::chrono::seconds{10}, [&] { return state_->waiting >= count; });
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable happened;
        int waiting = 0;
        bool is_open = false;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace stele::test
