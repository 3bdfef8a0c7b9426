// Patience: how long a leader holds a commit open for callers who are on their way back from the last one.
//
// Callers who append again and again come back soon after their commit ended. A leader that commits at once leaves
// them behind; one that waits has them pay for one sync together. Whether they come back, and how fast, is not
// known, so the wait is bounded twice: it is no longer than a commit takes, and it is not tried again for a while
// where it was in vain. At worst, a few commits take twice as long; a lone caller never waits.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace stele {

/// Not thread-safe: guarded by the queue's mutex.
class Patience {
public:
    using Duration = std::chrono::steady_clock::duration;

    /// How many appends the commit that begins now should hold; 1 where it is not worth waiting.
    [[nodiscard]] std::size_t begin_commit() {
        if (pause_ == 0) return expected_;
        --pause_;
        return 1;
    }

    /// How long it may wait for them, all in all.
    [[nodiscard]] Duration longest_wait() const { return std::min<Duration>(usual_cost_, longest); }

    enum class Wait { none, all_came, in_vain };

    /// A commit of `appends` ended, which took `cost` without the waiting, and `queued` others had come meanwhile.
    /// A wait is in vain where not all came who were expected.
    void end_commit(std::size_t appends, std::size_t queued, Duration cost, Wait wait) {
        expected_ = appends + queued;
        usual_cost_ = (3 * usual_cost_ + cost) / 4;
        if (wait == Wait::all_came) next_pause_ = 1;
        if (wait == Wait::in_vain) {
            pause_ = next_pause_;
            next_pause_ = std::min(next_pause_ * 2, longest_pause);
        }
    }

private:
    static constexpr std::chrono::milliseconds longest{2};
    static constexpr std::size_t longest_pause = 64;  ///< commits

    std::size_t expected_ = 1;
    Duration usual_cost_{};
    std::size_t pause_ = 0;  ///< commits that do not wait
    std::size_t next_pause_ = 1;
};

}  // namespace stele
