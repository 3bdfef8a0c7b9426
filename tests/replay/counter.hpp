// A decider whose every decision shows whether it was made on the state that it follows.
#pragma once

#include <stele/replay/command_handler.hpp>
#include <stele/test/catch.hpp>

#include <chrono>

namespace stele::test {

// Every change counts the ones before it: a decision on a state that is out of date would count wrongly.
struct Counter {
    static constexpr auto name = "Counter";
    struct Counted {
        static constexpr auto type = "Counted";
        static constexpr int version = 1;
        int n = 0;
        NLOHMANN_DEFINE_TYPE_INTRUSIVE(Counted, n)
    };
    using events = Events<Counted>;
    struct State {
        int n = 0;
    };
    static State evolve(State, const Counted& counted) { return {counted.n}; }
    static Counted decide(const State& state, int /*command*/) { return {state.n + 1}; }
};

inline void require_counted(const EventStore& store, const StreamId& stream, int upto) {
    int expected = 0;
    for (const Event& event : store.read(stream)) {
        if (as<Counter::Counted>(event).n != ++expected) FAIL("event " << expected << " says " << event.data);
    }
    CHECK(expected == upto);
}

[[nodiscard]] inline Options quick() {
    Options options;
    options.durability = Durability::relaxed;
    options.deadline = std::chrono::minutes{2};
    return options;
}

}  // namespace stele::test
