// SHA-256, by OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace stele::detail {

/// The hash of `bytes` as 64 hexadecimal digits, in lower case.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace stele::detail
