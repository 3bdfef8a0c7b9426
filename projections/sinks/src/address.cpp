#include "address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace stele::sinks {
namespace {

struct Range {
    std::uint32_t network;
    int bits;
};
constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    return (a << 24) | (b << 16) | (c << 8);
}
constexpr std::array special{
    Range{ip(0, 0, 0), 8},        // this network
    Range{ip(10, 0, 0), 8},       // private
    Range{ip(100, 64, 0), 10},    // shared by customers of a provider
    Range{ip(127, 0, 0), 8},      // loopback
    Range{ip(169, 254, 0), 16},   // link-local, and where clouds keep their credentials
    Range{ip(172, 16, 0), 12},    // private
    Range{ip(192, 0, 0), 24},     // protocols
    Range{ip(192, 0, 2), 24},     // documentation
    Range{ip(192, 88, 99), 24},   // 6to4 relays
    Range{ip(192, 168, 0), 16},   // private
    Range{ip(198, 18, 0), 15},    // benchmarks
    Range{ip(198, 51, 100), 24},  // documentation
    Range{ip(203, 0, 113), 24},   // documentation
    Range{ip(224, 0, 0), 3},      // multicast, reserved, broadcast
};

bool is_public_v4(std::uint32_t address) noexcept {
    for (const auto& [network, bits] : special) {
        if ((address ^ network) >> (32 - bits) == 0) return false;
    }
    return true;
}

bool is_public_v6(const unsigned char* bytes) noexcept {
    const auto begins = [bytes](std::initializer_list<unsigned char> prefix) {
        return std::memcmp(bytes, std::data(prefix), prefix.size()) == 0;
    };
    const auto v4_at = [bytes](int at) {
        return (std::uint32_t{bytes[at]} << 24) | (std::uint32_t{bytes[at + 1]} << 16) |
               (std::uint32_t{bytes[at + 2]} << 8) | bytes[at + 3];
    };
    if (begins({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return is_public_v4(v4_at(12));     // mapped
    if (begins({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public_v4(v4_at(12));  // NAT64
    if ((bytes[0] & 0xe0) != 0x20) return false;                       // global unicast is 2000::/3
    if (begins({0x20, 0x02})) return is_public_v4(v4_at(2));           // 6to4
    if (begins({0x20, 0x01}) && (bytes[2] & 0xfe) == 0) return false;  // 2001::/23: Teredo and other protocols
    if (begins({0x20, 0x01, 0x0d, 0xb8})) return false;                // documentation
    if (begins({0x3f, 0xff}) && (bytes[2] & 0xf0) == 0) return false;  // documentation
    return true;
}

}  // namespace

bool is_public(const sockaddr& address) noexcept {
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        return is_public_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        return is_public_v6(v6.sin6_addr.s6_addr);
    }
    return false;
}

std::string to_text(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    } else if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof v6);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    } else {
        return "an address of family " + std::to_string(address.sa_family);
    }
    return text.data();
}

}  // namespace stele::sinks
