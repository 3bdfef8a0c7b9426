#include "breaker.hpp"

namespace stele {

void Breaker::restore(const BreakerStatus& status) {
    const std::lock_guard lock{mutex_};
    if (status.target != target_ || status.state == "closed" || state_ != State::closed) return;
    state_ = State::open;
    failures_ = status.failures;
    until_ = status.until.value_or(Timestamp{});
    error_ = status.error;
}

Breaker::Gate Breaker::gate(Timestamp now) {
    const std::lock_guard lock{mutex_};
    if (state_ == State::closed) return Gate::open;
    if (state_ == State::trying || now < until_) return Gate::shut;
    state_ = State::trying;
    return Gate::one;
}

bool Breaker::is_closed() const {
    const std::lock_guard lock{mutex_};
    return state_ == State::closed;
}

bool Breaker::is_over(Timestamp now) const {
    const std::lock_guard lock{mutex_};
    return state_ == State::open && now >= until_;
}

void Breaker::succeeded() {
    const std::lock_guard lock{mutex_};
    state_ = State::closed;
    failures_ = 0;
    error_.clear();
}

bool Breaker::failed(Timestamp now, const std::string& error, bool was_trial, bool of_target) {
    const std::lock_guard lock{mutex_};
    if (!of_target) {
        // The target answered, whatever it said.
        if (was_trial) state_ = State::closed;
        failures_ = 0;
        return true;
    }
    ++failures_;
    error_ = error;
    if (was_trial || (state_ == State::closed && failures_ >= policy_.failures)) {
        state_ = State::open;
        until_ = now + policy_.open;
    }
    return !was_trial;
}

void Breaker::give_back() {
    const std::lock_guard lock{mutex_};
    if (state_ == State::trying) state_ = State::open;
}

BreakerStatus Breaker::status() const {
    const std::lock_guard lock{mutex_};
    BreakerStatus status;
    status.target = target_;
    status.state = state_ == State::closed ? "closed" : state_ == State::open ? "open" : "trying";
    status.failures = failures_;
    if (state_ != State::closed) status.until = until_;
    status.error = error_;
    return status;
}

std::shared_ptr<Breaker> Breakers::of(const Listener::Head& head) {
    if (head.breaker.failures <= 0) return nullptr;
    const auto target = head.breaker.target.empty() ? "listener " + head.name : head.breaker.target;
    const std::lock_guard lock{mutex_};
    auto& breaker = by_target_[target];
    if (!breaker) breaker = std::make_shared<Breaker>(head.breaker, target);
    return breaker;
}

}  // namespace stele
