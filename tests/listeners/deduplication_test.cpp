// Of events with the same value, only the first within a window is delivered, and that one surely is.
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/steering.hpp>

using namespace stele;
using namespace std::chrono_literals;

namespace {

// A log whose time only the test moves.
struct Log {
    test::FakeClock clock;
    EventStore store = EventStore::temporary({.durability = Durability::relaxed, .clock = clock.clock()});

    void append(const std::string& value) {
        (void)store.append(test::order("a"), expect::any, {event("OrderPaid", {{"value", value}})});
    }
};

ListenerOptions once_in(std::chrono::milliseconds window) {
    return {.retry = test::after({0ms}, 5), .deduplicate_by = "$data(value)", .deduplicate_within = window};
}

void run(Log& log, const test::Receiver& receiver, const ListenerOptions& options = once_in(10s)) {
    Runner runner{log.store, test::with(log.clock)};
    runner.add(listener("once", Query{}, receiver.function(), options));
    test::step_through(runner);
}

}  // namespace

TEST_CASE("of events with the same value only the first within the window is delivered", "[listeners][dedup]") {
    Log log;
    log.append("x");  // 1
    log.append("y");  // 2
    log.append("x");  // 3: a repetition of 1
    log.clock.advance(9s);
    log.append("x");  // 4: as well
    log.clock.advance(1s);
    log.append("x");  // 5: the window is behind it
    log.append("x");  // 6: a repetition of 5
    const test::Receiver receiver;
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1, 2, 5});
    ListenerRegistry registry;
    registry.add(test::idle_listener("once"));
    CHECK(listener_status(log.store, registry, "once").counts.deduplicated == 3);
}

TEST_CASE("an event without a value is no repetition", "[listeners][dedup]") {
    Log log;
    test::seed(log.store, test::order("a"), {"OrderPaid", "OrderPaid"});
    const test::Receiver receiver;
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1, 2});
}

TEST_CASE("a repetition is known after a restart", "[listeners][dedup]") {
    Log log;
    const test::Receiver receiver;
    log.append("x");
    run(log, receiver);
    log.append("x");
    log.append("y");
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1, 3});
}

TEST_CASE("the first of some repetitions is tried again until it is delivered", "[listeners][dedup]") {
    Log log;
    log.append("x");
    log.append("x");
    const test::Receiver receiver{[](const Event&, const Delivery& delivery) {
        if (delivery.attempt() < 3) throw std::runtime_error{"no answer"};
    }};
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1});
}

TEST_CASE("events behind a rewind are no repetitions of what they were sent as before", "[listeners][dedup]") {
    Log log;
    for (const auto* value : {"x", "x", "y"}) log.append(value);
    log.clock.advance(10s);
    log.append("x");
    const test::Receiver receiver;
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1, 3, 4});
    ListenerRegistry registry;
    registry.add(test::idle_listener("once"));
    (void)rewind_listener(log.store, registry, "once", Position{}, false);
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1, 3, 4, 1, 3, 4});
}

// Event 1 was under way, and 2 was delivered since, with the same value and behind 1's window: 2 is what stands in
// control.db. That must not make 1 a repetition of what came later (D1).
TEST_CASE("an event that was under way at a crash is no repetition of a later one", "[listeners][dedup][D1]") {
    Log log;
    log.append("x");
    log.clock.advance(11s);
    log.append("x");
    test::KeptRows rows{log.store};
    rows.place("once", {.read_to = 2, .under_way = {Position{1}}});
    rows.control().write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement claim{db, "INSERT INTO deduplicated VALUES ('once', 'x', ?1, 2)"};
        claim.bind(1, to_micros(log.clock.now() + 10s));
        claim.run();
    });
    const test::Receiver receiver;
    run(log, receiver);
    CHECK(receiver.positions() == test::Numbers{1});
}

// The log's time is years behind the time of day; many values have passed between an event and its repetition, so
// that windows that are over were swept away.
TEST_CASE("a listener that catches up with an old log knows repetitions by the time of the log",
          "[listeners][dedup]") {
    Log log;
    std::vector<NewEvent> events;
    for (int i = 0; i < 2'100; ++i) events.push_back(event("OrderPaid", {{"value", std::to_string(i)}}));
    log.append("first");
    for (std::size_t i = 0; i < events.size(); i += 700)
        (void)log.store.append(test::order("b"), expect::any, std::span{events}.subspan(i, 700));
    log.append("first");
    const test::Receiver receiver;
    for (int i = 0; i < 4; ++i) run(log, receiver, once_in(1h));
    CHECK(receiver.got().size() == 2'101);
}
