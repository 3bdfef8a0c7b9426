#include "signature.hpp"

#include "text.hpp"

#include <stele/projections/listeners/delivery.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <new>

namespace stele::sinks {
namespace {

std::string key_of(const Secret& secret) {
    constexpr std::string_view prefix = "whsec_";
    constexpr std::size_t fewest = 24;
    constexpr std::size_t most = 64;
    const auto invalid = [&](const std::string& found) {
        return DeliveryFailed{
            "secret_invalid",
            "secret " + secret.name() + ": expected whsec_ and base64 of 24 to 64 bytes, found " + found,
            {{"secret", secret.name()}}};
    };
    const auto text = secret.read();
    std::string_view encoded = trimmed(text);
    if (encoded.substr(0, prefix.size()) != prefix) throw invalid("a text that does not begin with whsec_");
    encoded.remove_prefix(prefix.size());
    auto key = from_base64(encoded);
    if (!key) throw invalid("what is not base64");
    if (key->size() < fewest || key->size() > most) throw invalid(std::to_string(key->size()) + " bytes");
    return std::move(*key);
}

std::string hmac(const std::string& key, const std::string& message) {
    std::array<unsigned char, 32> digest{};
    unsigned int size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, message.size(), digest.data(), &size) ==
        nullptr)
        throw std::bad_alloc{};
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::string webhook_signature(const std::vector<Secret>& secrets, std::string_view id, std::string_view timestamp,
                              std::string_view body) {
    std::string message;
    message.append(id).append(".").append(timestamp).append(".").append(body);
    std::string signatures;
    for (const auto& secret : secrets) {
        if (!signatures.empty()) signatures.push_back(' ');
        signatures += "v1," + base64(hmac(key_of(secret), message));
    }
    return signatures;
}

}  // namespace stele::sinks
