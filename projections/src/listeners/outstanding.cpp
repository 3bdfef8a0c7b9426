#include "outstanding.hpp"

#include <algorithm>

namespace stele {

void Outstanding::reset(Position read_to, const std::vector<Position>& outstanding) {
    slots_.clear();
    for (const auto position : outstanding) slots_.push_back({position, false});
    unsettled_ = slots_.size();
    read_to_ = read_to;
}

void Outstanding::take_up(Position position) {
    slots_.push_back({position, false});
    ++unsettled_;
    read(position);
}

bool Outstanding::settle(Position position) {
    const auto slot = std::lower_bound(slots_.begin(), slots_.end(), position,
                                       [](const Slot& a, Position b) { return a.position < b; });
    if (slot == slots_.end() || slot->position != position || slot->settled) return false;
    slot->settled = true;
    --unsettled_;
    while (!slots_.empty() && slots_.front().settled) slots_.pop_front();
    compact();
    return true;
}

// One that takes very long must not make the others pile up behind it.
void Outstanding::compact() {
    constexpr std::size_t few = 4'096;
    if (slots_.size() < few || slots_.size() < 4 * unsettled_) return;
    std::erase_if(slots_, [](const Slot& slot) { return slot.settled; });
}

Position Outstanding::position() const noexcept {
    return slots_.empty() ? read_to_ : slots_.front().position.previous();
}

std::vector<Position> Outstanding::all() const {
    std::vector<Position> positions;
    positions.reserve(unsettled_);
    for (const auto& slot : slots_) {
        if (!slot.settled) positions.push_back(slot.position);
    }
    return positions;
}

}  // namespace stele
