// Listeners over upcast events: the pieces of a stored event are one delivery, and nothing is delivered past an
// event that cannot be upcast (D1).
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/steering.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/temporary_folder.hpp>

#include <condition_variable>
#include <mutex>
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

TEST_CASE("a listener that names an aggregate type by a name of before gets its events", "[listener][upcast]") {
    EventTypes types;
    types.rename_aggregate("Cart", "Order");
    auto store = store_with(std::move(types));
    test::seed(store, test::order("a"), {"Paid", "Paid"});
    const test::Receiver receiver;
    Runner runner{store};
    runner.add(listener("carts", Query{{{.aggregate_type = "Cart"}}}, receiver.function()));
    runner.add(listener("cart", matching(StreamId{"Cart", "a"}), receiver.function()));
    test::step_through(runner);
    CHECK(receiver.got().size() == 4);
    CHECK(listener_status(store, runner.listeners(), "carts").position == Position{2});
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
    CHECK(of_all().state == "live");
    CHECK_THAT(of_all().error, ContainsSubstring("position 3, Order/b version 1, Paid v1: no such currency"));

    broken = false;
    runner.step(100);
    test::step_through(runner);
    CHECK(receiver.got().size() == 7);
    CHECK(of_all().position == Position{4});
    CHECK(of_all().error.empty());
}

namespace {

/// A folder that stores are opened in with one set of upcasters after another, as by one release after another.
class Releases {
public:
    [[nodiscard]] EventStore open(EventTypes types) const {
        Options options;
        options.durability = Durability::relaxed;
        options.event_types = std::make_shared<const EventTypes>(std::move(types));
        return EventStore::open((folder_ / "log.stele").string(), options);
    }

private:
    test::TemporaryFolder folder_{test::memory()};
};

/// Paid of the stream Order/a cannot be upcast.
EventTypes broken_for_a() {
    EventTypes types;
    types.upcast("Paid", 1, [](json data, const Event& event) {
        if (event.stream == test::order("a")) throw std::runtime_error{"no such currency"};
        return data;
    });
    return types;
}

}  // namespace

TEST_CASE("a parked event that can no longer be upcast holds up its own key alone, until it can be again (D2)",
          "[listener][upcast]") {
    const Releases releases;
    test::FakeClock clock;
    const auto run = [&](EventStore& store, const test::Receiver& receiver, auto&& check) {
        Runner runner{store, with(clock)};
        runner.add(
            listener("bill", matching(types("Opened", "Paid")), receiver.function(), {.retry = after({30s}, 10)}));
        test::step_through(runner);
        check([&] { return listener_status(store, runner.listeners(), "bill"); }, runner);
    };
    {
        // Order/a: 1 fails, 2 and 5 wait behind it. Order/b: 3 fails. Order/c: nothing fails.
        auto store = releases.open({});
        test::seed(store, test::order("a"), {"Paid", "Opened"});
        test::seed(store, test::order("b"), {"Paid"});
        test::seed(store, test::order("c"), {"Paid"});
        test::seed(store, test::order("a"), {"Paid"});
        const test::Receiver receiver{test::failing_at({Position{1}, Position{3}})};
        run(store, receiver, [&](const auto& status, Runner&) {
            CHECK(receiver.positions() == test::Numbers{4});
            CHECK(status().parked == 4);
        });
    }
    clock.advance(30s);
    {
        auto store = releases.open(broken_for_a());
        test::seed(store, test::order("b"), {"Opened"});
        const test::Receiver receiver;
        run(store, receiver, [&](const auto& status, Runner& runner) {
            CHECK(receiver.positions() == test::Numbers{3, 6});  // Order/b goes on, and the log is read on
            CHECK(status().state == "live");
            CHECK(status().position == Position{6});
            CHECK(status().parked == 3);
            CHECK(status().next_retry == clock.now() + 30s);
            CHECK(status().counts.failed_by_cause.at("upcast") == 1);
            const auto stored = test::events_in(store, all().raw().until(Position{1}));
            const auto told = explain_event(store, runner.listeners(), stored.at(0)).at(0);
            CHECK(told.fate == "parked");
            CHECK(told.attempts == 2);
            CHECK_THAT(told.error, ContainsSubstring("Paid v1: no such currency"));

            clock.advance(30s);  // each attempt counts
            test::step_through(runner);
            CHECK(status().counts.failed_by_cause.at("upcast") == 2);
            CHECK(status().parked == 3);
        });
    }
    clock.advance(30s);
    auto store = releases.open({});
    const test::Receiver receiver;
    run(store, receiver, [&](const auto& status, Runner&) {
        CHECK(receiver.positions() == test::Numbers{1, 2, 5});
        CHECK(receiver.got().front().attempt == 4);
        CHECK(status().parked == 0);
    });
}

TEST_CASE("one that can no longer be upcast behind a parked event waits for it, and goes on behind it (D2)",
          "[listener][upcast]") {
    const Releases releases;
    test::FakeClock clock;
    const auto add = [](Runner& runner, const test::Receiver& receiver) {
        runner.add(listener("bill", Query{}, receiver.function(), {.retry = after({30s}, 10)}));
    };
    {
        auto store = releases.open({});
        test::seed(store, test::order("a"), {"Opened", "Paid", "Opened", "Opened"});
        const test::Receiver receiver{test::failing_at({Position{1}})};
        Runner runner{store, with(clock)};
        add(runner, receiver);
        test::step_through(runner);
        CHECK(receiver.got().empty());
    }
    clock.advance(30s);
    bool is_broken = true;
    EventTypes types;
    types.upcast("Paid", 1, [&](json data) {
        if (is_broken) throw std::runtime_error{"no such currency"};
        return data;
    });
    auto store = releases.open(std::move(types));
    const test::Receiver receiver;
    Runner runner{store, with(clock)};
    add(runner, receiver);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1});
    CHECK(listener_status(store, runner.listeners(), "bill").parked == 3);

    is_broken = false;
    clock.advance(30s);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 2, 3, 4});
}

TEST_CASE("the last attempt at an event that cannot be upcast makes a dead letter that says so (D3)",
          "[listener][upcast]") {
    const Releases releases;
    test::FakeClock clock;
    const auto options = ListenerOptions{.retry = after({30s}, 2)};
    {
        auto store = releases.open({});
        test::seed(store, test::order("a"), {"Paid", "Opened"});
        const test::Receiver receiver{test::failing_at({Position{1}})};
        Runner runner{store, with(clock)};
        runner.add(listener("bill", Query{}, receiver.function(), options));
        test::step_through(runner);
    }
    clock.advance(30s);
    {
        auto store = releases.open(broken_for_a());
        const test::Receiver receiver;
        Runner runner{store, with(clock)};
        runner.add(listener("bill", Query{}, receiver.function(), options));
        test::step_through(runner);
        const auto letters = dead_letters(store, {});
        REQUIRE(letters.size() == 1);
        CHECK(letters[0].position == Position{1});
        CHECK(letters[0].cause == "upcast");
        CHECK_THAT(letters[0].error, ContainsSubstring("no such currency"));
        CHECK(receiver.positions() == test::Numbers{2});

        (void)retry_dead_letters(store, {.id = letters[0].id}, false);  // due at once, by the real clock
    }
    const auto catch_up = std::chrono::system_clock::now() - clock.now();
    clock.advance(std::chrono::ceil<std::chrono::milliseconds>(catch_up) + 1h);
    {
        // Tried again while nothing has changed, it stays a dead letter.
        auto store = releases.open(broken_for_a());
        const test::Receiver receiver;
        Runner runner{store, with(clock)};
        runner.add(listener("bill", Query{}, receiver.function(), options));
        test::step_through(runner);
        clock.advance(30s);
        test::step_through(runner);
        REQUIRE(dead_letters(store, {}).size() == 1);
        CHECK(dead_letters(store, {})[0].attempts == 4);
        CHECK_FALSE(dead_letters(store, {})[0].retrying);
        (void)retry_dead_letters(store, {.id = dead_letters(store, {})[0].id}, false);
    }
    auto store = releases.open({});
    const test::Receiver receiver;
    Runner runner{store, with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), options));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1});
    CHECK(dead_letters(store, {}).empty());
}

TEST_CASE("an event that was under way and can no longer be upcast stops the log, and no retry of another key (D2)",
          "[listener][upcast]") {
    const Releases releases;
    test::FakeClock clock;
    const auto options = ListenerOptions{.retry = after({30s}, 10)};
    {
        // Order/b: 1 fails. Order/a: 2 is under way when the runner ends.
        auto store = releases.open({});
        test::seed(store, test::order("b"), {"Paid"});
        test::seed(store, test::order("a"), {"Paid"});
        const test::Receiver receiver{[](const Event& event, const Delivery& delivery) {
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock{mutex};
            if (event.position == Position{2}) never.wait_for(lock, delivery.stop(), 10s, [] { return false; });
            throw std::runtime_error{"no answer"};
        }};
        auto how = with(clock);
        how.stop_within = 20ms;
        Runner runner{store, how};
        runner.add(listener("bill", Query{}, receiver.function(), options));
        runner.start();
        REQUIRE(receiver.await_tried(2));
        runner.stop();
        const auto status = listener_status(store, runner.listeners(), "bill");
        CHECK(status.parked == 1);
        CHECK(status.under_way == 1);
    }
    clock.advance(30s);
    bool is_broken = true;
    EventTypes types;
    types.upcast("Paid", 1, [&](json data, const Event& event) {
        if (is_broken && event.stream == test::order("a")) throw std::runtime_error{"no such currency"};
        return data;
    });
    auto store = releases.open(std::move(types));
    test::seed(store, test::order("c"), {"Paid"});
    const test::Receiver receiver;
    Runner runner{store, with(clock)};
    runner.add(listener("bill", Query{}, receiver.function(), options));
    const auto status = [&] { return listener_status(store, runner.listeners(), "bill"); };
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1});
    CHECK(status().position == Position{1});
    CHECK_THAT(status().error, ContainsSubstring("position 2, Order/a version 1, Paid v1: no such currency"));

    is_broken = false;
    runner.step(100);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 2, 3});
    CHECK(status().error.empty());
    CHECK(status().position == Position{3});
}
