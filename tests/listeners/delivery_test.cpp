// What is delivered, how often and in what order (D1, D2).
#include "listening.hpp"

using namespace stele;
using namespace std::chrono_literals;
using test::after;
using test::failing_at;
using test::with;

TEST_CASE("every selected event is delivered once in the order of the log, and nothing twice after a restart",
          "[listener]") {
    auto store = EventStore::temporary();
    test::seed(store, test::order("a"), {"OrderPlaced", "OrderPaid", "OrderPlaced", "OrderPaid"});
    const test::Receiver receiver;
    for (int run = 0; run < 2; ++run) {
        Runner runner{store};
        runner.add(listener("bill", matching(types("OrderPaid")), receiver.function()));
        test::step_through(runner);
    }
    CHECK(receiver.positions() == test::Numbers{2, 4});

    test::seed(store, test::order("a"), {"OrderPaid"});
    Runner runner{store};
    runner.add(listener("bill", matching(types("OrderPaid")), receiver.function()));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 4, 5});
}

TEST_CASE("what a handler appends by itself names the event as its cause", "[listener][causation]") {
    auto store = EventStore::temporary();
    test::seed(store, test::order("a"), {"OrderPaid"});
    Runner runner{store};
    runner.add(listener("bill", matching(types("OrderPaid")), [&](const Event&, const Delivery&) {
        store.append(StreamId{"Bill", "a"}, expect::any, {event("BillSent")});
    }));
    test::step_through(runner);
    store.append(StreamId{"Bill", "a"}, expect::any, {event("BillPaid")});
    const auto cause = store.at(Position{1})->id.to_string();
    CHECK(store.at(Position{2})->metadata.value() ==
          nlohmann::json{{"causation_id", cause}, {"correlation_id", cause}});
    CHECK(store.at(Position{3})->metadata.text() == "{}");
}

TEST_CASE("a runner on threads delivers what is appended while it runs", "[listener]") {
    auto store = EventStore::temporary();
    const test::Receiver receiver;
    Runner runner{store};
    runner.add(listener("all", Query{}, receiver.function()));
    runner.start();
    for (int i = 0; i < 100; ++i) test::seed(store, test::order(std::to_string(i % 7)), {"OrderPaid"});
    REQUIRE(runner.wait_for_listener("all", Position{100}, 10s) == WaitResult::reached);
    CHECK(receiver.got().size() == 100);
    std::map<std::string, Position> last;
    for (const auto& one : receiver.got()) {
        CHECK(last[one.stream] < one.position);  // in stream order (D1)
        last[one.stream] = one.position;
    }
}

TEST_CASE("a failed delivery parks its stream: later events of it wait in order, other streams go on",
          "[listener]") {
    auto store = EventStore::temporary();
    const test::FakeClock clock_of_test;
    auto clock = clock_of_test;
    test::seed_in_turns(store, {"a", "b"}, 3);  // a: 1 3 5, b: 2 4 6
    test::Receiver receiver{failing_at({Position{1}})};
    Runner runner{store, with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = after({30s, 60s}, 5)}));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 4, 6});

    clock.advance(29s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 4);
    clock.advance(1s);
    test::step_through(runner);  // the second attempt, 30 s behind the first
    CHECK(receiver.tried().size() == 5);
    receiver.decide({});
    clock.advance(59s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 5);
    test::seed(store, test::order("a"), {"OrderPaid"});  // 7: behind those that wait
    clock.advance(1s);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 4, 6, 1, 3, 5, 7});
    CHECK(receiver.got()[3].attempt == 3);
}

TEST_CASE("the time of a retry, and what waits behind it, survive a restart", "[listener]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b"}, 2);
    test::Receiver receiver{failing_at({Position{1}})};
    const auto make = [&] {
        auto runner = std::make_unique<Runner>(store, with(clock));
        runner->add(listener("bill", Query{}, receiver.function(), {.retry = after({30s}, 5)}));
        return runner;
    };
    test::step_through(*make());
    CHECK(receiver.positions() == test::Numbers{2, 4});
    receiver.decide({});
    test::step_through(*make());
    CHECK(receiver.positions() == test::Numbers{2, 4});
    clock.advance(30s);
    test::step_through(*make());
    CHECK(receiver.positions() == test::Numbers{2, 4, 1, 3});
}
