// What happens behind the last attempt (D3).
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/steering.hpp>

using namespace stele;
using namespace std::chrono_literals;
using test::after;
using test::failing_at;
using test::with;

TEST_CASE("after the last attempt an event is a dead letter that shows every attempt's error, and its key is free",
          "[listener][trap-32]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a"}, 2);
    int number = 0;
    test::Receiver receiver{[&](const Event& event, const Delivery& delivery) {
        if (event.position != Position{1}) return;
        CHECK(delivery.is_last_attempt() == (delivery.attempt() == 3));
        throw std::runtime_error{"answer " + std::to_string(++number)};
    }};
    Runner runner{store, with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = after({1s}, 3)}));
    for (int i = 0; i < 4; ++i) {
        test::step_through(runner);
        clock.advance(1s);
    }
    CHECK(receiver.positions() == test::Numbers{2});
    const auto dead = dead_letters(store, {});
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].position == Position{1});
    CHECK(dead[0].attempts == 3);
    CHECK(dead[0].error == "answer 3");
    const auto attempts = attempts_of(store, dead[0].id);
    REQUIRE(attempts.size() == 3);
    CHECK(attempts[0].error == "answer 1");
    CHECK(attempts[1].error == "answer 2");
    CHECK(attempts[1].at - attempts[0].at == 1s);
}

TEST_CASE("a permanent error is not retried", "[listener]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 2);
    test::Receiver receiver{[](const Event& event, const Delivery&) {
        if (event.position == Position{1}) throw Permanent{"no such customer"};
    }};
    Runner runner{store};
    runner.add(listener("bill", Query{}, receiver.function()));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2});
    REQUIRE(dead_letters(store, {}).size() == 1);
    CHECK(dead_letters(store, {})[0].attempts == 1);
    CHECK(dead_letters(store, {})[0].cause == "permanent");
}

TEST_CASE("a listener may hold the key of a dead letter until an operator has dealt with it", "[listener]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b"}, 2);
    test::Receiver receiver{failing_at({Position{1}})};
    Runner runner{store};
    runner.add(
        listener("bill", Query{}, receiver.function(), {.retry = after({}, 1), .after_last = AfterLast::hold_key}));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 4});
    CHECK(dead_letters(store, {}).size() == 1);

    SECTION("a retry that succeeds frees it") {
        receiver.decide({});
        CHECK(retry_dead_letters(store, {}, false).size() == 1);
        test::step_through(runner);
        CHECK(receiver.positions() == test::Numbers{2, 4, 1, 3});
        CHECK(dead_letters(store, {}).empty());
    }
    SECTION("discarding it frees it") {
        CHECK(discard_dead_letters(store, {}, false).size() == 1);
        test::step_through(runner);
        CHECK(receiver.positions() == test::Numbers{2, 4, 3});
    }
}

TEST_CASE("a listener may stop at its dead letter", "[listener]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b"}, 2);
    test::Receiver receiver{failing_at({Position{1}})};
    RunnerOptions options;
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, receiver.function(),
                        {.order = OrderBy::Kind::global, .retry = after({}, 1), .after_last = AfterLast::stop}));
    test::step_through(runner);
    CHECK(receiver.positions().empty());
    CHECK(dead_letters(store, {}).empty());
    const auto status = listener_status(store, runner.listeners(), "bill");
    CHECK(status.state == "failed");
    CHECK(status.failed_position == Position{1});
    CHECK(status.error.find("no answer") != std::string::npos);

    receiver.decide({});
    resume_listener(store, runner.listeners(), "bill");
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 2, 3, 4});
}
