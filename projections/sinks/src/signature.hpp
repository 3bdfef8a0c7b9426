// The signature of a webhook, as standardwebhooks.com says.
#pragma once

#include <stele/sinks/secret.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stele::sinks {

/// `v1,<base64>` for each secret, blanks between: HMAC-SHA-256 of "id.timestamp.body".
/// Throws DeliveryFailed: "secret_missing"; "secret_invalid" where one is not `whsec_` and base64 of 24 to 64
/// bytes.
[[nodiscard]] std::string webhook_signature(const std::vector<Secret>& secrets, std::string_view id,
                                            std::string_view timestamp, std::string_view body);

}  // namespace stele::sinks
