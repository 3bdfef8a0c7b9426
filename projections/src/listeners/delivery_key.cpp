#include "delivery_key.hpp"

#include <stele/store/append.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <system_error>

namespace stele {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t secret_bytes = 32;
using Digest = std::array<unsigned char, 32>;

StoreError key_error(const fs::path& file, const std::string& what) {
    return StoreError{"delivery_key", file.string() + ": " + what, {{"path", file.string()}}};
}

StoreError system_error(const fs::path& file, const char* doing) {
    return key_error(file, std::string{doing} + ": " + std::error_code{errno, std::generic_category()}.message());
}

class File {
public:
    File(const fs::path& path, int flags) : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
    [[nodiscard]] int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// Empty where there is no file.
std::optional<std::string> read_secret(const fs::path& path) {
    const File file{path, O_RDONLY};
    if (!file.is_open()) {
        if (errno == ENOENT) return std::nullopt;
        throw system_error(path, "cannot be read");
    }
    std::array<char, 2 * secret_bytes + 2> text{};
    const auto got = ::read(file.get(), text.data(), text.size());
    if (got < 0) throw system_error(path, "cannot be read");

    std::string secret;
    for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(got); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) break;
        secret.push_back(static_cast<char>(high * 16 + low));
    }
    if (secret.size() != secret_bytes) {
        throw key_error(path,
                        "expected 64 hexadecimal digits, found something else; take it from a backup: with another "
                        "secret, receivers take what they have seen for something new");
    }
    return secret;
}

std::string random_hex() {
    std::array<unsigned char, secret_bytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw StoreError{"delivery_key", "the system gives no random numbers"};
    constexpr auto digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

// The file is complete when it gets its name, and the first of several who make it at once has made it for all.
void make_secret(const fs::path& path) {
    const auto draft = path.string() + "." + std::to_string(::getpid()) + "." + random_hex().substr(0, 8);
    struct Remove {
        const std::string& path;
        ~Remove() { ::unlink(path.c_str()); }
    } const remove{draft};
    {
        const File file{draft, O_WRONLY | O_CREAT | O_EXCL};
        if (!file.is_open()) throw system_error(path, "cannot be made");
        const auto text = random_hex() + "\n";
        if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
            ::fsync(file.get()) != 0)
            throw system_error(path, "cannot be written");
    }
    if (::link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST) throw system_error(path, "cannot be made");
    const File folder{path.parent_path(), O_RDONLY | O_DIRECTORY};
    if (folder.is_open()) (void)::fsync(folder.get());
}

Digest hmac(const std::string& secret, std::string_view message) {
    Digest digest{};
    unsigned int size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes, message.size(), digest.data(),
             &size) == nullptr)
        throw std::bad_alloc{};
    return digest;
}

std::string message_of(std::string_view listener, const EventId& event) {
    std::string message{listener};
    message.push_back('\0');
    const auto id = event.bytes();
    message.append(reinterpret_cast<const char*>(id.data()), id.size());
    return message;
}

std::string base64url(const Digest& digest) {
    constexpr auto alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    unsigned int bits = 0;
    int held = 0;
    for (const auto byte : digest) {
        bits = (bits << 8) | byte;
        for (held += 8; held >= 6; held -= 6) text.push_back(alphabet[(bits >> (held - 6)) & 63]);
    }
    if (held > 0) text.push_back(alphabet[(bits << (6 - held)) & 63]);
    return text;
}

}  // namespace

DeliveryKeys::DeliveryKeys(const fs::path& folder) {
    const auto path = folder / "delivery.key";
    auto secret = read_secret(path);
    if (!secret) {
        make_secret(path);
        secret = read_secret(path);
    }
    if (!secret) throw key_error(path, "was removed while it was made");
    secret_ = std::move(*secret);
}

std::string DeliveryKeys::of(std::string_view listener, const EventId& event) const {
    return base64url(hmac(secret_, message_of(listener, event)));
}

EventId DeliveryKeys::id_of_effect(std::string_view listener, const EventId& event, std::size_t place) const {
    auto digest = hmac(secret_, message_of(listener, event) + "/" + std::to_string(place));
    constexpr std::size_t version_byte = 6;
    constexpr std::size_t variant_byte = 8;
    digest[version_byte] = static_cast<unsigned char>((digest[version_byte] & 0x0f) | 0x80);
    digest[variant_byte] = static_cast<unsigned char>((digest[variant_byte] & 0x3f) | 0x80);
    return EventId::from_bytes(std::span{digest}.first(16));
}

}  // namespace stele
