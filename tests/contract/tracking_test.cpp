// Tracking: how far a source was taken in, in the same transaction as the events that came of it.
#include "contract.hpp"

using namespace stele;
using test::Contract;

namespace {

const StreamId copy{"Copy", "copy-1"};

}  // namespace

TEST_CASE_METHOD(Contract, "a source is unknown until something of it was taken in", "[contract][tracking]") {
    auto store = open();
    CHECK_FALSE(store.tracked("feed").has_value());
    store.append(Append{}.to(copy, expect::any, {test::event("Copied")}).tracking("feed", 3, "page 1"));
    CHECK(store.tracked("feed") == Tracking{"feed", 3, "page 1"});
    CHECK_FALSE(store.tracked("Feed").has_value());
    CHECK_FALSE(store.tracked("feed2").has_value());
}

TEST_CASE_METHOD(Contract, "tracking may stand without events", "[contract][tracking]") {
    auto store = open();
    test::seed(store, copy, {"before"});
    const auto appended = store.append(Append{}.tracking("feed", 10, "nothing of interest"));
    CHECK(appended.first_position == Position{0});
    CHECK_FALSE(appended.duplicate);
    CHECK(store.head() == Position{1});
    CHECK(store.tracked("feed") == Tracking{"feed", 10, "nothing of interest"});

    CHECK(test::outcome<TrackingConflict>(store.try_append(Append{}.tracking("feed", 10))).expected_above == 10);
    CHECK(test::outcome<TrackingConflict>(store.try_append(Append{}.tracking("feed", 9))).given == 9);
    CHECK(store.tracked("feed") == Tracking{"feed", 10, "nothing of interest"});
    store.append(Append{}.tracking("feed", 11));
    CHECK(open().tracked("feed") == Tracking{"feed", 11, ""});
}

TEST_CASE_METHOD(Contract, "tracking without events obeys conditions too", "[contract][tracking]") {
    auto store = open();
    test::seed(store, copy, {"Closed"});
    const auto append = Append{}.tracking("feed", 1).unless(matching(types("Closed")));
    CHECK(test::outcome<ConditionConflict>(store.try_append(append)).position == Position{1});
    CHECK_FALSE(store.tracked("feed").has_value());
}

TEST_CASE_METHOD(Contract, "a refused append does not move its source, and a refused source brings no events",
                 "[contract][tracking]") {
    auto store = open();
    store.append(Append{}.to(copy, expect::none, {test::event("a")}).tracking("feed", 5));
    const auto stale = Append{}.to(copy, expect::none, {test::event("b")}).tracking("feed", 6);
    CHECK(std::holds_alternative<VersionConflict>(store.try_append(stale)));
    CHECK(store.tracked("feed") == Tracking{"feed", 5, ""});

    const auto late = Append{}.to(copy, expect::exactly(1), {test::event("c")}).tracking("feed", 4);
    const auto conflict = test::outcome<TrackingConflict>(store.try_append(late));
    CHECK(conflict.expected_above == 5);
    CHECK(conflict.given == 4);
    CHECK(test::types_in(store) == std::vector<std::string>{"a"});
}

TEST_CASE_METHOD(Contract, "sources go forward each on its own", "[contract][tracking]") {
    auto store = open();
    for (std::int64_t position = 1; position <= 3; ++position) {
        for (const char* source : {"a", "b", "a b", "ä", "a'b"}) {
            CAPTURE(source, position);
            store.append(Append{}.tracking(source, position * 1'000'000'000'000));
            CHECK(store.tracked(source)->position == position * 1'000'000'000'000);
        }
    }
}

TEST_CASE_METHOD(Contract, "a note is kept byte for byte up to its limit", "[contract][tracking]") {
    auto store = open();
    std::string note(4096, 'n');
    note[7] = '\'';
    note[8] = '\n';
    store.append(Append{}.tracking("feed", 1, note));
    CHECK(store.tracked("feed")->note == note);
    CHECK_THROWS_AS(store.append(Append{}.tracking("feed", 2, note + "n")), InvalidInput);
    CHECK(store.tracked("feed")->position == 1);
}

// A listener that appends does so exactly once: it takes the position that it has read up to along with its events.
TEST_CASE_METHOD(Contract, "a copier that starts again from the tracked position copies each event once",
                 "[contract][tracking]") {
    auto source = EventStore::temporary();
    for (int i = 0; i < 50; ++i) test::seed(source, StreamId{"Site", std::to_string(i % 3)}, {std::to_string(i)});
    auto store = open();
    const auto copy_some = [&](std::size_t count) {
        const auto done = store.tracked("source").value_or(Tracking{}).position;
        for (const Event& event : source.read(all().after(Position{done}).limit(count))) {
            store.append(Append{}
                             .to(copy, expect::any, {test::event(event.type)})
                             .tracking("source", event.position.value()));
        }
    };
    for (int run = 0; run < 10; ++run) {
        copy_some(7);
        store = open();
    }
    CHECK(test::types_in(store) == test::types_in(source));
}
