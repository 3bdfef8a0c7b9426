#include "oauth.hpp"

#include "text.hpp"

#include <algorithm>

namespace stele::sinks {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// application/x-www-form-urlencoded
std::string form_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view marks = "-._~";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              marks.find(c) != std::string_view::npos;
        if (is_plain) {
            encoded.push_back(c);
        } else {
            encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return encoded;
}

// A token is used until so long before its end, as it has to reach the receiver first.
seconds margin(seconds lifetime) { return std::min(seconds{60}, lifetime / 10); }

}  // namespace

std::string OAuthTokens::token(HttpClient& http, const Delivery& delivery) {
    const std::lock_guard lock{mutex_};
    if (token_.empty() || steady_clock::now() >= good_until_) ask(http, delivery);
    return token_;
}

void OAuthTokens::refused(const std::string& token) {
    const std::lock_guard lock{mutex_};
    if (token_ == token) token_.clear();
}

void OAuthTokens::ask(HttpClient& http, const Delivery& delivery) {
    const auto url = Url::parse(settings_.token_url);
    const auto shown = url ? url->shown : std::string{"token_url"};
    token_.clear();
    HttpRequest request{settings_.token_url, shown, {}, {}, 64 * 1024};
    request.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"};
    request.body = "grant_type=client_credentials";
    const auto add = [&](std::string_view name, std::string_view value) {
        request.body += "&" + form_encoded(name) + "=" + form_encoded(value);
    };
    if (!settings_.scope.empty()) add("scope", settings_.scope);
    for (const auto& [name, value] : settings_.parameters) add(name, value);
    const auto secret = settings_.client_secret.read();
    if (settings_.credentials_in_body) {
        add("client_id", settings_.client_id);
        add("client_secret", secret);
    } else {
        request.headers.push_back("Authorization: Basic " +
                                  base64(form_encoded(settings_.client_id) + ":" + form_encoded(secret)));
    }

    const auto asked = steady_clock::now();
    const auto answer = http.post(request, delivery.stop());
    const auto failed = [&](const std::string& found) {
        return DeliveryFailed{"oauth",
                              shown + ": expected an access token, found " + found,
                              {{"url", shown}, {"status", answer.status}}};
    };
    if (!answer.is_success()) {
        if (answer.retry_after > seconds::zero())
            delivery.retry_after(std::min<std::chrono::milliseconds>(answer.retry_after, longest_retry_after_));
        // Such answers say what is wrong (RFC 6749, 5.2), but some servers repeat what they were sent.
        const auto parsed = nlohmann::json::parse(answer.body, nullptr, false);
        const bool has_word = parsed.is_object() && parsed.contains("error") && parsed["error"].is_string();
        const auto word = has_word ? parsed["error"].get<std::string>() : std::string{};
        const bool repeats = word.find(secret) != std::string::npos;
        throw failed("status " + std::to_string(answer.status) + (repeats ? "" : after_colon(word, 100)));
    }
    const auto parsed = nlohmann::json::parse(answer.body, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("access_token") || !parsed["access_token"].is_string())
        throw failed("an answer without one");
    auto token = parsed["access_token"].get<std::string>();
    if (token.empty() || !is_header_value(token)) throw failed("one that cannot stand in a header");

    constexpr std::int64_t without_a_word = 300;
    constexpr double longest = 7 * 24 * 3600;
    auto lifetime = seconds{without_a_word};
    if (const auto& said = parsed.value("expires_in", nlohmann::json{}); said.is_number())
        lifetime = seconds{static_cast<std::int64_t>(std::clamp(said.get<double>(), 0.0, longest))};
    token_ = std::move(token);
    good_until_ = asked + lifetime - margin(lifetime);
}

}  // namespace stele::sinks
