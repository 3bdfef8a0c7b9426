// The listing of projections: what is there, how far it is, and what is wrong with it.
#include "vocabulary.hpp"

#include <fstream>
#include <map>

namespace stele {
namespace {

std::map<std::string, ProjectionStatus> statuses(const EventStore& store, const ProjectionRegistry& registry) {
    std::map<std::string, ProjectionStatus> by_name;
    for (auto& status : projection_status(store, registry)) by_name.emplace(status.name, status);
    return by_name;
}

std::shared_ptr<const SqlProjection> named(const std::string& name, const std::string& rest = "") {
    return SqlProjection::parse("--@ projection " + name + " version 2" + rest +
                                    "\n--@ create\nCREATE TABLE t (n INTEGER NOT NULL)\n--@ on Paid\n"
                                    "INSERT INTO t VALUES ($data(amount))",
                                name + ".sql");
}

TEST_CASE("a listing has every projection that is known or built, by name", "[projections][status]") {
    auto store = EventStore::temporary();
    ProjectionRegistry registry;
    CHECK(projection_status(store, registry).empty());

    test::pay(store, 100);
    registry.add(test::payments());
    registry.add(named("new", " mode sync"));
    registry.add(named("changed", " on-error skip"));
    rebuild(store, *test::payments());
    rebuild(store, *named("changed"));
    rebuild(store, *named("gone"));
    test::pay(store, 10);

    const auto all = projection_status(store, registry);
    REQUIRE(all.size() == 4);
    CHECK(all[0].name == "changed");
    CHECK(all[0].state == "changed");
    CHECK(all[1].name == "gone");
    CHECK(all[1].state == "retired");
    CHECK(all[1].version == 2);
    CHECK(all[2].name == "new");
    CHECK(all[2].state == "absent");
    CHECK(all[2].mode == ProjectionMode::sync);
    CHECK(all[2].generation == 0);
    CHECK(all[2].position == Position{0});
    CHECK(all[2].lag_events == 110);
    CHECK(all[3].name == "payments");
    CHECK(all[3].state == "live");
    CHECK(all[3].version == 1);
    CHECK(all[3].generation == 1);
    CHECK(all[3].position == Position{100});
    CHECK(all[3].head == Position{110});
    CHECK(all[3].lag_events == 10);
    CHECK(all[3].lag_seconds >= 0);
    CHECK(all[3].error.empty());
}

TEST_CASE("lag in seconds is the age of the first event that is missing", "[projections][status]") {
    Timestamp time = now() - std::chrono::hours{2};
    auto store = EventStore::temporary(Options{.clock = [&] { return time; }});
    ProjectionRegistry registry;
    registry.add(test::payments());
    test::pay(store, 10);
    rebuild(store, *test::payments());
    CHECK(statuses(store, registry).at("payments").lag_seconds == 0);

    time += std::chrono::hours{1};
    test::pay(store, 5, 5);
    time = now();
    test::pay(store, 5, 5);
    const auto lag = statuses(store, registry).at("payments").lag_seconds;
    CHECK(lag > 3590);
    CHECK(lag < 3700);
}

TEST_CASE("a listing says what a projection stopped at, and what cannot be opened", "[projections][status]") {
    auto store = EventStore::temporary();
    ProjectionRegistry registry;
    registry.add(named("failing"));
    registry.add(named("broken"));
    rebuild(store, *named("failing"));
    rebuild(store, *named("broken"));
    store.append(StreamId{"S", "1"}, expect::any, {event("Paid")});
    CHECK_THROWS_AS(catch_up(store, *named("failing")), HandlerFailed);
    for (const auto* const file : {"broken.g1.db", "broken.g1.db-wal", "broken.g1.db-shm"}) {
        std::filesystem::remove(store.models_folder() / file);
    }
    std::ofstream{store.models_folder() / "broken.g1.db"} << std::string(5'000, 'x');

    const auto all = statuses(store, registry);
    CHECK(all.at("failing").state == "failed");
    CHECK_THAT(all.at("failing").error, ContainsSubstring("failing.sql:5: NOT NULL constraint failed: t.n"));
    CHECK(all.at("failing").position == Position{0});
    CHECK(all.at("broken").state == "broken");
    CHECK_THAT(all.at("broken").error, ContainsSubstring("not a database"));
}

TEST_CASE("a status says the same to people as to programs", "[projections][status]") {
    auto store = EventStore::temporary();
    ProjectionRegistry registry;
    registry.add(named("failing"));
    rebuild(store, *named("failing"));
    test::seed(store, StreamId{"S", "1"}, {"Noted", "Paid", "Noted"});
    CHECK_THROWS_AS(catch_up(store, *named("failing")), HandlerFailed);

    const auto status = projection_status(store, registry, "failing");
    CHECK(status.state == "failed");
    CHECK(status.owner.empty());
    CHECK(status.lag_events == 2);
    CHECK(status.since > Timestamp{});
    REQUIRE(status.failure);
    CHECK(status.failure->position == Position{2});
    CHECK(status.failure->type == "Paid");
    CHECK_THAT(status.failure->place, ContainsSubstring("failing.sql:5"));

    const auto text = describe(status);
    CHECK_THAT(text, ContainsSubstring("failing: failed since " + to_rfc3339(status.since)));
    CHECK_THAT(text, ContainsSubstring("position    1 of 3"));
    CHECK_THAT(text, ContainsSubstring("behind      2 events, "));
    CHECK_THAT(text, ContainsSubstring("owner       nobody"));
    CHECK_THAT(text, ContainsSubstring("stopped at  position 2, Paid, in failing.sql:5"));
    CHECK_THAT(text, ContainsSubstring("NOT NULL constraint failed"));
    CHECK_THAT(text, ContainsSubstring("stele projection resume failing"));
    CHECK_THROWS_AS(projection_status(store, registry, "falling"), NotFound);
}

TEST_CASE("a build that is under way shows how far it is", "[projections][status]") {
    auto store = EventStore::temporary();
    ProjectionRegistry registry;
    registry.add(test::payments());
    test::pay(store, 100);
    std::optional<ProjectionStatus> first;
    RebuildOptions options;
    options.batch = 10;
    options.progress = [&](const FoldProgress&) {
        if (!first) first = projection_status(store, registry, "payments");
    };
    test::rebuild_now(store, *test::payments(), options);
    REQUIRE(first);
    CHECK(first->state == "building");
    REQUIRE(first->building);
    CHECK(first->building->generation == 1);
    CHECK(first->building->target == Position{100});
    CHECK(first->building->percent < 100);
    CHECK_THAT(describe(*first), ContainsSubstring("building    generation 1, "));

    first.reset();
    test::rebuild_now(store, *test::payments(), options);
    REQUIRE(first);
    CHECK(first->state == "live");
    CHECK(first->generation == 1);
    REQUIRE(first->building);
    CHECK(first->building->generation == 2);
    CHECK_FALSE(projection_status(store, registry, "payments").building);
}

}  // namespace
}  // namespace stele
