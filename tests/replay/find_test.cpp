// find: the same events as a look at every one of them, by fewer looks.

#include <stele/replay/find.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/store.hpp>

#include "find_plan.hpp"
#include "history.hpp"

#include <random>

using nlohmann::json;
using namespace stele;
using test::minute;

namespace {

sql::Condition condition(const std::string& text) { return {{text, "find"}, sql::Condition::Over::event}; }

// Events at positions 1, 2, 3, …, recorded a minute apart: of three types, on several streams, with tags.
EventStore a_store(int events = 60) {
    auto minutes = std::make_shared<int>(0);
    Options options;
    options.durability = Durability::relaxed;
    options.clock = [minutes] { return minute(*minutes); };
    auto store = EventStore::temporary(options);
    static constexpr const char* types[] = {"Placed", "Paid", "Shipped"};
    for (int n = 1; n <= events; ++n) {
        *minutes = n;
        const StreamId stream{n % 5 == 0 ? "acme" : "", n % 2 == 0 ? "Order" : "Site", std::to_string(n % 4)};
        auto one = event(types[n % 3], {{"n", n}}).tag("n:" + std::to_string(n % 6));
        if (n % 7 == 0) one.tag("seven");
        store.append(stream, expect::any, {std::move(one)});
    }
    return store;
}

test::Numbers found(const EventStore& store, const std::string& text, const Read& read = all(),
                    const FindOptions& options = {}) {
    test::Numbers positions;
    auto compiled = condition(text);
    find(
        store, compiled, read,
        [&](const Event& event) {
            positions.push_back(event.position.value());
            return true;
        },
        options);
    return positions;
}

// By looking at every event.
test::Numbers by_hand(const EventStore& store, const std::string& text, const Read& read = all()) {
    test::Numbers positions;
    auto compiled = condition(text);
    for (const Event& event : store.read(read))
        if (compiled.holds(event)) positions.push_back(event.position.value());
    return positions;
}

std::int64_t looked_at(const EventStore& store, const std::string& text, const Read& read = all()) {
    auto compiled = condition(text);
    return find(store, compiled, read, [](const Event&) { return true; }).looked_at;
}

std::string recorded(int n) { return to_rfc3339(minute(n)); }

}  // namespace

TEST_CASE("find hands over the events for which the condition holds", "[replay][find]") {
    const auto store = a_store(12);
    CHECK(found(store, "$data(n) > 9") == test::Numbers{10, 11, 12});
    CHECK(found(store, "$type = 'Paid'") == test::Numbers{1, 4, 7, 10});
    CHECK(found(store, "$type = 'Paid' AND $data(n) > 5", all().backward()) == test::Numbers{10, 7});
    CHECK(found(store, "$type = 'Lost'").empty());
    CHECK(found(store, "1", all(), {.limit = 2}) == test::Numbers{1, 2});
    CHECK(found(store, "1", all(), {.limit = 0}).empty());
    CHECK(found(store, "$data(n) > 3", stream({"Order", "2"})) == test::Numbers{6});
}

TEST_CASE("what an index knows is not looked at event by event", "[replay][find]") {
    const auto store = a_store(60);
    CHECK(looked_at(store, "$data(n) = 5") == 60);
    CHECK(looked_at(store, "$type = 'Paid' AND $data(n) = 5") == 20);
    CHECK(looked_at(store, "$type IN ('Paid', 'Placed')") == 40);
    CHECK(looked_at(store, "$stream = 'Order/2' AND $version > 3") == 9);
    CHECK(looked_at(store, "$aggregate_type = 'Order'") == 30);
    CHECK(looked_at(store, "$tenant = 'acme'") == 12);
    CHECK(looked_at(store, "$tenant IS NULL") == 48);
    CHECK(looked_at(store, "'seven' IN (SELECT value FROM json_each($tags))") == 8);
    CHECK(looked_at(store, "$position BETWEEN 5 AND 7") == 3);
    CHECK(looked_at(store, "$position > 50 AND $position < 55 AND $type = 'Paid'") == 1);
    CHECK(looked_at(store, "$recorded_at >= '" + recorded(50) + "'") == 11);
    CHECK(looked_at(store, "$event_id = '" + store.at(Position{7})->id.to_string() + "'") == 1);
    CHECK(looked_at(store, "($type = 'Paid' AND $position < 10) OR ($type = 'Placed' AND $position > 50)") == 40);
    CHECK(looked_at(store, "$type = 'Paid' AND $type = 'Placed'") == 0);
    CHECK(looked_at(store, "$type = 'Paid' OR $data(n) = 5") == 60);
    CHECK(looked_at(store, "$type = 'Paid' AND $data(n) = 5", all().aggregate_type("Order")) == 10);
    CHECK(looked_at(store, "$stream = 'no stream'") == 0);
}

TEST_CASE("a raw read finds by its id what an upcaster drops", "[replay][find][upcast]") {
    EventTypes types;
    types.upcast_sql("Noted", 1, "--@ drop", "noted.sql");
    Options options;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    auto store = EventStore::temporary(options);
    store.append({"Site", "1"}, expect::none, {event("Created"), event("Noted")});
    for (const Event& one : store.read(all().raw())) {
        const auto asked = "$event_id = '" + one.id.to_string() + "'";
        CAPTURE(one.type, asked);
        CHECK(found(store, asked, all().raw()) == test::Numbers{one.position.value()});
        CHECK(looked_at(store, asked, all().raw()) == 1);
        CHECK(found(store, asked) == by_hand(store, asked));
    }
}

TEST_CASE("times are compared as the texts that they are", "[replay][find]") {
    const auto store = a_store(20);
    const std::vector<std::string> texts{recorded(10),
                                         std::string{"2026-01-05T10:10"},
                                         std::string{"2026-01-05T10:10:00Z"},
                                         std::string{"2026"},
                                         std::string{""},
                                         std::string{"zzz"},
                                         std::string{"2026-01-06"},
                                         std::string{"2026-01-05T10:10:00.000000Z?"}};
    for (const auto& text : texts) {
        for (const char* comparison : {"=", "<", "<=", ">", ">="}) {
            const auto asked = std::string{"$recorded_at "} + comparison + " '" + text + "'";
            CAPTURE(asked);
            CHECK(found(store, asked) == by_hand(store, asked));
        }
    }
    CHECK(first_moment_from("2026-01-05T10:10") == minute(10));
    CHECK(first_moment_from("2026-01-05T10:10:00Z") == minute(10) + std::chrono::seconds{1});
    CHECK(first_moment_from("") == first_moment);
    CHECK(first_moment_from("zzz") > last_moment);
}

TEST_CASE("any condition: find gives what looking at every event gives", "[replay][find][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto store = a_store(90);
    const auto below = [&](std::uint64_t n) { return static_cast<int>(random() % n); };
    const auto quoted = [](const std::string& text) { return '\'' + text + '\''; };
    const auto comparison = [&] {
        static constexpr const char* all[] = {" = ", " < ", " <= ", " > ", " >= ", " == ", " <> "};
        return std::string{all[below(7)]};
    };
    const auto leaf = [&]() -> std::string {
        switch (below(14)) {
            case 0:
                return "$type = " + quoted(below(2) == 0 ? "Paid" : "Shipped");
            case 1:
                return "$type IN ('Paid', 'Nothing')";
            case 2:
                return "$position" + comparison() + std::to_string(below(100));
            case 3:
                return std::to_string(below(100)) + comparison() + "$position";
            case 4:
                return "$recorded_at" + comparison() + quoted(recorded(below(95)));
            case 5:
                return "$tenant IS NULL";
            case 6:
                return "$tenant = 'acme'";
            case 7:
                return "$aggregate_type = 'Order'";
            case 8:
                return "$stream" + comparison() + quoted("Order/" + std::to_string(below(5)));
            case 9:
                return "'n:" + std::to_string(below(7)) + "' IN (SELECT value FROM json_each($tags))";
            case 10:
                return "$version" + comparison() + std::to_string(below(20));
            case 11:
                return "$position BETWEEN " + std::to_string(below(50)) + " AND " + std::to_string(below(90));
            case 12:
                return "NOT $type = 'Paid'";
            default:
                return "$data(n) % 3 = " + std::to_string(below(3));
        }
    };
    const std::function<std::string(int)> any = [&](int depth) -> std::string {
        if (depth == 0 || below(3) == 0) return leaf();
        const auto join = below(2) == 0 ? " AND " : " OR ";
        auto text = any(depth - 1) + join + any(depth - 1);
        return below(2) == 0 ? "(" + text + ")" : text;
    };
    for (int round = 0; round < 400; ++round) {
        const auto asked = any(3);
        CAPTURE(round, asked);
        Read read = all();
        if (below(4) == 0) read.types({"Paid", "Placed"});
        if (below(4) == 0) read.stream({"Order", "2"});
        if (below(4) == 0) read.after(Position{below(50)});
        if (below(4) == 0) read.backward();
        REQUIRE(found(store, asked, read) == by_hand(store, asked, read));
    }
}

TEST_CASE("the plan says what it narrowed the read to", "[replay][find]") {
    const auto store = a_store(10);
    const auto plan = plan_find(store, condition("$type = 'Paid' AND $position > 4 AND $data(n) = 7"));
    CHECK(plan.narrowed_to == std::vector<std::string>{"events: (type Paid)", "positions: from 5"});
    CHECK_THAT(plan.way, ContainsSubstring("by the index of types"));
    CHECK(plan_find(store, condition("$data(n) = 7")).way == "through the log");
    CHECK(plan_find(store, condition("$stream = 'Order/2'")).way == "along the stream Order/2");
    CHECK(plan_find(store, condition("$type = 'A' AND $type = 'B'")).nothing);
}

TEST_CASE("for counting, only what the condition asks for is fetched", "[replay][find]") {
    const auto store = a_store(10);
    auto large = condition("$data(n) > 5");
    const auto counted = find(store, large, all(),
                              [](const Event& event) {
                                  CHECK(event.tags.empty());
                                  return true;
                              },
                              {.whole_events = false});
    CHECK(counted.events == 5);
    CHECK(counted.looked_at == 10);
}
