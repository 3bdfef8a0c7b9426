// How listeners are, and whether all is well: said from what is on disk (trap 11).
#include "kept_rows.hpp"

#include "leases.hpp"

#include <stele/projections/health.hpp>
#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/projection_status.hpp>

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

EventStore four_events() {
    auto store = EventStore::temporary();
    test::seed(store, StreamId{"S", "1"}, {"A", "B", "A", "B"});
    return store;
}

TEST_CASE("a listing has every listener that is known or was run, by name", "[listeners][status]") {
    auto store = four_events();
    ListenerRegistry registry;
    CHECK(listener_status(store, registry).empty());
    registry.add(idle_listener("new"));
    registry.add(idle_listener("mail"));
    registry.add(idle_listener("counter", {}, {.mode = ListenerMode::sync}));
    KeptRows rows{store};
    rows.place("mail", {.position = 3, .read_to = 4, .under_way = {Position{4}}});
    rows.place("gone", {.state = "paused", .position = 1, .read_to = 1});

    const auto all = listener_status(store, registry);
    REQUIRE(all.size() == 4);
    CHECK(all[0].name == "counter");
    CHECK(all[0].mode == "sync");
    CHECK(all[0].state == "live");
    CHECK(all[0].lag_events == 0);
    CHECK(all[1].name == "gone");
    CHECK(all[1].state == "retired");
    CHECK(all[1].sink.empty());
    CHECK(all[2].name == "mail");
    CHECK(all[2].state == "live");
    CHECK(all[2].sink == "code");
    CHECK(all[2].position == Position{3});
    CHECK(all[2].read_to == Position{4});
    CHECK(all[2].head == Position{4});
    CHECK(all[2].under_way == 1);
    CHECK(all[2].lag_events == 1);
    CHECK(all[2].owner.empty());
    CHECK_THAT(all[2].advice, ContainsSubstring("`stele run`"));
    CHECK(all[3].name == "new");
    CHECK(all[3].state == "new");
    CHECK(all[3].lag_events == 4);

    CHECK(listener_status(store, registry, "gone").state == "retired");
    CHECK_THROWS_AS(listener_status(store, registry, "mial"), NotFound);
}

TEST_CASE("a listener that was never run is behind by what it would be sent", "[listeners][status]") {
    auto store = four_events();
    const auto lag = [&](const StartAt& start) {
        return listener_status(store, only(idle_listener("new", {}, {.start = start})), "new").lag_events;
    };
    CHECK(lag({}) == 4);
    CHECK(lag({.kind = StartAt::Kind::now}) == 0);
    CHECK(lag({.kind = StartAt::Kind::position, .position = Position{3}}) == 1);
    CHECK(lag({.kind = StartAt::Kind::time, .time = now() + 1h}) == 0);
    CHECK(lag({.kind = StartAt::Kind::time, .time = store.at(Position{1})->recorded_at}) == 4);
}

TEST_CASE("what is parked is counted by events and by keys", "[listeners][status]") {
    auto store = four_events();
    KeptRows rows{store};
    const auto soon = now() + 10s;
    rows.place("mail", {.position = 4, .read_to = 4});
    rows.park("mail", 1, {.key = "a", .due = soon + 1s});
    rows.park("mail", 2, {.key = "a"});
    rows.park("mail", 3, {.key = "b", .held = true});
    rows.park("mail", 4, {.key = "c", .due = soon});
    rows.park("audit", 4, {.key = "d", .due = now()});
    rows.die("mail", *store.at(Position{3}));

    const auto status = listener_status(store, only(idle_listener("mail")), "mail");
    CHECK(status.parked == 4);
    CHECK(status.parked_keys == 3);
    CHECK(status.held_keys == 1);
    CHECK(status.dead == 1);
    CHECK(status.next_retry == soon);

    const auto text = describe(status);
    CHECK_THAT(text, ContainsSubstring("mail: live since "));
    CHECK_THAT(text,
               ContainsSubstring("parked      4 events of 3 keys, 1 held, next retry at " + to_rfc3339(soon)));
    CHECK_THAT(text, ContainsSubstring("dead        1 dead letter\n"));
    CHECK_THAT(text, ContainsSubstring("owner       nobody\n"));
}

TEST_CASE("a status names who delivers as long as he is alive", "[listeners][status]") {
    auto store = four_events();
    KeptRows rows{store};
    rows.place("mail", {.position = 4, .read_to = 4});
    const auto registry = only(idle_listener("mail"));
    {
        const Member member{folder_of(store), "the runner"};
        Leases leases{rows.control(), member};
        REQUIRE(leases.take("listener/mail"));
        CHECK(listener_status(store, registry, "mail").owner == "the runner");
    }
    CHECK(listener_status(store, registry, "mail").owner.empty());
}

TEST_CASE("a status says what a listener has done, and how its breaker is", "[listeners][status]") {
    auto store = four_events();
    KeptRows rows{store};
    ListenerCounts counts;
    counts.dispatched = counts.delivered = 1'000;
    counts.failed = 12;
    counts.failed_by_cause = {{"timeout", 7}, {"http_503", 5}};
    rows.place("mail", {.state = "failed",
                        .position = 2,
                        .read_to = 2,
                        .failed_position = 3,
                        .error = "no such host",
                        .breaker = BreakerStatus{"crm", "open", 5, now() + 10s, "refused"},
                        .counts = counts});
    const auto status = listener_status(store, only(idle_listener("mail")), "mail");
    CHECK(status.failed_position == Position{3});
    CHECK(status.counts.failed_by_cause.at("timeout") == 7);
    REQUIRE(status.breaker);
    CHECK(status.breaker->state == "open");
    const auto text = describe(status);
    CHECK_THAT(text, ContainsSubstring("1,000 delivered, 12 failed attempts (http_503 5, timeout 7)"));
    CHECK_THAT(text, ContainsSubstring("breaker     open, to crm, until "));
    CHECK_THAT(text, ContainsSubstring("5 failures in a row: refused"));
    CHECK_THAT(text, ContainsSubstring("stopped at  position 3"));
    CHECK_THAT(text, ContainsSubstring("`stele listener resume mail`"));
}

TEST_CASE("asking how listeners are makes no control.db, and changes none", "[listeners][status]") {
    auto store = four_events();
    const auto registry = only(idle_listener("mail"));
    CHECK(listener_status(store, registry).size() == 1);
    CHECK_FALSE(std::filesystem::exists(folder_of(store) / "control.db"));

    KeptRows rows{store};
    rows.place("mail", {});
    const auto before = rows.number("PRAGMA data_version");
    CHECK(listener_status(store, registry).size() == 1);
    CHECK(rows.number("PRAGMA data_version") == before);
}

// ---- Health

// A listener that is well, to be made ill.
ListenerStatus well() {
    ListenerStatus status;
    status.name = "mail";
    status.state = "live";
    status.stored_at = now();
    return status;
}
std::vector<std::string> ails(const ListenerStatus& status, const HealthLimits& limits = {}) {
    return what_ails(status, limits, now());
}

TEST_CASE("a listener that has stopped is not healthy, and one that is paused is", "[listeners][health]") {
    auto status = well();
    CHECK(ails(status).empty());
    status.state = "failed";
    status.failed_position = Position{7};
    status.error = "no such host";
    CHECK(ails(status) == std::vector<std::string>{"has stopped at position 7: no such host"});
    status.state = "paused";
    CHECK(ails(status).empty());
}

TEST_CASE("a listener that is ahead of the log is not healthy: the log lost events", "[listeners][health]") {
    auto status = well();
    status.head = Position{5};
    status.position = Position{9};
    CHECK(ails(status) == std::vector<std::string>{"is at position 9, the log ends at 5: the log lost events"});
}

TEST_CASE("a listener is not healthy beyond its limits", "[listeners][health]") {
    auto status = well();
    status.lag_events = 11;
    status.lag_seconds = 20;
    status.dead = 3;
    CHECK(ails(status).empty());
    CHECK(ails(status, {.lag_events = 11, .lag_seconds = 20, .dead = 3}).empty());
    const auto reasons = ails(status, {.lag_events = 10, .lag_seconds = 19, .dead = 2});
    REQUIRE(reasons.size() == 3);
    CHECK(reasons[0] == "is 11 events behind, the limit is 10");
    CHECK(reasons[1] == "is 20.0 s behind, the limit is 19.0 s");
    CHECK(reasons[2] == "has 3 dead letters, the limit is 2");
    CHECK(ails(status, {.dead = 0}).size() == 1);
}

TEST_CASE("a listener whose position stays while the head moves is not healthy (trap 11)", "[listeners][health]") {
    auto status = well();
    status.owner = "the runner";
    status.lag_events = 2;
    status.lag_seconds = 45;
    CHECK(ails(status).empty());  // it has a backlog, and works it off
    status.stored_at = now() - 40s;
    REQUIRE(ails(status).size() == 1);
    CHECK_THAT(ails(status)[0],
               ContainsSubstring("2 events wait, the first for 45.0 s, and the runner has stored no "
                                 "position for 40."));
    CHECK(ails(status, {.stalled_after = 1min}).empty());
    status.lag_seconds = 5;  // it was idle until a moment ago
    CHECK(ails(status).empty());

    status.state = "new";
    status.owner.clear();
    status.stored_at.reset();
    status.lag_seconds = 45;
    CHECK(ails(status) == std::vector<std::string>{"2 events wait, the first for 45.0 s, and nobody delivers"});
}

TEST_CASE("a listener that does not make its retries is not healthy, with no lag to give it away",
          "[listeners][health]") {
    auto status = well();
    status.stored_at = now() - 10min;
    status.parked = 1;
    status.next_retry = now() + 10s;
    CHECK(ails(status).empty());
    status.next_retry = now() - 1min;
    REQUIRE(ails(status).size() == 1);
    CHECK_THAT(ails(status)[0], ContainsSubstring("a retry was due 60.0 s ago, and nobody delivers"));
    status.breaker = BreakerStatus{"crm", "open", 5, now() + 10s, "refused"};
    CHECK(ails(status).empty());
    status.breaker->until = now() - 1min;
    CHECK(ails(status).size() == 1);
}

TEST_CASE("a stalled listener is found in a store, whoever stalls it (trap 11)", "[listeners][health]") {
    auto time = now() - 10min;
    auto store = EventStore::temporary(Options{.clock = [&] { return time; }});
    test::seed(store, StreamId{"S", "1"}, {"A", "A"});
    KeptRows rows{store};
    const auto registry = only(idle_listener("mail"));
    rows.place("mail", {.position = 1, .read_to = 1, .stored_at = time});
    const Member member{folder_of(store), "the runner"};
    Leases leases{rows.control(), member};
    REQUIRE(leases.take("listener/mail"));

    const auto reasons = ails(listener_status(store, registry, "mail"));
    REQUIRE(reasons.size() == 1);
    CHECK_THAT(reasons[0], ContainsSubstring("the runner has stored no position for 10.0 min"));
    rows.place("mail", {.position = 2, .read_to = 2, .stored_at = time});
    CHECK(ails(listener_status(store, registry, "mail")).empty());
}

TEST_CASE("projections that have stopped or stand still are not healthy", "[listeners][health]") {
    ProjectionStatus status;
    status.state = "live";
    status.owner = "the runner";
    status.lag_events = 1;
    status.lag_seconds = 60;
    status.stored_at = now();
    const auto reasons = [&](const HealthLimits& limits = {}) { return what_ails(status, limits, now()); };
    CHECK(reasons().empty());
    CHECK(reasons({.lag_seconds = 59}).size() == 1);
    status.stored_at = now() - 50s;
    REQUIRE(reasons().size() == 1);
    CHECK_THAT(reasons()[0], ContainsSubstring("the runner has stored no position for 50."));
    for (const auto* const healthy : {"paused", "dropped", "retired"}) {
        status.state = healthy;
        CHECK(reasons().empty());
    }
    status.state = "absent";
    status.owner.clear();
    status.stored_at.reset();
    CHECK(reasons() == std::vector<std::string>{"1 event waits, the first for 60.0 s, and nobody builds it"});
    status.building = BuildStatus{};
    CHECK(reasons().empty());
    status.state = "broken";
    status.error = "no database";
    CHECK(reasons() == std::vector<std::string>{"cannot be read: no database"});
    status.state = "failed";
    status.failure = ProjectionFailure{Position{7}, "A", "", "no"};
    status.error = "no";
    CHECK(reasons() == std::vector<std::string>{"has stopped at position 7: no"});
}

}  // namespace
}  // namespace stele
