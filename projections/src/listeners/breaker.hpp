// Breaker: leaves a target alone that fails again and again.
//
//   closed  everything goes; so many failures in a row open it
//   open    nothing goes, and no attempt is spent, until its time has passed
//   trying  one delivery goes: it closes the breaker, or opens it anew
#pragma once

#include <stele/projections/listeners/listener_status.hpp>
#include <stele/schema/time.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace stele {

/// Threads  any may call any member.
class Breaker {
public:
    Breaker(BreakerPolicy policy, std::string target) : policy_(std::move(policy)), target_(std::move(target)) {}

    /// As it was left by an earlier process.
    void restore(const BreakerStatus& status);

    enum class Gate {
        open,  ///< go
        one,   ///< go with one delivery, and say what became of it
        shut,  ///< wait
    };
    /// Asked before a delivery. Gate::one is given once until its outcome is known.
    [[nodiscard]] Gate gate(Timestamp now);
    [[nodiscard]] bool is_closed() const;
    /// Whether gate() would give Gate::one.
    [[nodiscard]] bool is_over(Timestamp now) const;

    void succeeded();
    /// Whether the attempt counts: not where it was made to see whether the target is back. `of_target`: what
    /// failed is the target; an event that it will not take says nothing about it.
    bool failed(Timestamp now, const std::string& error, bool was_trial, bool of_target);
    /// The one delivery was not made after all.
    void give_back();

    [[nodiscard]] BreakerStatus status() const;

private:
    enum class State { closed, open, trying };
    const BreakerPolicy policy_;
    const std::string target_;
    mutable std::mutex mutex_;
    State state_ = State::closed;
    int failures_ = 0;
    Timestamp until_{};
    std::string error_;
};

/// The breakers of a process, by target.
class Breakers {
public:
    /// Null where the listener wants none.
    [[nodiscard]] std::shared_ptr<Breaker> of(const Listener::Head& head);

private:
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Breaker>> by_target_;
};

}  // namespace stele
