// Listeners over upcast events: the pieces of a stored event are one delivery, and nothing is delivered past an
// event that cannot be upcast (D1).
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/schema/event_types.hpp>

#include <set>

using namespace stele;
using namespace std::chrono_literals;
using nlohmann::json;
using test::after;
using test::with;

namespace {

/// Placed becomes Opened and two Lines.
EventTypes shop() {
    EventTypes types;
    types.upcast_sql("Placed", 1, "--@ into Opened\n'{}'\n--@ into Line\n'{\"n\":1}'\n--@ into Line\n'{\"n\":2}'\n",
                     "split.sql");
    return types;
}

EventStore store_with(EventTypes types) {
    Options options;
    options.durability = Durability::relaxed;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    return EventStore::temporary(options);
}

/// `position.piece` of each that was delivered.
class Pieces {
public:
    [[nodiscard]] test::Receiver::Decide decide(std::string failing_at = {}) {
        return [seen = seen_, failing_at = std::move(failing_at)](const Event& event, const Delivery&) {
            const auto piece = std::to_string(event.position.value()) + "." + std::to_string(event.piece);
            if (piece == failing_at) throw std::runtime_error{"no answer"};
            seen->push_back(piece);
        };
    }
    [[nodiscard]] std::vector<std::string> take() { return std::exchange(*seen_, {}); }

private:
    std::shared_ptr<std::vector<std::string>> seen_ = std::make_shared<std::vector<std::string>>();
};
using Seen = std::vector<std::string>;

}  // namespace

TEST_CASE("a listener gets every piece that it selects, each with a key of its own", "[listener][upcast]") {
    auto store = store_with(shop());
    test::seed(store, test::order("a"), {"Placed", "Paid", "Placed"});
    Pieces pieces;
    const test::Receiver receiver{pieces.decide()};
    Runner runner{store};
    runner.add(listener("lines", matching(types("Line", "Paid")), receiver.function()));
    test::step_through(runner);

    CHECK(pieces.take() == Seen{"1.1", "1.2", "2.0", "3.1", "3.2"});
    std::set<std::string> keys;
    for (const auto& one : receiver.got()) keys.insert(one.key);
    CHECK(keys.size() == 5);
    CHECK(listener_status(store, runner.listeners(), "lines").position == Position{3});

    runner.step(100);
    CHECK(pieces.take().empty());
}

TEST_CASE("a delivery that fails at a piece goes on from there, and after a restart from the first one",
          "[listener][upcast]") {
    auto store = store_with(shop());
    test::FakeClock clock;
    test::seed(store, test::order("a"), {"Placed", "Paid"});
    test::seed(store, test::order("b"), {"Placed"});
    Pieces pieces;
    test::Receiver receiver{pieces.decide("1.1")};
    const auto make = [&] {
        auto runner = std::make_unique<Runner>(store, with(clock));
        runner->add(listener("all", Query{}, receiver.function(), {.retry = after({30s}, 5)}));
        return runner;
    };
    auto runner = make();
    test::step_through(*runner);
    CHECK(pieces.take() == Seen{"1.0", "3.0", "3.1", "3.2"});  // the stream waits, others go on (D2)

    SECTION("in the same process") {
        receiver.decide(pieces.decide());
        clock.advance(30s);
        test::step_through(*runner);
        CHECK(pieces.take() == Seen{"1.1", "1.2", "2.0"});
    }
    SECTION("in the next one") {
        runner.reset();
        receiver.decide(pieces.decide());
        clock.advance(30s);
        runner = make();
        test::step_through(*runner);
        CHECK(pieces.take() == Seen{"1.0", "1.1", "1.2", "2.0"});
    }
    CHECK(listener_status(store, runner->listeners(), "all").parked == 0);
}

TEST_CASE("a dead letter is read again, upcast, when it is tried again (D3)", "[listener][upcast]") {
    bool is_new = false;
    EventTypes types;
    types.upcast("Paid", 1, [&](json data) {
        data["amount"] = is_new ? 42 : -1;
        return data;
    });
    auto store = store_with(std::move(types));
    test::seed(store, test::order("a"), {"Paid"});
    std::vector<int> amounts;
    const test::Receiver receiver{[&](const Event& event, const Delivery&) {
        const auto amount = event.data.value().at("amount").get<int>();
        if (amount < 0) throw Permanent{"an amount below zero"};
        amounts.push_back(amount);
    }};
    Runner runner{store};
    runner.add(listener("bill", matching(::types("Paid")), receiver.function()));
    test::step_through(runner);
    const auto letters = dead_letters(store, {});
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].position == Position{1});

    is_new = true;
    (void)retry_dead_letters(store, {.id = letters[0].id}, false);
    test::step_through(runner);
    CHECK(amounts == std::vector<int>{42});
}

TEST_CASE("nothing is delivered past an event that cannot be upcast, and all of it once it can be (D1)",
          "[listener][upcast]") {
    bool broken = true;
    EventTypes types;
    types.upcast("Paid", 1, [&](json data) {
        if (broken) throw std::runtime_error{"no such currency"};
        return data;
    });
    auto store = store_with(std::move(types));
    test::seed(store, test::order("a"), {"Opened", "Opened"});
    test::seed(store, test::order("b"), {"Paid"});
    test::seed(store, test::order("a"), {"Opened"});
    const test::Receiver receiver;
    std::vector<std::string> news;
    RunnerOptions options;
    options.news = [&](const RunnerNews& one) {
        if (one.kind == RunnerNews::Kind::trouble) news.push_back(one.text);
    };
    Runner runner{store, options};
    runner.add(listener("all", Query{}, receiver.function()));
    runner.add(listener("opened", matching(::types("Opened")), receiver.function()));
    test::step_through(runner);
    const auto of_all = [&] { return listener_status(store, runner.listeners(), "all"); };
    CHECK(receiver.positions() == test::Numbers{1, 2, 1, 2, 4});
    CHECK(of_all().position < Position{3});
    REQUIRE(!news.empty());
    CHECK_THAT(news.front(), ContainsSubstring("position 3, Order/b version 1, Paid v1: no such currency"));

    broken = false;
    runner.step(100);
    test::step_through(runner);
    CHECK(receiver.got().size() == 7);
    CHECK(of_all().position == Position{4});
}
