// Which addresses belong to the public internet.
#pragma once

#include <sys/socket.h>

#include <string>

namespace stele::sinks {

/// False for loopback, private, link-local, multicast, documentation and every other address that is not globally
/// reachable (IANA's registries of special-purpose addresses); of IPv6 addresses that carry one of IPv4 (mapped,
/// NAT64, 6to4) by that one; and for families other than IPv4 and IPv6.
[[nodiscard]] bool is_public(const sockaddr& address) noexcept;

/// As numbers: `192.168.1.1`, `fe80::1`.
[[nodiscard]] std::string to_text(const sockaddr& address);

}  // namespace stele::sinks
