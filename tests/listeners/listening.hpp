// A small vocabulary for tests of listeners: a clock that only tests move, a receiver that remembers what it got
// and fails as told, a runner that goes on until nothing is left.
#pragma once

#include <stele/projections/listeners/cpp_listener.hpp>
#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/runner.hpp>
#include <stele/store/event_store.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/store.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace stele::test {

/// Stands still but for advance().
class FakeClock {
public:
    [[nodiscard]] Clock clock() const {
        return [now = now_] { return Timestamp{std::chrono::microseconds{now->load()}}; };
    }
    void advance(std::chrono::milliseconds time) { *now_ += std::chrono::microseconds{time}.count(); }
    [[nodiscard]] Timestamp now() const { return clock()(); }

private:
    std::shared_ptr<std::atomic<std::int64_t>> now_ =
        std::make_shared<std::atomic<std::int64_t>>(std::int64_t{1'767'600'000} * 1'000'000);
};

/// What a handler was asked to deliver.
struct Delivered {
    Position position;
    std::string stream;
    std::string key;  ///< of the delivery
    int attempt = 0;
    bool is_last = false;
};

/// What a receiver remembers. Shared by all workers.
class Receiver {
public:
    using Decide = std::function<void(const Event&, const Delivery&)>;

    /// `decide` throws for what is to fail; it is called while nothing is locked.
    explicit Receiver(Decide decide = {}) : state_(std::make_shared<State>()) {
        state_->decide = std::move(decide);
    }

    [[nodiscard]] std::function<void(const Event&, const Delivery&)> function() const {
        return [state = state_](const Event& event, const Delivery& delivery) {
            Decide decide;
            {
                const std::lock_guard lock{state->mutex};
                state->tried.push_back({event.position, event.stream.name(), delivery.key(), delivery.attempt(),
                                        delivery.is_last_attempt()});
                decide = state->decide;
            }
            state->happened.notify_all();
            if (decide) decide(event, delivery);
            {
                const std::lock_guard lock{state->mutex};
                state->got.push_back({event.position, event.stream.name(), delivery.key(), delivery.attempt(),
                                      delivery.is_last_attempt()});
            }
            state->happened.notify_all();
        };
    }

    void decide(Decide decide) {
        const std::lock_guard lock{state_->mutex};
        state_->decide = std::move(decide);
    }
    [[nodiscard]] std::vector<Delivered> got() const {
        const std::lock_guard lock{state_->mutex};
        return state_->got;
    }
    [[nodiscard]] std::vector<Delivered> tried() const {
        const std::lock_guard lock{state_->mutex};
        return state_->tried;
    }
    [[nodiscard]] Numbers positions() const {
        Numbers positions;
        for (const auto& one : got()) positions.push_back(one.position.value());
        return positions;
    }
    /// Waits until `enough` of what was delivered; false after ten seconds.
    bool await(const std::function<bool(const std::vector<Delivered>& got)>& enough) const {
        std::unique_lock lock{state_->mutex};
        return state_->happened.wait_for(lock, std::chrono::seconds{10}, [&] { return enough(state_->got); });
    }
    bool await_tried(std::size_t count) const {
        std::unique_lock lock{state_->mutex};
        return state_->happened.wait_for(lock, std::chrono::seconds{10},
                                         [&] { return state_->tried.size() >= count; });
    }

private:
    struct State {
        std::mutex mutex;
        std::condition_variable happened;
        Decide decide;
        std::vector<Delivered> got;
        std::vector<Delivered> tried;
    };
    std::shared_ptr<State> state_;
};

/// Steps until nothing is left to do for now.
inline void step_through(Runner& runner) {
    while (runner.step() > 0) continue;
}

[[nodiscard]] inline StreamId order(const std::string& id) { return StreamId{"Order", id}; }

/// Appends `count` events to each of these streams, in turns.
inline void seed_in_turns(EventStore& store, const std::vector<std::string>& ids, int count) {
    for (int i = 0; i < count; ++i) {
        for (const auto& id : ids) seed(store, order(id), {"OrderPaid"});
    }
}

// No randomness, and times that a test can name.
[[nodiscard]] inline RetryPolicy after(std::vector<std::chrono::milliseconds> delays, int attempts) {
    RetryPolicy retry;
    retry.attempts = attempts;
    retry.delays = std::move(delays);
    retry.jitter = 0;
    return retry;
}

[[nodiscard]] inline RunnerOptions with(const FakeClock& clock) {
    RunnerOptions options;
    options.clock = clock.clock();
    return options;
}

[[nodiscard]] inline Receiver::Decide failing_at(std::vector<Position> positions) {
    return [positions = std::move(positions)](const Event& event, const Delivery&) {
        if (std::find(positions.begin(), positions.end(), event.position) != positions.end())
            throw std::runtime_error{"no answer"};
    };
}

}  // namespace stele::test
