// Dead letters: listed, looked into, tried again, given up; and never in the way of a success (traps 7, 8, 32).
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>

#include <thread>

namespace stele {
namespace {

using namespace std::chrono_literals;
using test::KeptRows;
using Ids = std::vector<std::int64_t>;

Ids ids_of(const std::vector<DeadLetter>& letters) {
    Ids ids;
    for (const auto& letter : letters) ids.push_back(letter.id);
    return ids;
}

// A store of six events on two streams.
EventStore six_events() {
    auto store = EventStore::temporary();
    for (int i = 0; i < 3; ++i) {
        test::seed(store, StreamId{"S", "1"}, {"Paid"});
        test::seed(store, StreamId{"S", "2"}, {"Sent"});
    }
    return store;
}

TEST_CASE("dead letters are selected by all that a filter names", "[listeners][dead]") {
    auto store = six_events();
    CHECK(dead_letters(store, {}).empty());
    CHECK(retry_dead_letters(store, {}, false).empty());
    CHECK_THROWS_AS(attempts_of(store, 1), NotFound);

    KeptRows rows{store};
    const auto events = test::events_in(store);
    const auto noon = parse_rfc3339("2026-01-05T12:00:00Z");
    const auto a = rows.die("mail", events[0], "timeout", "too slow", noon);
    const auto b = rows.die("mail", events[1], "http_503", "503", noon + 1h);
    const auto c = rows.die("audit", events[0], "timeout", "too slow", noon + 2h);

    CHECK(ids_of(dead_letters(store, {})) == Ids{a, b, c});
    CHECK(ids_of(dead_letters(store, {.listener = "mail"})) == Ids{a, b});
    CHECK(ids_of(dead_letters(store, {.type = "Paid"})) == Ids{a, c});
    CHECK(ids_of(dead_letters(store, {.key = "S/2"})) == Ids{b});
    CHECK(ids_of(dead_letters(store, {.cause = "timeout"})) == Ids{a, c});
    CHECK(ids_of(dead_letters(store, {.since = noon + 1h})) == Ids{b, c});
    CHECK(ids_of(dead_letters(store, {.id = b})) == Ids{b});
    CHECK(ids_of(dead_letters(store, {.limit = 2})) == Ids{a, b});
    CHECK(ids_of(dead_letters(store, {.listener = "mail", .type = "Paid", .cause = "timeout"})) == Ids{a});
    CHECK(dead_letters(store, {.listener = "mail", .cause = "exit_1"}).empty());

    const auto letter = dead_letters(store, {.id = b}).front();
    CHECK(letter.listener == "mail");
    CHECK(letter.key == "S/2");
    CHECK(letter.position == Position{2});
    CHECK(letter.stream == "S/2");
    CHECK(letter.type == "Sent");
    CHECK(letter.event_id == events[1].id);
    CHECK(letter.attempts == 1);
    CHECK(letter.last_failed_at == noon + 1h);
    CHECK(letter.error == "503");
    CHECK_FALSE(letter.holds_key);
    CHECK_FALSE(letter.retrying);
}

TEST_CASE("a dead letter shows every attempt's error (trap 32)", "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    rows.fail("mail", 1, "timeout", "the first");
    rows.fail("mail", 1, "http_503", "the second");
    const auto id = rows.die("mail", test::events_in(store)[0], "http_410", "the last");
    rows.fail("mail", 2, "timeout", "of another event");
    rows.fail("audit", 1, "timeout", "of another listener");

    const auto attempts = attempts_of(store, id);
    REQUIRE(attempts.size() == 3);
    CHECK(attempts[0].number == 1);
    CHECK(attempts[0].error == "the first");
    CHECK(attempts[0].duration == 1500us);
    CHECK(attempts[1].cause == "http_503");
    CHECK(attempts[2].number == 3);
    CHECK(attempts[2].error == "the last");
    CHECK_THROWS_AS(attempts_of(store, id + 1), NotFound);
}

TEST_CASE("dead letters are counted by listener, type and cause", "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    const auto events = test::events_in(store);
    rows.die("mail", events[1], "timeout");
    rows.die("mail", events[0], "timeout");
    rows.die("mail", events[2], "timeout");
    rows.die("audit", events[0]);

    const auto stats = dead_letter_stats(store, {});
    REQUIRE(stats.size() == 3);
    CHECK(stats[0].listener == "mail");
    CHECK(stats[0].type == "Paid");
    CHECK(stats[0].cause == "timeout");
    CHECK(stats[0].count == 2);
    CHECK(stats[0].first_failed_at <= stats[0].last_failed_at);
    CHECK(stats[1].listener == "audit");
    CHECK(stats[2].count == 1);
    CHECK(dead_letter_stats(store, {.listener = "audit"}).size() == 1);
    CHECK(dead_letter_stats(store, {.limit = 1}).front().count == 2);
}

TEST_CASE("a retry parks the event itself, due now, with all of its attempts (trap 8)", "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    rows.place("mail", {.position = 6, .read_to = 6});
    const auto events = test::events_in(store);
    // More of them than there are events: what is parked is told apart by the event, not by how many there are.
    for (const auto* const listener : {"mail", "audit", "crm"}) {
        rows.place(listener, {.position = 6, .read_to = 6});
        for (const auto& event : events) rows.die(listener, event);
    }
    rows.park("mail", 2, {.key = "S/2", .held = true, .attempts = 3});

    const auto before = now();
    const auto planned = retry_dead_letters(store, {.listener = "mail"}, true);
    CHECK(planned.size() == 6);
    CHECK_FALSE(planned[0].retrying);
    CHECK(planned[1].holds_key);
    CHECK(rows.number("SELECT count(*) FROM parked") == 1);

    const auto retried = retry_dead_letters(store, {.listener = "mail"}, false);
    CHECK(retried.size() == 6);
    CHECK(rows.number("SELECT count(*) FROM parked") == 6);
    for (const auto& event : events) {
        const auto parked = rows.parked("mail", event.position.value());
        REQUIRE(parked);
        CHECK(parked->key == event.stream.name());
        CHECK(parked->attempts == 0);
        CHECK_FALSE(parked->held);
        REQUIRE(parked->due);
        CHECK(*parked->due >= before);
        CHECK(*parked->due <= now());
    }
    CHECK(rows.number("SELECT max(position) FROM listeners WHERE name = 'mail'") == 6);
    const auto letters = dead_letters(store, {.listener = "mail"});
    REQUIRE(letters.size() == 6);
    CHECK(letters[0].retrying);
    CHECK(letters[1].retrying);
    CHECK_FALSE(letters[1].holds_key);
    CHECK_FALSE(attempts_of(store, letters[0].id).empty());
}

TEST_CASE("a letter that was delivered between a look and the retry stays delivered (trap 7)",
          "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    rows.place("mail", {.position = 6, .read_to = 6});
    const auto events = test::events_in(store);
    const auto id = rows.die("mail", events[0]);
    const auto other = rows.die("mail", events[1]);
    const auto seen = dead_letters(store, {.listener = "mail"});
    REQUIRE(seen.size() == 2);

    rows.deliver("mail", 1);
    CHECK(retry_dead_letters(store, {.id = id}, false).empty());
    CHECK(ids_of(retry_dead_letters(store, {.listener = "mail"}, false)) == Ids{other});
    CHECK_FALSE(rows.parked("mail", 1));
    CHECK(discard_dead_letters(store, {.id = id}, false).empty());
    CHECK(dead_letters(store, {}).size() == 1);
}

// Goal:   whichever of a delivery and a retry comes first, an event that was delivered is parked no more.
// Method: both at once, many times; a retry that finds the letter parks the event before the delivery settles it.
TEST_CASE("retries that race with deliveries leave nothing of what was delivered", "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    rows.place("mail", {.position = 6, .read_to = 6});
    const auto events = test::events_in(store);
    for (int round = 0; round < 50; ++round) {
        CAPTURE(round);
        for (const auto& event : events) rows.die("mail", event);
        std::thread operator_{[&] { (void)retry_dead_letters(store, {.listener = "mail"}, false); }};
        for (const auto& event : events) rows.deliver("mail", event.position.value());
        operator_.join();
        // Behind the join nothing is delivered any more: what is parked now is there with its letter, or not at
        // all.
        REQUIRE(rows.number("SELECT count(*) FROM parked AS p WHERE NOT EXISTS (SELECT 1 FROM dead_letters AS d "
                            "WHERE d.listener = p.listener AND d.position = p.position)") == 0);
        REQUIRE(rows.number("SELECT count(*) FROM dead_letters") == 0);
    }
}

// ---- With a runner that delivers

// A listener that fails at once and for good where `receiver` says so.
std::shared_ptr<const Listener> one_attempt(const test::Receiver& receiver, AfterLast after_last) {
    return listener("mail", {}, receiver.function(), {.retry = test::after({}, 1), .after_last = after_last});
}

TEST_CASE("a dead letter that is tried again is delivered, and gone", "[listeners][dead]") {
    auto store = six_events();
    test::Receiver receiver{test::failing_at({Position{3}})};
    Runner runner{store};
    runner.add(one_attempt(receiver, AfterLast::free_key));
    test::step_through(runner);
    CHECK(receiver.got().size() == 5);
    auto letters = dead_letters(store, {});
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].position == Position{3});

    // It dies again: the same letter, with one attempt more.
    CHECK(retry_dead_letters(store, {.id = letters[0].id}, false).size() == 1);
    test::step_through(runner);
    CHECK(dead_letters(store, {}).at(0).id == letters[0].id);
    CHECK(attempts_of(store, letters[0].id).size() == 2);
    CHECK_FALSE(dead_letters(store, {}).at(0).retrying);

    receiver.decide({});
    CHECK(retry_dead_letters(store, {.id = letters[0].id}, false).size() == 1);
    test::step_through(runner);
    CHECK(receiver.got().size() == 6);
    CHECK(receiver.got().back().position == Position{3});
    CHECK(dead_letters(store, {}).empty());
    KeptRows rows{store};
    CHECK(rows.number("SELECT count(*) FROM attempts") == 0);
    CHECK(rows.number("SELECT count(*) FROM parked") == 0);
    CHECK(rows.number("SELECT position FROM listeners WHERE name = 'mail'") == 6);
}

TEST_CASE("a key that a dead letter holds goes on when it is discarded", "[listeners][dead]") {
    auto store = six_events();
    const test::Receiver receiver{test::failing_at({Position{1}})};
    Runner runner{store};
    runner.add(one_attempt(receiver, AfterLast::hold_key));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 4, 6});
    REQUIRE(dead_letters(store, {}).size() == 1);
    CHECK(dead_letters(store, {})[0].holds_key);

    CHECK(discard_dead_letters(store, {.listener = "mail"}, false).size() == 1);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{2, 4, 6, 3, 5});
    CHECK(dead_letters(store, {}).empty());
}

TEST_CASE("letters of a sync listener are discarded, and not tried again", "[listeners][dead]") {
    auto store = EventStore::temporary();
    const test::Receiver receiver{test::failing_at({Position{1}})};
    Runner runner{store};
    runner.add(listener("counter", {}, receiver.function(), {.mode = ListenerMode::sync}));
    runner.start();
    test::seed(store, StreamId{"S", "1"}, {"Paid"});
    runner.stop();
    KeptRows rows{store};
    REQUIRE(dead_letters(store, {}).size() == 1);
    const auto id = dead_letters(store, {})[0].id;
    CHECK(retry_dead_letters(store, {.id = id}, true).empty());
    CHECK(retry_dead_letters(store, {.id = id}, false).empty());
    CHECK(rows.number("SELECT count(*) FROM parked") == 0);
    CHECK(discard_dead_letters(store, {.id = id}, false).size() == 1);
}

TEST_CASE("a discarded letter goes with its attempts, and its key goes on", "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    rows.place("mail", {.position = 6, .read_to = 6});
    const auto events = test::events_in(store);
    const auto held = rows.die("mail", events[0]);
    rows.park("mail", 1, {.held = true});
    rows.park("mail", 3, {.attempts = 0});
    rows.park("mail", 5, {.attempts = 0});
    const auto freed = rows.die("mail", events[1]);
    const auto later = now() + 1h;
    rows.park("mail", 4, {.key = "S/2", .due = later});

    CHECK(ids_of(discard_dead_letters(store, {}, true)) == Ids{held, freed});
    CHECK(dead_letters(store, {}).size() == 2);

    CHECK(ids_of(discard_dead_letters(store, {}, false)) == Ids{held, freed});
    CHECK(dead_letters(store, {}).empty());
    CHECK(rows.number("SELECT count(*) FROM attempts") == 0);
    CHECK_FALSE(rows.parked("mail", 1));
    REQUIRE(rows.parked("mail", 3));
    CHECK(rows.parked("mail", 3)->due.has_value());
    CHECK_FALSE(rows.parked("mail", 5)->due);
    // It waits for its own next attempt, which is none of the letter's business.
    CHECK(rows.parked("mail", 4)->due == later);
}

TEST_CASE("a letter's id is never used again", "[listeners][dead]") {
    auto store = six_events();
    KeptRows rows{store};
    const auto events = test::events_in(store);
    const auto first = rows.die("mail", events[0]);
    CHECK(discard_dead_letters(store, {.id = first}, false).size() == 1);
    CHECK(rows.die("mail", events[0]) > first);
}

}  // namespace
}  // namespace stele
