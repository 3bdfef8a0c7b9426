// Listeners whose effect is an append: each event has its effect exactly once.
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>

using namespace stele;
using namespace std::chrono_literals;
using test::after;

namespace {

using Compose = std::function<void(const Event&, const Delivery&, Append&)>;

void answer(const Event& event, const Delivery&, Append& append) {
    append.to(StreamId{"Answer", std::to_string(event.position.value())}, expect::any, {stele::event("Answered")});
}

Compose failing(std::vector<Position> positions) {
    return [decide = test::failing_at(std::move(positions))](const Event& event, const Delivery& delivery,
                                                             Append& append) {
        decide(event, delivery);
        answer(event, delivery, append);
    };
}

// The events that were answered, in the order of their answers.
std::vector<std::string> answered(const EventStore& store) {
    std::vector<std::string> ids;
    for (const auto& event : test::events_in(store, Read{matching(types("Answered"))}))
        ids.emplace_back(event.stream.aggregate_id());
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("an append of a listener stands in the log once, with its cause, whoever runs it again",
          "[listeners][append]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b"}, 2);
    for (int run = 0; run < 2; ++run) {
        Runner runner{store};
        runner.add(appending_listener("answer", matching(types("OrderPaid")), answer));
        test::step_through(runner);
    }
    CHECK(answered(store) == Ids{"1", "2", "3", "4"});
    const auto effect = test::events_in(store, Read{matching(types("Answered"))})[0];
    const auto cause = store.at(Position{1})->id.to_string();
    CHECK(effect.metadata.value().at("causation_id") == cause);
    CHECK(effect.metadata.value().at("correlation_id") == cause);
    CHECK(effect.metadata.value().at("listener") == "answer");
}

TEST_CASE("a listener that hears everything does not answer itself", "[listeners][append]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 3);
    Runner runner{store};
    runner.add(appending_listener("answer", Query{}, answer));
    test::step_through(runner);
    CHECK(answered(store) == Ids{"1", "2", "3"});
}

// Control.db is lost whole: what was appended says how far the listener is.
TEST_CASE("what was appended is not appended again when control.db knows nothing of it",
          "[listeners][append][L6]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 3);
    const auto run = [&] {
        Runner runner{store};
        runner.add(appending_listener("answer", matching(types("OrderPaid")), answer));
        test::step_through(runner);
    };
    run();
    {
        test::KeptRows rows{store};
        rows.control().write(ControlDb::Sync::none,
                             [](sqlite3* db) { sql::execute(db, "DELETE FROM listeners; DELETE FROM parked"); });
    }
    test::seed_in_turns(store, {"a"}, 1);
    run();
    CHECK(answered(store) == Ids{"1", "2", "3", "7"});
}

TEST_CASE("an effect that cannot be composed parks its key, and others go on", "[listeners][append]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b"}, 2);  // a: 1 3, b: 2 4
    std::vector<Position> failing_now{Position{1}};
    Runner runner{store, test::with(clock)};
    runner.add(appending_listener("answer", matching(types("OrderPaid")),
                                  [&](const Event& event, const Delivery& delivery, Append& append) {
                                      failing(failing_now)(event, delivery, append);
                                  },
                                  {.retry = after({30s}, 5)}));
    test::step_through(runner);
    CHECK(answered(store) == Ids{"2", "4"});
    failing_now.clear();
    clock.advance(30s);
    test::step_through(runner);
    CHECK(answered(store) == Ids{"2", "4", "1", "3"});
}

TEST_CASE("an event that needs no effect is passed over", "[listeners][append]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 4);
    Runner runner{store};
    runner.add(appending_listener("answer", matching(types("OrderPaid")),
                                  [](const Event& event, const Delivery& delivery, Append& append) {
                                      if (event.position.value() == 3) answer(event, delivery, append);
                                  }));
    test::step_through(runner);
    CHECK(answered(store) == Ids{"3"});
    CHECK(listener_status(store, runner.listeners(), "answer").position >= Position{4});
    CHECK(dead_letters(store, {}).empty());
}

TEST_CASE("an effect whose expectation does not hold is a failed delivery, and others stand",
          "[listeners][append]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c"}, 1);
    Runner runner{store};
    runner.add(appending_listener("answer", matching(types("OrderPaid")),
                                  [](const Event& event, const Delivery&, Append& append) {
                                      const bool is_second = event.position == Position{2};
                                      append.to(StreamId{"Answer", std::to_string(event.position.value())},
                                                is_second ? expect::exactly(7) : expect::none,
                                                {stele::event("Answered")});
                                  },
                                  {.retry = after({}, 1)}));
    test::step_through(runner);
    CHECK(answered(store) == Ids{"1", "3"});
    REQUIRE(dead_letters(store, {}).size() == 1);
    CHECK(dead_letters(store, {})[0].cause == "conflict");
}

TEST_CASE("an effect that breaks a rule of the log is a failed delivery of its own event", "[listeners][append]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b", "c"}, 1);
    Runner runner{store};
    runner.add(appending_listener("answer", matching(types("OrderPaid")),
                                  [](const Event& event, const Delivery& delivery, Append& append) {
                                      answer(event, delivery, append);
                                      if (event.position == Position{2})
                                          append.to(StreamId{"Answer", "x"}, expect::any, {stele::event("")});
                                  },
                                  {.retry = after({}, 1)}));
    test::step_through(runner);
    CHECK(answered(store) == Ids{"1", "3"});
    REQUIRE(dead_letters(store, {}).size() == 1);
    CHECK(dead_letters(store, {})[0].position == Position{2});
}
