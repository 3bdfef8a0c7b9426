#include <stele/projections/projection.hpp>

#include <algorithm>
#include <cstdint>

namespace stele {

void check_projection_name(std::string_view name) {
    constexpr std::size_t longest = 100;
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (!name.empty() && name.size() <= longest && std::all_of(name.begin(), name.end(), allowed)) return;
    throw InvalidInput{"projection name", "1 to 100 letters, digits, _ and -", "\"" + std::string{name} + "\""};
}

std::string fingerprint_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;

    constexpr auto digits = "0123456789abcdef";
    std::string hex(16, '0');
    for (auto digit = hex.rbegin(); digit != hex.rend(); ++digit, hash >>= 4) *digit = digits[hash & 15];
    return hex;
}

Projection::Projection(Head head) : head_(std::move(head)) {
    check_projection_name(head_.name);
    if (head_.version < 1) {
        throw InvalidInput{"version of projection \"" + head_.name + "\"", "1, 2, 3, …",
                           std::to_string(head_.version)};
    }
}

}  // namespace stele
