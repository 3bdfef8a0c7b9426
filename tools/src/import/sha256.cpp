#include "sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace stele::tool {

struct Sha256::State {
    State() : context(EVP_MD_CTX_new()) {
        if (context == nullptr) throw std::bad_alloc{};
    }
    State(const State& other) : State() {
        if (EVP_MD_CTX_copy_ex(context, other.context) != 1) throw std::bad_alloc{};
    }
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }

    EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    if (EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) throw std::bad_alloc{};
}
Sha256::Sha256(const Sha256& other) : state_(std::make_unique<State>(*other.state_)) {}
Sha256& Sha256::operator=(const Sha256& other) {
    state_ = std::make_unique<State>(*other.state_);
    return *this;
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
    if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) throw std::bad_alloc{};
}

std::string Sha256::hex() const {
    // Finishing ends the state, so a copy is finished.
    const State last{*state_};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(last.context, digest.data(), &size) != 1) throw std::bad_alloc{};
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

}  // namespace stele::tool
