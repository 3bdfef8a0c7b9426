// Sha256: the hash of bytes that come in pieces, and what it was at any point on the way.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace stele::tool {

class Sha256 {
public:
    Sha256();
    Sha256(const Sha256& other);
    Sha256& operator=(const Sha256& other);
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();

    void update(std::string_view bytes);
    /// Of all bytes so far, in hexadecimal. More may follow.
    [[nodiscard]] std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele::tool
