// Named queues: workers that some listeners share and others do not, their rate, and what goes first.
#include "gate.hpp"
#include "listening.hpp"

using namespace stele;
using namespace std::chrono_literals;

namespace {

QueueOptions queue(const std::string& name, int workers, double rate = 0) {
    QueueOptions options;
    options.name = name;
    options.workers = workers;
    options.rate = rate;
    return options;
}

}  // namespace

TEST_CASE("a queue whose handlers hang takes no worker from another", "[listeners][queue]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c", "d"}, 3);
    const test::Gate gate;
    const test::Receiver slow{[gate](const Event&, const Delivery&) { gate.pass(); }};
    const test::Receiver fast;
    RunnerOptions options;
    options.queues = {queue("slow", 2), queue("fast", 2)};
    Runner runner{store, options};
    runner.add(listener("slow", Query{}, slow.function(), {.queue = "slow"}));
    runner.add(listener("fast", Query{}, fast.function(), {.queue = "fast"}));
    runner.start();
    REQUIRE(gate.await_waiting(2));
    CHECK(runner.wait_for_listener("fast", store.head(), 10s) == WaitResult::reached);
    CHECK(fast.got().size() == 12);
    CHECK(slow.tried().size() == 2);  // as many as it has workers
    CHECK(runner.queue_depths().at("slow") == 2);
    gate.open();
    CHECK(runner.wait_for_listener("slow", store.head(), 10s) == WaitResult::reached);
    CHECK(slow.got().size() == 12);
}

TEST_CASE("workers of one listener deliver its keys at the same time, and those of a key one after another",
          "[listeners][queue]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c", "d"}, 3);
    const test::Gate gate;
    const test::Receiver receiver{[gate](const Event&, const Delivery&) { gate.pass(); }};
    RunnerOptions options;
    options.queues = {queue("default", 10)};
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, receiver.function()));
    runner.start();
    REQUIRE(gate.await_waiting(4));
    CHECK(receiver.tried().size() == 4);
    gate.open();
    REQUIRE(runner.wait_for_listener("bill", store.head(), 10s) == WaitResult::reached);
    std::map<std::string, Position> last;
    for (const auto& one : receiver.got()) {
        CHECK(last[one.stream] < one.position);
        last[one.stream] = one.position;
    }
}

TEST_CASE("listeners that name no queue hold each other up in nothing", "[listeners][queue]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c", "d", "e", "f", "g", "h"}, 1);
    const test::Gate gate;
    const test::Receiver hanging{[gate](const Event&, const Delivery&) { gate.pass(); }};
    const test::Receiver quick;
    Runner runner{store};
    runner.add(listener("hanging", Query{}, hanging.function()));
    runner.add(listener("quick", Query{}, quick.function()));
    runner.start();
    REQUIRE(gate.await_waiting(4));  // all of its workers
    CHECK(runner.wait_for_listener("quick", store.head(), 10s) == WaitResult::reached);
    CHECK(quick.got().size() == 8);
    gate.open();
}

TEST_CASE("of what is ready in a queue the listener with the highest priority goes first", "[listeners][queue]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c"}, 1);
    std::vector<std::string> order;
    const auto noting = [&](const Event&, const Delivery& delivery) { order.push_back(delivery.listener()); };
    RunnerOptions options;
    options.queues = {queue("default", 1)};
    Runner runner{store, options};
    runner.add(listener("casual", Query{}, noting));
    runner.add(listener("urgent", Query{}, noting, {.priority = 5}));
    test::step_through(runner);  // by name, "casual" is ready first
    CHECK(order == std::vector<std::string>{"urgent", "urgent", "urgent", "casual", "casual", "casual"});
}

TEST_CASE("a queue begins no more deliveries a second than it may", "[listeners][queue]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c", "d"}, 5);
    std::mutex mutex;
    std::vector<std::chrono::steady_clock::time_point> begun;
    RunnerOptions options;
    options.queues = {queue("default", 4, 100)};
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, [&](const Event&, const Delivery&) {
        const std::lock_guard lock{mutex};
        begun.push_back(std::chrono::steady_clock::now());
    }));
    const auto start = std::chrono::steady_clock::now();
    runner.start();
    REQUIRE(runner.wait_for_listener("bill", store.head(), 10s) == WaitResult::reached);
    runner.stop();
    REQUIRE(begun.size() == 20);
    std::sort(begun.begin(), begun.end());
    for (std::size_t i = 0; i < begun.size(); ++i) CHECK(begun[i] - start >= i * 10ms);
}

TEST_CASE("a queue whose rate is next to nothing begins one delivery and waits, and stops at once all the same",
          "[listeners][queue]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c"}, 1);
    const test::Receiver receiver;
    RunnerOptions options;
    options.queues = {queue("default", 1, 1e-300)};
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, receiver.function()));
    runner.start();
    REQUIRE(runner.wait_for_listener("bill", Position{1}, 10s) == WaitResult::reached);
    CHECK(runner.wait_for_listener("bill", Position{2}, 100ms) == WaitResult::timed_out);
    runner.stop();
    CHECK(receiver.got().size() == 1);
}

TEST_CASE("queues that no runner could have are refused", "[listeners][queue]") {
    auto store = EventStore::temporary();
    const auto begins_with = [&](std::vector<QueueOptions> queues) {
        RunnerOptions options;
        options.queues = std::move(queues);
        Runner runner{store, options};
        runner.add(listener("bill", Query{}, [](const Event&, const Delivery&) {}));
        (void)runner.step();
    };
    CHECK_THROWS_AS(begins_with({queue("a", 0)}), InvalidInput);
    CHECK_THROWS_AS(begins_with({queue("a", 1, -1)}), InvalidInput);
    CHECK_THROWS_AS(begins_with({queue("a", 1), queue("a", 1)}), InvalidInput);
    CHECK_NOTHROW(begins_with({queue("a", 1), queue("b", 1'000)}));
}
