// Sync listeners: within append(), tried once.
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>

#include <thread>

using namespace stele;
using namespace std::chrono_literals;

TEST_CASE("a sync listener has seen an event when append returns, whichever thread appends", "[listeners][sync]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    std::mutex mutex;
    std::vector<Event> seen;
    Runner runner{store};
    runner.add(listener("count", matching(types("OrderPaid")),
                        [&](const Event& event, const Delivery&) {
                            const std::lock_guard lock{mutex};
                            seen.push_back(event);
                        },
                        {.mode = ListenerMode::sync}));
    test::seed(store, test::order("before"), {"OrderPaid"});  // before the runner began: not seen
    runner.start();
    const auto has_seen = [&](Position position) {
        const std::lock_guard lock{mutex};
        return std::any_of(seen.begin(), seen.end(),
                           [&](const Event& event) { return event.position == position; });
    };
    std::atomic<int> missed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                const auto appended =
                    test::seed(store, test::order(std::to_string(t)), {"OrderPlaced", "OrderPaid"});
                if (!has_seen(appended.last_position)) ++missed;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(missed == 0);
    REQUIRE(seen.size() == 200);
    const auto log = test::events_in(store, Read{matching(types("OrderPaid"))});
    for (std::size_t i = 0; i < seen.size(); ++i) {
        CHECK(seen[i].position == log[i + 1].position);  // in the order of the log, each once
        CHECK(seen[i].version == log[i + 1].version);    // P3: as it stands in the log
        CHECK(seen[i].recorded_at == log[i + 1].recorded_at);
    }
}

TEST_CASE("what a sync listener writes names the event as its cause", "[listeners][sync][causation]") {
    auto store = EventStore::temporary();
    auto other = EventStore::temporary();
    Runner runner{store};
    runner.add(listener("copy", Query{},
                        [&](const Event& event, const Delivery&) {
                            other.append(event.stream, expect::any, {stele::event("Copied")});
                        },
                        {.mode = ListenerMode::sync}));
    runner.start();
    test::seed(store, test::order("a"), {"OrderPaid"});
    CHECK(other.at(Position{1})->metadata.value().at("causation_id") == store.at(Position{1})->id.to_string());
}

TEST_CASE("a sync listener that fails makes a dead letter, and the append stands", "[listeners][sync]") {
    auto store = EventStore::temporary();
    int calls = 0;
    std::vector<std::string> news;
    RunnerOptions options;
    options.news = [&](const RunnerNews& one) {
        if (one.kind == RunnerNews::Kind::dead) news.push_back(one.text);
    };
    Runner runner{store, options};
    runner.add(listener("count", Query{},
                        [&](const Event& event, const Delivery& delivery) {
                            ++calls;
                            CHECK(delivery.is_last_attempt());
                            if (event.type == "OrderLost") throw std::runtime_error{"cannot count that"};
                        },
                        {.mode = ListenerMode::sync}));
    test::step_through(runner);
    CHECK_NOTHROW(test::seed(store, test::order("a"), {"OrderPaid", "OrderLost", "OrderPaid"}));
    CHECK(calls == 3);
    const auto dead = dead_letters(store, {});
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].position == Position{2});
    CHECK(dead[0].error == "cannot count that");
    CHECK(test::types_in(store).size() == 3);
    test::step_through(runner);
    CHECK(calls == 3);  // tried once
    CHECK(news.size() == 1);
}

TEST_CASE("a sync listener sees what another object of the store has appended, before the next of its own",
          "[listeners][sync]") {
    auto store = EventStore::temporary();
    auto other = EventStore::open(store.name());
    const test::Receiver receiver;
    Runner runner{store};
    runner.add(listener("count", Query{}, receiver.function(), {.mode = ListenerMode::sync}));
    test::step_through(runner);
    test::seed(other, test::order("a"), {"OrderPaid"});
    test::seed(store, test::order("b"), {"OrderPaid"});
    CHECK(receiver.positions() == test::Numbers{1, 2});
}
