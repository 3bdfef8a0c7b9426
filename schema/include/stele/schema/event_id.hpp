// EventId: the identity of an event, a UUID that its writer gives and that makes appends idempotent (L6).
#pragma once

#include <boost/uuid/uuid.hpp>

#include <compare>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace stele {

class EventId {
public:
    /// The nil UUID. Not a valid id of an event.
    constexpr EventId() noexcept : uuid_{} {}
    constexpr explicit EventId(boost::uuids::uuid uuid) noexcept : uuid_(uuid) {}

    /// A new UUID version 7 (RFC 9562, 5.7; method 3 of 6.2): greater than every one this process made before,
    /// so that the index of ids grows at its end. Any thread; safe after fork().
    [[nodiscard]] static EventId generate();

    /// Reads the 36-character form, in either case. Throws InvalidInput naming `field`.
    [[nodiscard]] static EventId parse(std::string_view text, std::string_view field = "id");

    /// From 16 bytes, most significant first. Requires bytes.size() == 16.
    [[nodiscard]] static EventId from_bytes(std::span<const unsigned char> bytes);

    [[nodiscard]] bool is_nil() const noexcept { return uuid_.is_nil(); }
    [[nodiscard]] const boost::uuids::uuid& uuid() const noexcept { return uuid_; }
    [[nodiscard]] std::span<const unsigned char, 16> bytes() const noexcept {
        return std::span<const unsigned char, 16>{uuid_.data, 16};
    }
    /// 36 characters, lower case.
    [[nodiscard]] std::string to_string() const;

    /// The id of the k-th event that is made of the stored event with this id (Event::piece): itself for k = 0, and
    /// always the same other one for each further k. Undoes itself: of_piece(k).of_piece(k) is this id again.
    [[nodiscard]] EventId of_piece(int k) const noexcept;

    friend bool operator==(const EventId& a, const EventId& b) noexcept { return a.uuid_ == b.uuid_; }
    friend std::strong_ordering operator<=>(const EventId& a, const EventId& b) noexcept;
    friend std::ostream& operator<<(std::ostream& out, const EventId& id);

private:
    boost::uuids::uuid uuid_;
};

}  // namespace stele

template <>
struct std::hash<stele::EventId> {
    std::size_t operator()(const stele::EventId& id) const noexcept;
};
