#include <stele/sinks/webhook.hpp>

#include "http.hpp"
#include "oauth.hpp"
#include "settings.hpp"
#include "signature.hpp"
#include "text.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/schema/time.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace stele::sinks {
namespace {

using std::chrono::milliseconds;

struct Shared {
    Webhook settings;
    std::optional<Url> url;  ///< empty where it is a secret, which is read anew for each delivery
    std::unique_ptr<OAuthTokens> tokens;
};

HttpSettings http_settings(const Webhook& settings) {
    return {settings.connect_timeout, settings.timeout, settings.allow_private, settings.ca_file};
}

bool is_http(const Url& url) { return url.scheme == "http" || url.scheme == "https"; }

// A redirect keeps to the host that the listener was made for; it may go from http to https, never back.
bool stays_there(const Url& from, const Url& to) {
    if (from.host != to.host) return false;
    if (from.scheme == to.scheme) return from.port == to.port;
    return from.scheme == "http" && to.scheme == "https";
}

class WebhookHandler final : public ListenerHandler {
public:
    explicit WebhookHandler(std::shared_ptr<const Shared> shared)
        : shared_(std::move(shared)), settings_(shared_->settings), http_(http_settings(settings_)) {}

    void deliver(const Event& event, const Delivery& delivery) override {
        const auto url = shared_->url ? *shared_->url : secret_address();
        const auto body = to_event_line(event);
        auto token = bearer(delivery);
        auto answer = post(url, body, token, delivery);
        if (answer.status == 401 && !token.empty()) {
            shared_->tokens->refused(token);
            token = bearer(delivery);
            answer = post(url, body, token, delivery);
        }
        if (!answer.is_success()) fail(url, answer, delivery);
    }

private:
    [[nodiscard]] Url secret_address() const {
        auto url = Url::parse(Secret::parse(settings_.url).read());
        if (!url || !is_http(*url))
            throw DeliveryFailed{"secret_invalid", "secret " + settings_.url +
                                                       ": expected an http or https address, found another text"};
        url->shown = url->shown_host;
        return std::move(*url);
    }

    [[nodiscard]] std::string bearer(const Delivery& delivery) {
        return shared_->tokens ? shared_->tokens->token(http_, delivery) : std::string{};
    }

    [[nodiscard]] std::vector<std::string> headers(const std::string& body, const std::string& token,
                                                   const Delivery& delivery) const {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch());
        const auto timestamp = std::to_string(seconds.count());
        std::vector<std::string> lines{"Content-Type: application/json", "webhook-id: " + delivery.key(),
                                       "webhook-timestamp: " + timestamp};
        if (!settings_.secrets.empty())
            lines.push_back("webhook-signature: " +
                            webhook_signature(settings_.secrets, delivery.key(), timestamp, body));
        if (!token.empty()) lines.push_back("Authorization: Bearer " + token);
        for (const auto& [name, value] : settings_.headers) lines.push_back(header_line(name, value));
        for (const auto& [name, secret] : settings_.secret_headers) {
            const auto value = secret.read();
            if (!is_header_value(value))
                throw DeliveryFailed{"secret_invalid",
                                     "secret " + secret.name() + ": expected one line for a header, found several"};
            lines.push_back(header_line(name, value));
        }
        return lines;
    }

    [[nodiscard]] HttpAnswer post(const Url& url, const std::string& body, const std::string& token,
                                  const Delivery& delivery) {
        HttpRequest request{url.text, url.shown, headers(body, token, delivery), body};
        auto answer = http_.post(request, delivery.stop());
        for (int followed = 0; !answer.redirect.empty() && followed < settings_.redirects; ++followed) {
            const auto next = Url::parse(answer.redirect);
            if (!next || !stays_there(url, *next)) break;
            request.url = answer.redirect;
            answer = http_.post(request, delivery.stop());
        }
        return answer;
    }

    [[noreturn]] void fail(const Url& url, const HttpAnswer& answer, const Delivery& delivery) const {
        const nlohmann::json facts{{"url", url.shown}, {"status", answer.status}};
        const auto status = std::to_string(answer.status);
        if (!answer.redirect.empty() && !settings_.permanent.contains(answer.status)) {
            const auto to = Url::parse(answer.redirect);
            throw DeliveryFailed{"redirect",
                                 url.shown + ": expected an answer of 2xx, found " + status + ", a redirect to " +
                                     printable(to ? to->shown_host : "no address", 200) +
                                     " that is not followed (redirects = " + std::to_string(settings_.redirects) +
                                     ", and to the same host alone)",
                                 facts};
        }
        const auto message = url.shown + ": expected an answer of 2xx, found " + status + after_colon(answer.body);
        if (settings_.permanent.contains(answer.status)) throw Permanent{"http_" + status, message, facts};
        if (answer.retry_after.count() > 0)
            delivery.retry_after(std::min<milliseconds>(answer.retry_after, settings_.longest_retry_after));
        throw DeliveryFailed{"http_" + status, message, facts};
    }

    const std::shared_ptr<const Shared> shared_;
    const Webhook& settings_;
    HttpClient http_;
};

void check_url(const std::string& text, const std::string& setting, const Rules& rules) {
    const auto url = Url::parse(text);
    rules.expect(url && is_http(*url), setting, "an address that begins with http:// or https://",
                 url ? "one of " + url->scheme : "no address");
    rules.expect(!url->has_credentials, setting,
                 "no user and password in it: secret_headers, oauth or a reference (env:NAME) keep them secret",
                 "some");
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

void check_header_name(const std::string& name, bool has_oauth, const Rules& rules) {
    constexpr std::array<std::string_view, 8> ours{
        "content-type",      "webhook-id", "webhook-timestamp", "webhook-signature", "content-length",
        "transfer-encoding", "host",       "connection"};
    rules.expect(is_header_name(name), "headers", "names of HTTP headers", "\"" + printable(name, 100) + "\"");
    const auto lower = lower_case(name);
    const bool is_ours = std::find(ours.begin(), ours.end(), lower) != ours.end();
    rules.expect(!is_ours && !(has_oauth && lower == "authorization"), "headers",
                 "headers that Stele does not set by itself", name);
}

}  // namespace

std::unique_ptr<Workshop> workshop_of(const Webhook& settings, const Rules& rules) {
    if (Secret::is_reference(settings.url)) {
        (void)Secret::parse(settings.url, "url");
    } else {
        check_url(settings.url, "url", rules);
    }
    for (const auto& [name, value] : settings.headers) {
        check_header_name(name, settings.oauth.has_value(), rules);
        const auto lower = lower_case(name);
        rules.expect(lower != "authorization" && lower != "proxy-authorization" && lower != "cookie", "headers",
                     "nothing secret: secret_headers takes references (env:NAME)", name);
        rules.expect(is_header_value(value), "headers", "values of one line", "several lines in " + name);
    }
    for (const auto& [name, secret] : settings.secret_headers)
        check_header_name(name, settings.oauth.has_value(), rules);
    rules.expect_timeout(settings.connect_timeout, "connect_timeout");
    rules.expect_timeout(settings.timeout, "timeout");
    rules.expect(settings.longest_retry_after.count() >= 0, "longest_retry_after", "0 or more",
                 std::to_string(settings.longest_retry_after.count()) + " ms");
    rules.expect(settings.redirects >= 0 && settings.redirects <= 20, "redirects", "0 to 20",
                 std::to_string(settings.redirects));
    for (const int status : settings.permanent)
        rules.expect(status >= 300 && status <= 599, "permanent", "HTTP statuses from 300 to 599",
                     std::to_string(status));
    auto shared = std::make_shared<Shared>();
    shared->settings = settings;
    if (!Secret::is_reference(settings.url)) shared->url = Url::parse(settings.url);
    if (settings.oauth) {
        check_url(settings.oauth->token_url, "oauth.token_url", rules);
        rules.expect(!settings.oauth->client_id.empty(), "oauth.client_id", "a name", "none");
        shared->tokens = std::make_unique<OAuthTokens>(*settings.oauth, settings.longest_retry_after);
    }
    return workshop_for<WebhookHandler>(std::shared_ptr<const Shared>{std::move(shared)});
}

}  // namespace stele::sinks
