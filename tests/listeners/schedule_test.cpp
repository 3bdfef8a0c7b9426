// When a failed delivery is tried again (D2), and in what order what is due goes.
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/steering.hpp>
#include <stele/test/random.hpp>

using namespace stele;
using namespace std::chrono_literals;
using test::after;
using test::failing_at;

TEST_CASE("waits grow by their factor up to the longest, and jitter stays within its share", "[listeners][retry]") {
    test::Random random;
    CAPTURE(random.seed());
    RetryPolicy retry;
    retry.first = 1s;
    retry.factor = 2;
    retry.longest = 60s;
    retry.jitter = 0.2;
    double even = 1'000;
    for (int failure = 1; failure <= 1'000; ++failure) {
        CAPTURE(failure);
        const auto share = static_cast<double>(random.below(1'001)) / 1'000;
        const auto wait = retry.wait_behind(failure, share);
        CHECK(wait <= 60s);
        CHECK(static_cast<double>(wait.count()) >= even * 0.8 - 1);
        CHECK(static_cast<double>(wait.count()) <= even * 1.2 + 1);
        CHECK(retry.wait_behind(failure, 0) <= wait);
        CHECK(wait <= retry.wait_behind(failure, 1));
        even = std::min(even * 2, 60'000.0);
    }
    retry.delays = {5s, 10s};
    retry.jitter = 0;
    CHECK(retry.wait_behind(1, 0.5) == 5s);
    CHECK(retry.wait_behind(2, 0.5) == 10s);
    CHECK(retry.wait_behind(9, 0.5) == 10s);
}

TEST_CASE("waits that begin with none stay none, and others end at the longest, however steep they grow",
          "[listeners][retry]") {
    RetryPolicy retry;
    retry.factor = 1e300;
    retry.longest = 60s;
    for (const int failure : {1, 2, 3, 1'000}) {
        CAPTURE(failure);
        retry.first = 0ms;
        CHECK(retry.wait_behind(failure, 1) == 0ms);
        retry.first = 1ms;
        CHECK(retry.wait_behind(failure, 0.5) == (failure == 1 ? 1ms : 60s));
    }
}

TEST_CASE("a target may ask for a longer wait, but not for a shorter one, nor for ever", "[listeners][retry]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed(store, test::order("a"), {"OrderPaid"});
    std::chrono::milliseconds asked = 90s;
    const test::Receiver receiver{[&](const Event&, const Delivery& delivery) {
        delivery.retry_after(asked);
        throw DeliveryFailed{"http_429", "too many"};
    }};
    Runner runner{store, test::with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = after({30s}, 10)}));
    test::step_through(runner);
    clock.advance(89s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 1);
    asked = 1s;
    clock.advance(1s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 2);
    clock.advance(29s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 2);
    asked = std::chrono::milliseconds::max();
    clock.advance(1s);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 3);
    clock.advance(24h * 365);
    test::step_through(runner);
    CHECK(receiver.tried().size() == 4);
}

TEST_CASE("by default a failed delivery is tried again, and nothing is passed over (trap 10)",
          "[listeners][retry][trap-10]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b"}, 2);
    const test::Receiver receiver{failing_at({Position{1}})};
    Runner runner{store, test::with(clock)};
    runner.add(listener("bill", Query{}, receiver.function()));
    for (int attempt = 1; attempt <= 10; ++attempt) {
        CAPTURE(attempt);
        CHECK(dead_letters(store, {}).empty());
        test::step_through(runner);
        CHECK(receiver.positions() == (attempt < 10 ? test::Numbers{2, 4} : test::Numbers{2, 4, 3}));
        clock.advance(24h);
    }
    REQUIRE(dead_letters(store, {}).size() == 1);  // after ten attempts it is kept, for somebody to look at
    CHECK(dead_letters(store, {})[0].position == Position{1});
    CHECK(dead_letters(store, {})[0].attempts == 10);
}

TEST_CASE("order is by stream, by a field, of all or of none, as asked for", "[listeners][order]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    const auto append = [&](const std::string& id, const std::string& customer) {
        (void)store.append(test::order(id), expect::any, {event("OrderPaid", {{"customer", customer}})});
    };
    append("1", "x");  // 1 fails
    append("2", "x");  // 2
    append("1", "y");  // 3
    append("3", "y");  // 4
    const test::Receiver receiver{failing_at({Position{1}})};
    const auto delivered = [&](OrderBy::Kind kind, const std::string& by) {
        Runner runner{store, test::with(clock)};
        runner.add(listener("bill", Query{}, receiver.function(),
                            {.order = kind, .order_by = by, .retry = after({1h}, 2)}));
        test::step_through(runner);
        return receiver.positions();
    };
    SECTION("stream") { CHECK(delivered(OrderBy::Kind::stream, "") == test::Numbers{2, 4}); }
    SECTION("field") { CHECK(delivered(OrderBy::Kind::expression, "$data(customer)") == test::Numbers{3, 4}); }
    SECTION("global") { CHECK(delivered(OrderBy::Kind::global, "").empty()); }
    SECTION("none") { CHECK(delivered(OrderBy::Kind::none, "") == test::Numbers{2, 3, 4}); }
}

TEST_CASE("an event that the SQL of a listener fails for is a dead letter of cause selection",
          "[listeners][selection]") {
    auto store = EventStore::temporary();
    for (const auto* text : {"[1]", "[", "[2]"})
        (void)store.append(test::order("a"), expect::any, {event("OrderPaid", {{"list", text}})});
    const test::Receiver receiver;
    const std::string malformed = "json_array_length($data(list)) = 1";
    SECTION("queued") {
        Runner runner{store};
        runner.add(listener("bill", Query{}, receiver.function(), {.where = malformed}));
        test::step_through(runner);
        CHECK(receiver.positions() == test::Numbers{1, 3});
        REQUIRE(dead_letters(store, {}).size() == 1);
        CHECK(dead_letters(store, {})[0].position == Position{2});
        CHECK(dead_letters(store, {})[0].cause == "selection");
        // Whether it is wanted is asked again when it is retried: nothing is sent that nobody has selected.
        CHECK(retry_dead_letters(store, {}, false).size() == 1);
        test::step_through(runner);
        CHECK(receiver.positions() == test::Numbers{1, 3});
        REQUIRE(dead_letters(store, {}).size() == 1);
        CHECK(dead_letters(store, {})[0].attempts == 2);
    }
    SECTION("sync") {
        Runner runner{store};
        runner.add(
            listener("bill", Query{}, receiver.function(), {.where = malformed, .mode = ListenerMode::sync}));
        test::step_through(runner);
        (void)store.append(test::order("a"), expect::any, {event("OrderPaid", {{"list", "["}})});
        REQUIRE(dead_letters(store, {}).size() == 1);
        CHECK(dead_letters(store, {})[0].cause == "selection");
    }
}

// Retries of several dead letters of one key go in the order of the log, also where the first one fails again.
TEST_CASE("dead letters of a key that are tried again keep their order", "[listeners][dead]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(now() - clock.now()) + 1h);
    test::seed_in_turns(store, {"a"}, 3);
    test::Receiver receiver{[](const Event&, const Delivery&) { throw Permanent{"refused"}; }};
    Runner runner{store, test::with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = after({1s}, 5)}));
    test::step_through(runner);
    CHECK(dead_letters(store, {}).size() == 3);

    receiver.decide(failing_at({Position{1}}));
    CHECK(retry_dead_letters(store, {}, false).size() == 3);
    test::step_through(runner);
    CHECK(receiver.positions().empty());
    receiver.decide({});
    clock.advance(1s);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 2, 3});
    CHECK(dead_letters(store, {}).empty());
}

TEST_CASE("an event behind a held key whose letter was discarded does not wait for it", "[listeners][dead]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed(store, test::order("a"), {"OrderPaid"});
    test::Receiver receiver{failing_at({Position{1}})};
    Runner runner{store, test::with(clock)};
    runner.add(
        listener("bill", Query{}, receiver.function(), {.retry = after({}, 1), .after_last = AfterLast::hold_key}));
    test::step_through(runner);
    CHECK(discard_dead_letters(store, {}, false).size() == 1);
    test::seed(store, test::order("a"), {"OrderPaid", "OrderPaid"});
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 3});
}

TEST_CASE("two keys at which a listener stops are both tried again when it is resumed", "[listeners][stop]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(now() - clock.now()) + 1h);
    test::seed_in_turns(store, {"a", "b", "c"}, 2);
    test::Receiver receiver{failing_at({Position{1}, Position{2}})};
    Runner runner{store, test::with(clock)};
    runner.add(
        listener("bill", Query{}, receiver.function(), {.retry = after({}, 1), .after_last = AfterLast::stop}));
    test::step_through(runner);
    CHECK(listener_status(store, runner.listeners(), "bill").state == "failed");
    receiver.decide({});
    for (int tries = 0; tries < 2; ++tries) {
        resume_listener(store, runner.listeners(), "bill");
        test::step_through(runner);
    }
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::numbers(1, 6));
}

TEST_CASE("a listener stops when it has as many dead letters as it may, and goes on when it is resumed",
          "[listeners][stop]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c", "d"}, 1);
    test::Receiver receiver{[](const Event&, const Delivery&) { throw Permanent{"refused"}; }};
    Runner runner{store};
    runner.add(
        listener("bill", Query{}, receiver.function(), {.order = OrderBy::Kind::global, .stop_after_dead = 2}));
    test::step_through(runner);
    const auto status = listener_status(store, runner.listeners(), "bill");
    CHECK(status.state == "failed");
    CHECK(status.dead >= 2);
    CHECK(status.error.find("dead letters") != std::string::npos);
    const auto tried = receiver.tried().size();
    test::seed_in_turns(store, {"e"}, 3);
    test::step_through(runner);
    CHECK(receiver.tried().size() == tried);

    receiver.decide({});
    CHECK(discard_dead_letters(store, {}, false).size() == static_cast<std::size_t>(status.dead));
    resume_listener(store, runner.listeners(), "bill");
    test::step_through(runner);
    CHECK(receiver.got().size() + static_cast<std::size_t>(status.dead) == 7);
}

// Goal:   what is parked stays in control.db, also of more keys than are known by heart; and it costs no event its
//         order.
// Method: 100,100 keys fail; each then gets a second event; then all are delivered.
TEST_CASE("more parked keys than are known by heart cost memory for none, and each keeps its order",
          "[listeners][parked]") {
    constexpr int keys = 100'100;
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::FakeClock clock;
    const auto append = [&](int from, int to) {
        for (int i = from; i < to;) {
            std::vector<NewEvent> events;
            for (const int end = std::min(to, i + 1'000); i < end; ++i)
                events.push_back(event("OrderPaid", {{"key", i}}));
            (void)store.append(test::order("all"), expect::any, events);
        }
    };
    append(0, keys);
    std::atomic<bool> is_down{true};
    std::atomic<int> delivered{0};
    std::vector<std::atomic<std::int64_t>> last(keys);
    std::atomic<int> out_of_order{0};
    Runner runner{store, test::with(clock)};
    runner.add(listener("bill", Query{},
                        [&](const Event& event, const Delivery&) {
                            if (is_down) throw std::runtime_error{"no answer"};
                            const auto key = static_cast<std::size_t>((event.position.value() - 1) % keys);
                            if (last[key].exchange(event.position.value()) >= event.position.value())
                                ++out_of_order;
                            ++delivered;
                        },
                        {.order = OrderBy::Kind::expression, .order_by = "$data(key)", .retry = after({1h}, 5)}));
    test::step_through(runner);
    append(0, 500);
    test::step_through(runner);
    const auto status = listener_status(store, runner.listeners(), "bill");
    CHECK(status.parked == keys + 500);
    CHECK(status.parked_keys == keys);
    CHECK(status.under_way == 0);
    CHECK(status.position == store.head());

    is_down = false;
    clock.advance(1h);
    test::step_through(runner);
    CHECK(delivered == keys + 500);
    CHECK(out_of_order == 0);
    CHECK(listener_status(store, runner.listeners(), "bill").parked == 0);
}
