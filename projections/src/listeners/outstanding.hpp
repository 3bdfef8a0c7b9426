// Outstanding: which of the events that were taken up are not settled yet.
//
// A listener's place in the log is two positions and this set: everything that it selects up to position() is
// settled, and everything up to read_to() but for what is outstanding. So a crash repeats what was outstanding when
// the place was last stored, and nothing else, however far others had run ahead of it.
#pragma once

#include <stele/schema/ordinal.hpp>

#include <cstddef>
#include <deque>
#include <vector>

namespace stele {

class Outstanding {
public:
    /// Begins behind `read_to`, with these outstanding.
    void reset(Position read_to, const std::vector<Position>& outstanding);

    /// Takes up an event. Positions rise.
    void take_up(Position position);
    /// Everything up to here was read.
    void read(Position position) noexcept {
        if (position > read_to_) read_to_ = position;
    }
    /// Settles one; false where it is not outstanding.
    bool settle(Position position);

    [[nodiscard]] Position position() const noexcept;
    [[nodiscard]] Position read_to() const noexcept { return read_to_; }
    [[nodiscard]] std::size_t size() const noexcept { return unsettled_; }
    [[nodiscard]] bool empty() const noexcept { return unsettled_ == 0; }
    [[nodiscard]] std::vector<Position> all() const;

private:
    struct Slot {
        Position position;
        bool settled;
    };
    void compact();
    std::deque<Slot> slots_;  ///< by position; the first one is not settled
    std::size_t unsettled_ = 0;
    Position read_to_;
};

}  // namespace stele
