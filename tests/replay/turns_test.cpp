// Turns: commands that are handled within decisions, in threads that are in each other's way.
#include "counter.hpp"

#include <stele/replay/decision.hpp>

#include <array>
#include <barrier>
#include <string>
#include <thread>
#include <utility>

namespace stele {
namespace {

using namespace test;

// Goal:   decisions that handle commands of each other's streams never wait for each other.
// Method: two threads, each within its own stream's turn when the other's stream is handled.
TEST_CASE("decisions that handle commands of each other's streams all come through", "[replay][handle][race]") {
    constexpr int rounds = 40;
    auto store = EventStore::temporary(quick());
    CommandHandler<Counter> left{store};
    CommandHandler<Counter> right{store};
    const bool share = GENERATE(true, false);
    const std::array<CommandHandler<Counter>*, 2> handlers{&left, share ? &left : &right};
    const std::array streams{StreamId{"Counter", "a"}, StreamId{"Counter", "b"}};
    std::barrier both_are_deciding{2};
    const auto cross = [&](std::size_t mine) {
        for (int round = 0; round < rounds; ++round) {
            const CommandOptions inner{.id = EventId::generate()};
            bool has_met = false;
            handlers.at(mine)->handle(streams.at(mine), [&](const Counter::State& state) {
                if (!std::exchange(has_met, true)) both_are_deciding.arrive_and_wait();
                handlers.at(1 - mine)->handle(streams.at(1 - mine), 1, inner);
                return Counter::Counted{state.n + 1};
            });
        }
    };
    {
        const std::jthread other{[&] { cross(1); }};
        cross(0);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        require_counted(store, streams.at(i), 2 * rounds);
        CHECK(handlers.at(i)->load(streams.at(i)).state.n == 2 * rounds);
    }
}

TEST_CASE("a decision that handles a command and one that has lost often never wait for each other",
          "[replay][handle][decide][race]") {
    constexpr int rounds = 40;
    auto store = EventStore::temporary(quick());
    CommandHandler<Counter> counters{store};
    const StreamId stream{"Counter", "a"};
    std::barrier both{2};
    {
        const std::jthread loser{[&] {
            for (int round = 0; round < rounds; ++round) {
                const auto turn = detail::take_turn_of_losers(store);
                both.arrive_and_wait();
                counters.handle(stream, 1);
            }
        }};
        for (int round = 0; round < rounds; ++round) {
            bool has_met = false;
            counters.handle(stream, [&](const Counter::State& state) {
                if (!std::exchange(has_met, true)) both.arrive_and_wait();
                const auto turn = detail::take_turn_of_losers(store);
                return Counter::Counted{state.n + 1};
            });
        }
    }
    require_counted(store, stream, 2 * rounds);
}

TEST_CASE("a handler inside a decision that went on without its turn is refused too", "[replay][handle][race]") {
    auto store = EventStore::temporary(quick());
    CommandHandler<Counter> counters{store};
    const StreamId mine{"Counter", "a"};
    const StreamId others{"Counter", "b"};
    std::barrier is_taken{2};
    std::barrier is_over{2};
    {
        const std::jthread other{[&] {
            counters.handle(others, [&](const Counter::State&) {
                is_taken.arrive_and_wait();
                is_over.arrive_and_wait();
            });
        }};
        is_taken.arrive_and_wait();
        std::string refusal;
        counters.handle(mine, [&](const Counter::State&) {
            counters.handle(others, [&](const Counter::State&) {
                try {
                    counters.handle(others, 1);
                } catch (const Error& error) {
                    refusal = error.code();
                }
            });
        });
        is_over.arrive_and_wait();
        CHECK(refusal == "nested_command");
    }
    CHECK(store.head() == Position{0});
}

}  // namespace
}  // namespace stele
