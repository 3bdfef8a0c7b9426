#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/fold.hpp>
#include <stele/replay/json_diff.hpp>
#include <stele/replay/replay.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/store.hpp>

#include "order.hpp"

#include <range/v3/view/filter.hpp>

using nlohmann::json;
using namespace stele;
using test::minute;
using test::order;

namespace {

EventStore store_with_an_order() { return test::store_with_an_order(event("NoteFiled", {{"note", "late entry"}})); }

// What is thrown for the lack of it.
std::string not_found(const std::function<void()>& look) {
    try {
        look();
    } catch (const NotFound& error) {
        CHECK(error.code() == "not_found");
        return error.what();
    }
    return "was found";
}

}  // namespace

TEST_CASE("replay gives the state of a stream and where it is", "[replay]") {
    const auto store = store_with_an_order();
    const auto state = replay(store, order, merge_patch());
    CHECK(state.stream == order);
    CHECK(state.version == Version{4});
    CHECK(state.position == Position{5});
    CHECK(state.json.value() == json{{"$type", "NoteFiled"},
                                     {"customer", "VINET"},
                                     {"lines", 1},
                                     {"note", "late entry"},
                                     {"shipped", true}});
}

TEST_CASE("replay stops at a version, a position or a time of recording, each included", "[replay]") {
    const auto store = store_with_an_order();
    const auto at = [&](const ReplayOptions& options) {
        return replay(store, order, merge_patch(), options).version;
    };

    CHECK(at({.at_version = Version{1}}) == Version{1});
    CHECK(at({.at_version = Version{4}}) == Version{4});
    CHECK(at({.at_position = Position{1}}) == Version{1});
    CHECK(at({.at_position = Position{2}}) == Version{1});
    CHECK(at({.at_position = Position{3}}) == Version{2});
    CHECK(at({.at_position = Position{999}}) == Version{4});
    CHECK(at({.at_time = minute(1)}) == Version{1});
    CHECK(at({.at_time = minute(3) - std::chrono::microseconds{1}}) == Version{1});
    CHECK(at({.at_time = minute(3)}) == Version{2});
    CHECK(at({.at_time = minute(999)}) == Version{4});
}

TEST_CASE("bounds of a replay add up", "[replay]") {
    const auto store = store_with_an_order();
    const auto state = replay(store, order, merge_patch(),
                              {.at_version = Version{3}, .at_position = Position{3}, .at_time = minute(9)});
    CHECK(state.version == Version{2});
}

TEST_CASE("by the time of occurrence, events are left out wherever they stand", "[replay]") {
    const auto store = store_with_an_order();
    const auto state = replay(store, order, merge_patch(), {.at_time = minute(-95), .time_of = TimeOf::occurred});
    // The line came at -90 and stands between the two.
    CHECK(state.json.value() ==
          json{{"$type", "NoteFiled"}, {"customer", "VINET"}, {"lines", 0}, {"note", "late entry"}});
    CHECK(state.version == Version{4});
}

TEST_CASE("a stream that is not there is said to be so, with names that come close", "[replay]") {
    auto store = store_with_an_order();
    store.append({"acme", "order", "7"}, expect::any, {event("Placed")});
    const auto ask = [&](const StreamId& id) { return not_found([&] { (void)replay(store, id, merge_patch()); }); };

    CHECK_THAT(ask({"order", "1"}),
               ContainsSubstring(R"(no stream "order/1"; `stele streams` lists what is there)"));
    CHECK_THAT(ask({"Order", "10248"}), ContainsSubstring(R"(no stream "Order/10248"; there is "order/10248")"));
    CHECK_THAT(ask({"order", "7"}), ContainsSubstring(R"(there is "acme:order/7")"));
}

TEST_CASE("a point at which the aggregate was not there is not found", "[replay]") {
    const auto store = store_with_an_order();
    const auto ask = [&](const ReplayOptions& options) {
        return not_found([&] { (void)replay(store, order, merge_patch(), options); });
    };

    CHECK_THAT(ask({.at_version = Version{5}}), ContainsSubstring("order/10248 has no version 5; its last is 4"));
    CHECK_THAT(ask({.at_time = minute(0)}),
               ContainsSubstring("order/10248: no event recorded up to 2026-01-05T10:00:00.000000Z; its first is "
                                 "version 1, position 1, recorded at 2026-01-05T10:01:00.000000Z"));
    CHECK_THAT(ask({.at_time = minute(-101), .time_of = TimeOf::occurred}),
               ContainsSubstring("occurred at 2026-01-05T08:20:00.000000Z"));
    const StreamId other{"order", "10249"};
    CHECK_THAT(not_found([&] { (void)replay(store, other, merge_patch(), {.at_position = Position{1}}); }),
               ContainsSubstring("order/10249: no event up to position 1; its first is version 1, position 2"));
}

TEST_CASE("a stream of which upcasters leave nothing is said to be one", "[replay][upcast]") {
    EventTypes types;
    types.upcast_sql("Noted", 1, "--@ drop", "noted.sql");
    Options options;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    auto store = EventStore::temporary(options);
    store.append(order, expect::none, {event("Noted"), event("Noted")});
    const auto ask = [&](const ReplayOptions& within) {
        return not_found([&] { (void)replay(store, order, merge_patch(), within); });
    };
    const std::string nothing =
        "; upcasters make nothing of the 2 that are stored; read raw (--raw) they are there";
    CHECK_THAT(ask({}), ContainsSubstring("order/10248: no event" + nothing));
    CHECK_THAT(ask({.at_version = Version{1}}),
               ContainsSubstring("order/10248: no event up to version 1" + nothing));
}

TEST_CASE("an event that was recorded after a time and occurred before it is pointed out", "[replay]") {
    const auto store = store_with_an_order();
    const auto ask = [&](int minutes) {
        return not_found([&] { (void)replay(store, order, merge_patch(), {.at_time = minute(minutes)}); });
    };
    CHECK_THAT(ask(-100),
               ContainsSubstring("by when it occurred, 2026-01-05T08:20:00.000000Z, it was there: --occurred"));
    CHECK_THAT(ask(-101), !ContainsSubstring("--occurred"));
}

TEST_CASE("there is no version 0 and no position 0 to replay to", "[replay]") {
    const auto store = store_with_an_order();
    CHECK_THROWS_AS(replay(store, order, merge_patch(), {.at_version = Version{0}}), InvalidInput);
    CHECK_THROWS_AS(replay(store, order, merge_patch(), {.at_position = Position{-1}}), InvalidInput);
}

TEST_CASE("steps show each event, the state around it and what it changed", "[replay][steps]") {
    const auto store = store_with_an_order();
    std::vector<std::string> types;
    std::vector<json> before, after, changes;
    const auto last = replay_steps(store, order, merge_patch(), {.at_version = Version{3}}, [&](const Step& step) {
        types.push_back(step.event.type);
        before.push_back(step.before.value());
        after.push_back(step.after.value());
        changes.push_back(step.changes);
        return true;
    });

    CHECK(types == std::vector<std::string>{"Placed", "LineAdded", "Shipped"});
    CHECK(before == std::vector<json>{json::object(), after[0], after[1]});
    CHECK(last == replay(store, order, merge_patch(), {.at_version = Version{3}}));
    CHECK(after[2] == last.json.value());
    CHECK(changes[2] == json::parse(R"([{"op":"replace","path":"/$type","value":"Shipped"},
                                        {"op":"add","path":"/shipped","value":true}])"));
}

TEST_CASE("a visitor that has seen enough ends the replay there", "[replay][steps]") {
    const auto store = store_with_an_order();
    const auto state = replay_steps(store, order, merge_patch(), {},
                                    [](const Step& step) { return step.event.type != "LineAdded"; });
    CHECK(state.version == Version{2});
    CHECK(state.json.value().at("lines") == 1);
}

TEST_CASE("a state that cannot be compared fails with its event, and the replay stands before it",
          "[replay][steps]") {
    const auto whole = AggregateFile::parse("--@ aggregate order version 1\n--@ on *\njson($data)\n", "order.sql");
    auto events = test::history(order, {{"Placed", {{"n", 1}}}, {"Placed", {}}, {"Placed", {{"n", 3}}}});
    events[1].data = JsonText::parse(R"({"n":1e999})");
    const auto visit = [](const Step&) { return true; };

    Replay run{order, whole};
    run.step(events[0], visit);
    CHECK_THROWS_WITH(run.step(events[1], visit), ContainsSubstring("order/10248: version 2, position 21, Placed"));
    CHECK(run.state().version == Version{1});
    CHECK(run.state().json.text() == R"({"n":1})");
    run.step(events[2], visit);
    CHECK(run.state().json.text() == R"({"n":3})");

    run.apply(events[1]);  // as text, it is a state like any other
    CHECK(run.state().json.text() == R"({"n":1e999})");
}

TEST_CASE("what speaks for a type in the registry folds its streams", "[replay]") {
    const auto store = store_with_an_order();
    AggregateRegistry aggregates;
    aggregates.add(std::make_shared<AggregateFile>(AggregateFile::parse(R"(--@ aggregate order version 1
--@ initial
0
--@ on *
$state + 1
)",
                                                                        "order.sql")));
    CHECK(replay(store, order, aggregates).json.text() == "4");
    std::string states;
    replay_steps(store, order, aggregates, {}, [&](const Step& step) {
        states += step.before.text() + step.after.text() + ' ';
        return true;
    });
    CHECK(states == "01 12 23 34 ");
}

TEST_CASE("a C++ fold over a read is a replay of one's own", "[replay][fold]") {
    const auto store = store_with_an_order();
    const auto count = [](int n, const Event&) { return n + 1; };
    CHECK(fold(store.read(order), 0, count) == 4);
    CHECK(fold(store.read(stream(order).until(Version{2})), 0, count) == 2);
    CHECK(fold(store.read(order) | ranges::views::filter([](const Event& e) { return e.type != "Shipped"; }), 0,
               count) == 3);
}
