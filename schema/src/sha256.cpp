#include "sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace stele::detail {

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, 32> digest;
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc{};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const auto byte : digest) {
        hex += digits[byte >> 4U];
        hex += digits[byte & 15U];
    }
    return hex;
}

}  // namespace stele::detail
