// DeliveryKeys: the key that a delivery carries, the same on every retry and every replay.
#pragma once

#include <stele/schema/event_id.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace stele {

/// Made of the store's secret: 32 random bytes in the file `delivery.key`, which is made when it is first needed,
/// is for its owner's eyes alone, and has to be kept with the log: with another secret, receivers take what they
/// have seen before for something new. So it does not stand in control.db, which may be lost.
///
/// Threads  any may call any member.
class DeliveryKeys {
public:
    /// Throws StoreError "delivery_key": the file cannot be made, or is not 64 hexadecimal digits.
    explicit DeliveryKeys(const std::filesystem::path& folder);

    /// HMAC-SHA-256 (RFC 2104) of the listener's name, a zero byte, and the 16 bytes of the event's id, as
    /// base64url without padding (RFC 4648).
    [[nodiscard]] std::string of(std::string_view listener, const EventId& event) const;

    /// The id of event number `place` (from 0) of those that a listener appends for `event`: a version 8 UUID (RFC
    /// 9562) of the same HMAC, so that appending them again is recognised (L6).
    [[nodiscard]] EventId id_of_effect(std::string_view listener, const EventId& event, std::size_t place) const;

private:
    std::string secret_;
};

}  // namespace stele
