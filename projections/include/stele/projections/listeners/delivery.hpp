// Delivery: what a listener's handler is told about the attempt that it is making, and the ways in which it fails.
#pragma once

#include <stele/schema/error.hpp>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace stele {

/// One attempt to deliver one event to one listener. Valid during the call that gets it.
class Delivery {
public:
    Delivery(const std::string& listener, std::string key, int attempt, bool is_last, std::stop_token stop)
        : listener_(listener), key_(std::move(key)), attempt_(attempt), is_last_(is_last), stop_(std::move(stop)) {}
    Delivery(const Delivery&) = delete;
    Delivery& operator=(const Delivery&) = delete;

    /// The same for this event and this listener on every attempt, after every restart and on every replay: 43
    /// characters of base64url. A receiver that has seen it has seen this delivery. Nobody can guess it who does
    /// not have the store's `delivery.key`: it is HMAC-SHA-256 (RFC 2104) of the listener's name and the event's id
    /// by that secret.
    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    [[nodiscard]] const std::string& listener() const noexcept { return listener_; }
    /// 1 for the first one, counted over restarts; an operator's retry of a dead letter goes on counting.
    [[nodiscard]] int attempt() const noexcept { return attempt_; }
    /// Whether what fails now becomes a dead letter (or whatever the listener says for after its last attempt).
    [[nodiscard]] bool is_last_attempt() const noexcept { return is_last_; }
    /// Requested when the runner stops and its deadline for finishing has passed: whoever waits long looks at it
    /// and throws. The attempt is then not counted.
    [[nodiscard]] const std::stop_token& stop() const noexcept { return stop_; }

    /// Where this attempt fails, the next one is made no earlier than after `wait`, whatever the policy says: what
    /// a target asked for.
    void retry_after(std::chrono::milliseconds wait) const noexcept { wait_ = wait; }
    [[nodiscard]] const std::optional<std::chrono::milliseconds>& asked_wait() const noexcept { return wait_; }

private:
    const std::string& listener_;
    std::string key_;
    int attempt_;
    bool is_last_;
    std::stop_token stop_;
    mutable std::optional<std::chrono::milliseconds> wait_;
};

/// A delivery that failed, for handlers that want to say why in a word: `cause` counts in metrics and shows in
/// lists
/// ("timeout", "http_503", "exit_1"). Any other exception is of cause "exception". The event is tried again.
class DeliveryFailed : public Error {
public:
    DeliveryFailed(std::string cause, const std::string& message, nlohmann::json facts = nlohmann::json::object())
        : Error(std::move(cause), message, std::move(facts)) {}
    [[nodiscard]] const std::string& cause() const noexcept { return code(); }
};

/// A delivery that will never succeed: no further attempt is made.
class Permanent : public DeliveryFailed {
public:
    explicit Permanent(const std::string& message) : DeliveryFailed("permanent", message) {}
    Permanent(std::string cause, const std::string& message, nlohmann::json facts = nlohmann::json::object())
        : DeliveryFailed(std::move(cause), message, std::move(facts)) {}
};

}  // namespace stele
