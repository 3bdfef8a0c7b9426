// What an operator does to listeners, and asks of them.
#include "kept_rows.hpp"
#include "listening.hpp"

#include "listeners/delivery_key.hpp"

#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/listeners/steering.hpp>

#include <filesystem>

namespace stele {
namespace {

using namespace std::chrono_literals;
using test::idle_listener;
using test::KeptRows;

ListenerRegistry only(const std::shared_ptr<const Listener>& listener) {
    ListenerRegistry registry;
    registry.add(listener);
    return registry;
}

// A, B, A, B, A, B on two streams.
EventStore six_events() {
    auto store = EventStore::temporary();
    for (int i = 0; i < 3; ++i) {
        test::seed(store, StreamId{"S", "1"}, {"A"});
        test::seed(store, StreamId{"S", "2"}, {"B"});
    }
    return store;
}

std::string state_of(const EventStore& store, const ListenerRegistry& registry) {
    return listener_status(store, registry, "mail").state;
}

TEST_CASE("a listener is paused and resumed, again and again", "[listeners][steering]") {
    auto store = six_events();
    const auto registry = only(idle_listener("mail"));
    KeptRows rows{store};
    rows.place("mail", {.position = 3, .read_to = 3});
    for (int i = 0; i < 2; ++i) {
        pause_listener(store, registry, "mail");
        CHECK(state_of(store, registry) == "paused");
        const auto since = listener_status(store, registry, "mail").since;
        pause_listener(store, registry, "mail");
        CHECK(listener_status(store, registry, "mail").since == since);
        resume_listener(store, registry, "mail");
        resume_listener(store, registry, "mail");
        CHECK(state_of(store, registry) == "live");
    }
    CHECK(listener_status(store, registry, "mail").position == Position{3});
    CHECK_THROWS_AS(pause_listener(store, registry, "mial"), NotFound);
    CHECK_THROWS_AS(resume_listener(store, registry, "mial"), NotFound);

    rows.place("gone", {});
    pause_listener(store, registry, "gone");
    CHECK(rows.number("SELECT count(*) FROM listeners WHERE state = 'paused'") == 1);
}

TEST_CASE("a listener that was never run is paused before its first event", "[listeners][steering]") {
    auto store = six_events();
    const auto registry = only(idle_listener("mail", {}, {.start = {.kind = StartAt::Kind::now}}));
    resume_listener(store, registry, "mail");
    CHECK_FALSE(std::filesystem::exists(folder_of(store) / "control.db"));
    CHECK(state_of(store, registry) == "new");

    pause_listener(store, registry, "mail");
    test::seed(store, StreamId{"S", "1"}, {"A"});
    const auto paused = listener_status(store, registry, "mail");
    CHECK(paused.state == "paused");
    CHECK(paused.position == Position{6});
    CHECK(paused.lag_events == 1);
    resume_listener(store, registry, "mail");
    CHECK(state_of(store, registry) == "live");
    CHECK(listener_status(store, registry, "mail").position == Position{6});
}

TEST_CASE("a failed listener that is resumed has its event tried again, with all attempts",
          "[listeners][steering]") {
    auto store = six_events();
    const auto registry = only(idle_listener("mail"));
    KeptRows rows{store};
    rows.place("mail", {.state = "failed", .position = 3, .read_to = 3, .failed_position = 2, .error = "no"});
    rows.park("mail", 2, {.key = "S/2", .held = true, .attempts = 10});
    rows.park("mail", 4, {.key = "S/2", .attempts = 0});

    // Pausing it does not make its event be forgotten.
    pause_listener(store, registry, "mail");
    CHECK(listener_status(store, registry, "mail").failed_position == Position{2});
    const auto before = now();
    resume_listener(store, registry, "mail");

    const auto status = listener_status(store, registry, "mail");
    CHECK(status.state == "live");
    CHECK(status.error.empty());
    CHECK_FALSE(status.failed_position);
    const auto parked = rows.parked("mail", 2);
    REQUIRE(parked);
    CHECK(parked->attempts == 0);
    CHECK_FALSE(parked->held);
    REQUIRE(parked->due);
    CHECK(*parked->due >= before);
    CHECK_FALSE(rows.parked("mail", 4)->due);
}

TEST_CASE("a rewind takes back the place and all that is kept of events behind it", "[listeners][steering]") {
    auto store = six_events();
    const auto registry = only(idle_listener("mail", matching(types("A"))));
    KeptRows rows{store};
    rows.place("mail", {.start = 3, .position = 4, .read_to = 6, .under_way = {Position{5}}});
    rows.place("audit", {.position = 6, .read_to = 6});
    rows.park("mail", 1, {.due = now() + 1h});
    rows.park("mail", 3, {.due = now() + 1h});
    rows.fail("mail", 1, "timeout", "kept");
    rows.fail("mail", 3, "timeout", "goes");
    rows.die("mail", *store.at(Position{4}));
    rows.die("audit", *store.at(Position{4}));
    rows.control().write(ControlDb::Sync::none, [](sqlite3* db) {
        sql::execute(db, "INSERT INTO deduplicated VALUES ('mail', 'x', 9, 1), ('mail', 'y', 9, 3)");
    });

    const auto planned = rewind_listener(store, registry, "mail", Position{2}, true);
    CHECK(planned.from == Position{4});
    CHECK(planned.to == Position{2});
    CHECK(planned.events == 2);
    CHECK(planned.parked == 1);
    CHECK(planned.dead == 1);
    REQUIRE(planned.first.size() == 2);
    CHECK(planned.first[0].position == Position{3});
    CHECK(planned.first[1].position == Position{5});
    CHECK(listener_status(store, registry, "mail").position == Position{4});
    CHECK(rows.number("SELECT epoch FROM listeners WHERE name = 'mail'") == 0);

    const auto rewound = rewind_listener(store, registry, "mail", Position{2}, false);
    CHECK(rewound.from == planned.from);
    CHECK(rewound.events == planned.events);
    CHECK(rewound.parked == planned.parked);
    CHECK(rewound.dead == planned.dead);
    const auto status = listener_status(store, registry, "mail");
    CHECK(status.position == Position{2});
    CHECK(status.read_to == Position{2});
    CHECK(status.under_way == 0);
    CHECK(rows.number("SELECT epoch FROM listeners WHERE name = 'mail'") == 1);
    CHECK(rows.number("SELECT start FROM listeners WHERE name = 'mail'") == 2);
    CHECK(rows.parked("mail", 1));
    CHECK_FALSE(rows.parked("mail", 3));
    CHECK(rows.number("SELECT count(*) FROM attempts WHERE listener = 'mail'") == 1);
    CHECK(rows.number("SELECT count(*) FROM dead_letters WHERE listener = 'mail'") == 0);
    CHECK(rows.number("SELECT count(*) FROM dead_letters WHERE listener = 'audit'") == 1);
    CHECK(rows.number("SELECT position FROM deduplicated") == 1);
    CHECK(rows.number("SELECT count(*) FROM deduplicated") == 1);
}

TEST_CASE("a rewind that would skip events, or has nothing to rewind, is refused", "[listeners][steering]") {
    auto store = six_events();
    ListenerRegistry registry;
    registry.add(idle_listener("mail"));
    registry.add(idle_listener("counter", {}, {.mode = ListenerMode::sync}));
    CHECK_THROWS_AS(rewind_listener(store, registry, "mail", Position{0}, false), NotFound);
    KeptRows rows{store};
    CHECK_THROWS_AS(rewind_listener(store, registry, "mail", Position{0}, true), NotFound);
    rows.place("mail", {.position = 4, .read_to = 6, .under_way = {Position{5}}});
    CHECK_THROWS_AS(rewind_listener(store, registry, "mail", Position{5}, true), InvalidInput);
    CHECK_THROWS_AS(rewind_listener(store, registry, "mail", Position{5}, false), InvalidInput);
    CHECK(listener_status(store, registry, "mail").position == Position{4});
    CHECK_THROWS_AS(rewind_listener(store, registry, "counter", Position{0}, false), InvalidInput);
    CHECK_THROWS_AS(pause_listener(store, registry, "counter"), InvalidInput);
    CHECK_THROWS_AS(rewind_listener(store, registry, "gone", Position{0}, false), NotFound);
}

// ---- With a runner that delivers

TEST_CASE("a runner delivers nothing while its listener is paused, and all of it afterwards",
          "[listeners][steering]") {
    auto store = six_events();
    const test::Receiver receiver;
    Runner runner{store};
    runner.add(listener("mail", {}, receiver.function()));
    pause_listener(store, runner.listeners(), "mail");
    test::step_through(runner);
    CHECK(receiver.got().empty());
    resume_listener(store, runner.listeners(), "mail");
    test::step_through(runner);
    CHECK(receiver.positions().size() == 6);
    CHECK(state_of(store, runner.listeners()) == "live");
}

TEST_CASE("events behind a rewind are sent again with the same keys, and a dry run sends nothing",
          "[listeners][steering]") {
    auto store = six_events();
    const test::Receiver receiver;
    Runner runner{store};
    runner.add(listener("mail", matching(types("A")), receiver.function()));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 3, 5});

    CHECK(rewind_listener(store, runner.listeners(), "mail", Position{2}, true).events == 2);
    test::step_through(runner);
    CHECK(receiver.got().size() == 3);
    CHECK(rewind_listener(store, runner.listeners(), "mail", Position{2}, false).events == 2);
    test::step_through(runner);
    REQUIRE(receiver.positions() == test::Numbers{1, 3, 5, 3, 5});
    CHECK(receiver.got()[3].key == receiver.got()[1].key);
    CHECK(listener_status(store, runner.listeners(), "mail").position == Position{6});
}

TEST_CASE("a listener that stopped at an event goes on with it when it is resumed", "[listeners][steering]") {
    auto store = six_events();
    test::Receiver receiver{test::failing_at({Position{2}})};
    Runner runner{store};
    runner.add(
        listener("mail", {}, receiver.function(), {.retry = test::after({}, 1), .after_last = AfterLast::stop}));
    test::step_through(runner);
    const auto failed = listener_status(store, runner.listeners(), "mail");
    CHECK(failed.state == "failed");
    CHECK(failed.failed_position == Position{2});
    CHECK(what_ails(failed, {}, now()).size() == 1);

    receiver.decide({});
    resume_listener(store, runner.listeners(), "mail");
    test::step_through(runner);
    CHECK(state_of(store, runner.listeners()) == "live");
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::numbers(1, 6));
}

TEST_CASE("a listener that appends is not rewound: its effects are in the log", "[listeners][steering]") {
    auto store = six_events();
    const auto audit =
        appending_listener("mail", matching(types("A")), [](const Event& cause, const Delivery&, Append& append) {
            append.to(StreamId{"Audit", "1"}, expect::any, {event("Noted", {{"of", cause.position.value()}})});
        });
    Runner runner{store};
    runner.add(audit);
    test::step_through(runner);
    REQUIRE(store.head() == Position{9});
    CHECK_THROWS_AS(rewind_listener(store, runner.listeners(), "mail", Position{0}, false), InvalidInput);
    CHECK(listener_status(store, runner.listeners(), "mail").position >= Position{5});
    CHECK(explain_event(store, runner.listeners(), *store.at(Position{5}))[0].fate == "delivered");
}

// ---- Explanations

TEST_CASE("an explanation says who selects an event, and why others do not", "[listeners][explain]") {
    auto store = EventStore::temporary();
    store.append(StreamId{"S", "1"}, expect::any, {event("A", {{"size", 5}})});
    ListenerRegistry registry;
    registry.add(idle_listener("all"));
    registry.add(idle_listener("big", {}, {.where = "$data(size) > 100"}));
    registry.add(idle_listener("others", matching(types("B"))));
    registry.add(idle_listener("sync", {}, {.mode = ListenerMode::sync}));
    registry.add(idle_listener("keyed", {}, {.order = OrderBy::Kind::expression, .order_by = "$data(size)"}));

    const auto explained = explain_event(store, registry, *store.at(Position{1}));
    REQUIRE(explained.size() == 5);
    CHECK(explained[0].listener == "all");
    CHECK(explained[0].selected);
    CHECK(explained[0].order_key == "S/1");
    CHECK(explained[0].fate == "waiting");
    CHECK(explained[0].reason == "the listener was never run");
    CHECK(explained[0].delivery_key.empty());
    CHECK_FALSE(explained[1].selected);
    CHECK(explained[1].fate == "not selected");
    CHECK(explained[1].reason == "its where does not hold: $data(size) > 100");
    CHECK(explained[2].order_key == "number:5");
    CHECK_FALSE(explained[3].selected);
    CHECK_THAT(explained[3].reason, ContainsSubstring("its query asks for (type B)"));
    CHECK(explained[4].fate == "not kept");
    CHECK_FALSE(std::filesystem::exists(folder_of(store) / "control.db"));
    CHECK_FALSE(std::filesystem::exists(folder_of(store) / "delivery.key"));

    const DeliveryKeys keys{folder_of(store)};
    const auto id = store.at(Position{1})->id;
    CHECK(explain_event(store, registry, *store.at(Position{1}))[0].delivery_key == keys.of("all", id));
}

TEST_CASE("an explanation says what has become of an event", "[listeners][explain]") {
    auto store = six_events();
    test::seed(store, StreamId{"S", "1"}, {"A"});
    const auto registry = only(idle_listener("mail"));
    KeptRows rows{store};
    const auto due = now() + 1h;
    rows.place("mail", {.start = 1, .position = 4, .read_to = 6, .under_way = {Position{5}}});
    rows.die("mail", *store.at(Position{3}), "timeout", "too slow");
    rows.park("mail", 4, {.key = "S/2", .due = due, .attempts = 2});
    rows.fail("mail", 4, "timeout", "the first");
    rows.fail("mail", 4, "timeout", "the second");
    rows.park("mail", 6, {.key = "S/2", .attempts = 0});

    std::vector<Explanation> explained;
    for (auto& of_event : explain_events(store, registry, test::events_in(store)))
        explained.push_back(of_event.at(0));
    REQUIRE(explained.size() == 7);
    CHECK(explained[0].fate == "before start");
    CHECK(explained[1].fate == "delivered");
    CHECK(explained[1].attempts == 0);
    CHECK(explained[2].fate == "dead");
    CHECK(explained[2].error == "too slow");
    CHECK_FALSE(explained[2].next_attempt);
    CHECK(explained[3].fate == "parked");
    CHECK(explained[3].attempts == 2);
    CHECK(explained[3].error == "the second");
    CHECK(explained[3].next_attempt == due);
    CHECK(explained[4].fate == "waiting");
    CHECK(explained[5].fate == "parked");
    CHECK(explained[5].reason == "it waits behind position 4 of the same key");
    CHECK(explained[6].fate == "waiting");
    CHECK(explained[6].reason.empty());

    pause_listener(store, registry, "mail");
    CHECK(explain_event(store, registry, *store.at(Position{7}))[0].reason == "the listener is paused");
}

TEST_CASE("an event that is parked is said to be, also where it is selected no more", "[listeners][explain]") {
    auto store = six_events();
    KeptRows rows{store};
    rows.place("mail", {.position = 6, .read_to = 6});
    rows.park("mail", 2, {.key = "S/2", .due = now()});
    const auto explained =
        explain_event(store, only(idle_listener("mail", matching(types("A")))), *store.at(Position{2})).at(0);
    CHECK_FALSE(explained.selected);
    CHECK(explained.fate == "parked");
    CHECK_THAT(explained.reason, ContainsSubstring("its query asks for"));
}

TEST_CASE("an event that the listener's SQL fails for is selected, with what is wrong", "[listeners][explain]") {
    auto store = six_events();
    const auto registry = only(idle_listener("mail", {}, {.where = "json_extract('{', '$.a')"}));
    const auto explained = explain_event(store, registry, *store.at(Position{1})).at(0);
    CHECK(explained.selected);
    CHECK_THAT(explained.reason, ContainsSubstring("where of listener \"mail\" at position 1"));
}

}  // namespace
}  // namespace stele
