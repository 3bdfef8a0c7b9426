// Webhook: posts each event to an HTTP address, signed as standardwebhooks.com says.
//
//   [[listener]]
//   name = "billing"
//   sink = { type = "webhook", url = "https://billing.example.com/hooks/stele", secrets = ["env:BILLING_HOOK"] }
//
// The request is a POST with the event as it stands in `stele events --json`, and the headers
//   webhook-id          the delivery's key: the same on every retry, so a receiver knows what it has seen
//   webhook-timestamp   seconds since 1970 when the request was made
//   webhook-signature   for each secret `v1,` and the base64 of HMAC-SHA-256 of "id.timestamp.body"; blanks between
//
// Outcomes: a 2xx is success. An answer of `permanent` makes a dead letter at once, all others have the delivery
// tried again, no earlier than a Retry-After asks for. What fails says the address without credentials, query and
// fragment, what was expected, what was found, and the first 500 bytes of the answer.
//
// Causes: "http_503" and so on; "timeout"; "dns", "connect", "tls", "closed", "protocol"; "address_refused";
// "redirect"; "oauth" (no token to be had); "secret_missing"; "secret_invalid"; "stopped".
#pragma once

#include <stele/sinks/secret.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stele::sinks {

/// OAuth 2 client credentials (RFC 6749, 4.4). The token is shared by the workers of a listener, used until shortly
/// before it expires, and asked for anew, once a delivery, when the receiver answers 401.
struct OAuth {
    std::string token_url;  ///< TOML token_url
    std::string client_id;  ///< TOML client_id
    Secret client_secret;   ///< TOML client_secret
    std::string scope{};    ///< TOML scope; empty: none is sent
    /// Further parameters of the token request, such as `audience`. TOML parameters (a table)
    std::map<std::string, std::string> parameters{};
    /// The client names itself in the body instead of an Authorization header. TOML credentials_in_body
    bool credentials_in_body = false;
};

struct Webhook {
    /// http or https. `env:NAME` or `file:/path` where the address itself is a secret: messages then name its host
    /// alone. Credentials may not stand in it otherwise. TOML url
    std::string url;
    /// To sign with: `whsec_` and base64 of 24 to 64 bytes. Several while one replaces another; none: not signed.
    /// TOML secrets (an array of references) or secret (one)
    std::vector<Secret> secrets{};
    std::map<std::string, std::string> headers{};    ///< further ones; TOML headers (a table)
    std::map<std::string, Secret> secret_headers{};  ///< the same with secret values; TOML secret_headers (a table)
    std::optional<OAuth> oauth{};                    ///< TOML oauth (a table)
    std::chrono::milliseconds connect_timeout{10'000};  ///< TOML connect_timeout
    std::chrono::milliseconds timeout{30'000};          ///< of the whole request; TOML timeout
    /// Answers that no retry will change. TOML permanent (an array of numbers). Not among them: 401, 403, 404 and
    /// 405, which a receiver also gives while it is being put right.
    std::set<int> permanent{400, 402, 406, 410, 411, 413, 414, 415, 416, 417, 422, 431, 451};
    std::chrono::milliseconds longest_retry_after{3'600'000};  ///< of what is asked for; TOML longest_retry_after
    /// So many redirects are followed, with the same POST, and only to the same host. 0: a redirect is a failure.
    /// TOML redirects
    int redirects = 0;
    /// Loopback, private, link-local and other addresses that are not public may be connected to. It is the address
    /// that a connection really goes to that is looked at, so no name server can get past it. TOML allow_private
    bool allow_private = false;
    /// Certificates to trust instead of the system's (a PEM file). TOML ca_file
    std::string ca_file{};
};

}  // namespace stele::sinks
