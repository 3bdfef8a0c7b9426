// The breaker: a target that fails again and again is left alone, and that costs no event an attempt.
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/test/temporary_folder.hpp>

using namespace stele;
using namespace std::chrono_literals;
using test::after;

namespace {

void down(const Event&, const Delivery&) { throw DeliveryFailed{"timeout", "no answer"}; }

ListenerOptions guarded(int failures, RetryPolicy retry, const std::string& target = {}) {
    return {.retry = std::move(retry), .breaker = {.failures = failures, .open = 30s, .target = target}};
}

std::string state_of(const EventStore& store, const Runner& runner, const std::string& name) {
    const auto status = listener_status(store, runner.listeners(), name);
    return status.breaker ? status.breaker->state : "none";
}

}  // namespace

TEST_CASE("after some failures in a row nothing is sent, then one delivery is tried, and success lets all go",
          "[listeners][breaker]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b", "c", "d", "e"}, 2);
    test::Receiver receiver{down};
    Runner runner{store, test::with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), guarded(3, after({1s}, 10))));
    test::step_through(runner);
    CHECK(receiver.tried().size() == 3);  // of five keys that are ready
    CHECK(state_of(store, runner, "bill") == "open");

    clock.advance(29s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 3);
    clock.advance(1s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 4);  // one, which fails: thirty seconds more
    clock.advance(29s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 4);

    receiver.decide({});
    clock.advance(1s);
    test::step_through(runner);
    CHECK(state_of(store, runner, "bill") == "closed");
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::numbers(1, 10));
    std::map<std::string, Position> last;
    for (const auto& one : receiver.got()) {
        CHECK(last[one.stream] < one.position);
        last[one.stream] = one.position;
    }
}

TEST_CASE("failures that are not in a row do not open a breaker, nor do events that the target refuses",
          "[listeners][breaker]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a"}, 20);
    const test::Receiver receiver{[](const Event& event, const Delivery&) {
        if (event.position.value() % 2 == 0) throw Permanent{"refused"};
        if (event.position.value() % 4 == 1) throw std::runtime_error{"no answer"};
    }};
    Runner runner{store, test::with(clock)};
    auto options = guarded(2, after({0ms}, 1));
    runner.add(listener("bill", Query{}, receiver.function(), options));
    test::step_through(runner);
    CHECK(receiver.tried().size() == 20);
    CHECK(state_of(store, runner, "bill") == "closed");
}

TEST_CASE("a target that is down for a day costs no dead letter, and everything is delivered when it is back",
          "[listeners][breaker]") {
    const test::TemporaryFolder folder{test::memory()};
    auto store = EventStore::open((folder / "log.stele").string());
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b", "c"}, 5);
    test::Receiver receiver{down};
    const test::Receiver other;
    Runner runner{store, test::with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), guarded(3, after({1s, 2s}, 3))));
    runner.add(listener("other", Query{}, other.function()));
    for (int minute = 0; minute < 24 * 60; ++minute) {
        test::step_through(runner);
        if (minute % 100 == 0) test::seed_in_turns(store, {"a", "b", "c", "d"}, 1);
        clock.advance(1min);
    }
    const auto head = store.head().value();
    CHECK(receiver.got().empty());
    CHECK(receiver.tried().size() > 1'000);  // about one each time
    CHECK(dead_letters(store, {}).empty());
    CHECK(other.positions().size() == static_cast<std::size_t>(head));  // unaffected

    receiver.decide({});
    test::step_through(runner);
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::numbers(1, head));
}

TEST_CASE("listeners that name one target share its breaker", "[listeners][breaker]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b", "c"}, 1);
    test::Receiver first{down};
    test::Receiver second{down};
    const test::Receiver third;
    Runner runner{store, test::with(clock)};
    runner.add(listener("first", Query{}, first.function(), guarded(2, after({1s}, 10), "https://one.example")));
    runner.add(listener("second", Query{}, second.function(), guarded(2, after({1s}, 10), "https://one.example")));
    runner.add(listener("third", Query{}, third.function(), guarded(2, after({1s}, 10), "https://two.example")));
    test::step_through(runner);
    CHECK(first.tried().size() + second.tried().size() == 2);
    CHECK(third.got().size() == 3);
    clock.advance(30s);
    test::step_through(runner);
    CHECK(first.tried().size() + second.tried().size() == 3);  // one, for both
    first.decide({});
    second.decide({});
    clock.advance(30s);
    test::step_through(runner);
    test::step_through(runner);
    CHECK(first.got().size() == 3);
    CHECK(second.got().size() == 3);
}

TEST_CASE("an open breaker is open after a restart", "[listeners][breaker]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b", "c"}, 1);
    test::Receiver receiver{down};
    for (int run = 0; run < 2; ++run) {
        Runner runner{store, test::with(clock)};
        runner.add(listener("bill", Query{}, receiver.function(), guarded(2, after({0ms}, 10))));
        test::step_through(runner);
        CHECK(receiver.tried().size() == 2);
    }
}
