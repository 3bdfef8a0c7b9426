// How long a leader waits for callers who may come back: when at all, for how many, and when it stops trying.
#include "patience.hpp"

#include <stele/test/catch.hpp>

using namespace std::chrono_literals;
using stele::Patience;

namespace {

constexpr auto cost = 400us;

// A commit of `appends` during which `queued` others came. True where it was told to wait for more than itself.
bool commit(Patience& patience, std::size_t appends, std::size_t queued,
            Patience::Wait outcome = Patience::Wait::all_came) {
    const bool waits = patience.begin_commit() > 1;
    patience.end_commit(appends, queued, cost, waits ? outcome : Patience::Wait::none);
    return waits;
}

}  // namespace

TEST_CASE("a lone caller is never waited with", "[store][patience]") {
    Patience patience;
    for (int i = 0; i < 100; ++i) CHECK_FALSE(commit(patience, 1, 0));
}

TEST_CASE("two halves of a crowd become one commit", "[store][patience]") {
    Patience patience;
    commit(patience, 32, 32);  // 32 were committed while 32 others came

    CHECK(patience.begin_commit() == 64);
    patience.end_commit(64, 0, cost, Patience::Wait::all_came);
    CHECK(patience.begin_commit() == 64);
}

TEST_CASE("a wait is no longer than a commit usually takes, and never longer than 2 ms", "[store][patience]") {
    Patience patience;
    CHECK(patience.longest_wait() == 0us);
    for (int i = 0; i < 100; ++i) commit(patience, 2, 0);
    CHECK(patience.longest_wait() <= cost);
    CHECK(patience.longest_wait() > cost / 2);

    for (int i = 0; i < 100; ++i) patience.end_commit(2, 0, 5s, Patience::Wait::none);
    CHECK(patience.longest_wait() == 2ms);
}

TEST_CASE("where nobody comes back, fewer and fewer commits wait, down to one in 65", "[store][patience]") {
    Patience patience;
    commit(patience, 2, 0);

    int waited = 0;
    constexpr int commits = 10'000;
    for (int i = 0; i < commits; ++i) waited += commit(patience, 2, 0, Patience::Wait::in_vain) ? 1 : 0;

    CHECK(waited > 0);
    CHECK(waited < commits / 65 + 10);
}

TEST_CASE("a wait that was worth it ends the doubt", "[store][patience]") {
    Patience patience;
    commit(patience, 2, 0);
    for (int i = 0; i < 200; ++i) commit(patience, 2, 0, Patience::Wait::in_vain);
    while (!commit(patience, 2, 0)) {
    }

    for (int i = 0; i < 100; ++i) CHECK(commit(patience, 2, 0));
}
