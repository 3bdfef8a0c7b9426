// OAuthTokens: the token that the workers of a listener share.
#pragma once

#include "http.hpp"

#include <stele/projections/listeners/delivery.hpp>
#include <stele/sinks/webhook.hpp>

#include <chrono>
#include <mutex>
#include <stop_token>
#include <string>

namespace stele::sinks {

/// Threads  any may call any member. One asks for a token, the others wait for it.
class OAuthTokens {
public:
    OAuthTokens(OAuth settings, std::chrono::milliseconds longest_retry_after)
        : settings_(std::move(settings)), longest_retry_after_(longest_retry_after) {}

    /// One that is good for some time. Throws DeliveryFailed "oauth", and what reading a secret and posting throw;
    /// a Retry-After of the token server is handed on by `delivery`.
    [[nodiscard]] std::string token(HttpClient& http, const Delivery& delivery);

    /// A receiver did not take it. Another one is asked for next time, unless that has happened already.
    void refused(const std::string& token);

private:
    void ask(HttpClient& http, const Delivery& delivery);

    const OAuth settings_;
    const std::chrono::milliseconds longest_retry_after_;
    std::mutex mutex_;
    std::string token_;
    std::chrono::steady_clock::time_point good_until_{};
};

}  // namespace stele::sinks
