// Properties that hold for any history: random ones, over a real store, by the default and by an aggregate file.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/json_diff.hpp>
#include <stele/replay/replay.hpp>
#include <stele/test/store.hpp>

#include "history.hpp"

#include <random>

using nlohmann::json;
using namespace stele;

namespace {

const StreamId thing{"Thing", "1"};

// What merge_patch() is defined to do with data that is an object, said in SQL.
constexpr const char* default_in_sql = R"(--@ aggregate Thing version 1
--@ on *
json_set(json_patch($state, $data), '$."$type"', $type)
)";

// Keeps the last values in a list and counts: a state that shrinks and grows, and members that come and go.
constexpr const char* window_in_sql = R"(--@ aggregate Thing version 1
--@ initial
json_object('count', 0, 'last', json_array())
--@ on Removed
json_remove($state, '$.last[0]', '$.mark')
--@ on Marked
json_set($state, '$.mark', $version)
--@ on *
json_set($state, '$.count', $state ->> '$.count' + 1, '$.last[#]', json($data))
)";

json random_value(std::mt19937_64& random, int depth) {
    const auto below = [&](std::uint64_t n) { return random() % n; };
    switch (below(depth > 0 ? 7 : 5)) {
        case 0:
            return nullptr;
        case 1:
            return below(10);
        case 2:
            return "text " + std::to_string(below(10));
        case 3:
            return below(2) == 0;
        case 4:
            return json::array({below(3), below(3)});
        default: {
            auto object = json::object();
            for (auto n = below(4); n > 0; --n)
                object[std::string(1, static_cast<char>('a' + below(4)))] = random_value(random, depth - 1);
            return object;
        }
    }
}

// A store with `length` events of `thing`, and others between them.
EventStore random_store(std::mt19937_64& random, int length) {
    static constexpr const char* types[] = {"Changed", "Removed", "Marked", "Touched"};
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    for (int n = 0; n < length; ++n) {
        auto data = random_value(random, 3);
        if (!data.is_object()) data = json{{"value", std::move(data)}};
        store.append(thing, expect::any, {event(types[random() % 4], data)});
        if (random() % 3 == 0) store.append({"Thing", "2"}, expect::any, {event("Changed")});
    }
    return store;
}

void check_properties(const EventStore& store, const Aggregate& aggregate) {
    const auto events = test::events_in(store, thing);

    // The state at version n is the fold of the first n events.
    std::vector<State> at{Replay{thing, aggregate}.state()};
    Replay run{thing, aggregate};
    for (const Event& event : events) {
        run.apply(event);
        at.push_back(run.state());
        REQUIRE(replay(store, thing, aggregate, {.at_version = event.version}) == at.back());
        REQUIRE(replay(store, thing, aggregate, {.at_position = event.position}) == at.back());
    }

    // The patches of the steps, applied in order, lead from the first state to the last one through all of them.
    auto patched = at.front().json.value();
    std::size_t n = 0;
    const auto last = replay_steps(store, thing, aggregate, {}, [&](const Step& step) {
        REQUIRE(step.before == at[n].json);
        REQUIRE(step.after == at[++n].json);
        patched = patched.patch(step.changes);
        REQUIRE(json_same(patched, step.after.value()));
        return true;
    });
    REQUIRE(n == events.size());
    REQUIRE(last == at.back());

    // A fold that goes on from any state on the way ends where the whole one ends.
    for (std::size_t from = 0; from < at.size(); ++from) {
        Replay resumed{thing, aggregate};
        resumed.resume(at[from]);
        for (std::size_t i = from; i < events.size(); ++i) resumed.apply(events[i]);
        REQUIRE(resumed.state() == at.back());
    }
}

}  // namespace

TEST_CASE("any history: versions, steps and resumed folds agree", "[replay][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto window = AggregateFile::parse(window_in_sql, "window.sql");
    for (int round = 0; round < 4; ++round) {
        const auto store = random_store(random, 1 + static_cast<int>(random() % 40));
        check_properties(store, merge_patch());
        check_properties(store, window);
    }
}

TEST_CASE("any history of objects: the default state is what its definition in SQL gives", "[replay][random]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto in_sql = AggregateFile::parse(default_in_sql, "default.sql");
    for (int round = 0; round < 10; ++round) {
        const auto store = random_store(random, 40);
        CHECK(replay(store, thing, merge_patch()).json.value() == replay(store, thing, in_sql).json.value());
    }
}
