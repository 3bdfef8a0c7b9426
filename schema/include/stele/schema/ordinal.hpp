// Position and Version: the two coordinates of an event, as types that do not mix.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>

namespace stele {

/// A whole number that counts from 1; 0 means "before the first". `Tag` keeps the kinds apart, so that a
/// Version passed for a Position does not compile.
template <class Tag>
class Ordinal {
public:
    constexpr Ordinal() = default;
    constexpr explicit Ordinal(std::int64_t value) noexcept : value_(value) {}

    [[nodiscard]] constexpr std::int64_t value() const noexcept { return value_; }
    [[nodiscard]] constexpr Ordinal next() const noexcept { return Ordinal{value_ + 1}; }
    [[nodiscard]] constexpr Ordinal previous() const noexcept { return Ordinal{value_ - 1}; }

    friend constexpr auto operator<=>(Ordinal, Ordinal) noexcept = default;
    friend std::ostream& operator<<(std::ostream& out, Ordinal ordinal) { return out << ordinal.value_; }

private:
    std::int64_t value_ = 0;
};

/// Place in the log, across streams: 1, 2, 3, … without gaps.
using Position = Ordinal<struct PositionTag>;

/// Place in one stream: 1, 2, 3, …
using Version = Ordinal<struct VersionTag>;

}  // namespace stele

template <class Tag>
struct std::hash<stele::Ordinal<Tag>> {
    std::size_t operator()(stele::Ordinal<Tag> ordinal) const noexcept {
        return std::hash<std::int64_t>{}(ordinal.value());
    }
};
