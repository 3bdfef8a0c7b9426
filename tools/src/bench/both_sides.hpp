// BothSides: a store and a bare log in a fresh folder, with the same events in them, ready to be measured.
#pragma once

#include "bare_log.hpp"
#include "filled_log.hpp"
#include "measure.hpp"
#include "same_rows.hpp"
#include "workload.hpp"

#include <span>

namespace stele::bench {

struct BothSides {
    /// Each of the payloads' streams has its first event, so that what is measured meets streams that are there.
    BothSides(const Context& context, const Payloads& payloads, Durability durability);

    void require_same_rows(Context& context, Order order = Order::same) const;

    std::shared_ptr<const std::filesystem::path> folder;
    EventStore store;
    BareLog bare;
};

/// How often the two sides take turns within one run: whatever disturbs the machine meets both.
inline constexpr std::size_t turns = 20;

/// Cuts `items` into `count` pieces of about the same size.
template <class T>
[[nodiscard]] std::vector<std::span<const T>> in_turns(const std::vector<T>& items, std::size_t count = turns) {
    std::vector<std::span<const T>> pieces;
    const std::span<const T> all{items};
    for (std::size_t i = 0; i < count; ++i) {
        const auto from = items.size() * i / count;
        const auto to = items.size() * (i + 1) / count;
        pieces.push_back(all.subspan(from, to - from));
    }
    return pieces;
}

/// Events per second on both sides.
[[nodiscard]] inline Measurement rates(double count, const Stopwatch& stele, const Stopwatch& bare) {
    return {count / stele.seconds(), count / bare.seconds()};
}

}  // namespace stele::bench
