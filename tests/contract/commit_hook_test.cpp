// What runs between a commit and the answers to its appends, and waiting for the log to grow.
#include "contract.hpp"

#include <atomic>
#include <mutex>
#include <stop_token>
#include <thread>

using namespace stele;
using test::Contract;
using namespace std::chrono_literals;

namespace {

const StreamId order{"Order", "order-7"};

Append one_event() { return Append{}.to(order, expect::any, {test::event("OrderChanged")}); }

}  // namespace

TEST_CASE_METHOD(Contract, "a hook runs before its append returns and finds the events", "[contract][hook]") {
    auto store = open();
    std::atomic<std::int64_t> seen = 0;
    const auto hook = store.after_commit([&](Position last) {
        if (store.at(last)) seen = last.value();
    });
    for (int i = 1; i <= 5; ++i) CHECK(seen == store.append(one_event()).last_position.value());

    store.append(order, expect::any, {test::event("A"), test::event("B"), test::event("C")});
    CHECK(seen == 8);
    CHECK(test::outcome<Appended>(store.append_async(one_event()).get()).last_position == Position{9});
    CHECK(seen == 9);
}

TEST_CASE_METHOD(Contract, "no append of a group returns before the hook has seen it", "[contract][hook]") {
    auto store = open();
    std::atomic<std::int64_t> seen = 0;
    const auto hook = store.after_commit([&](Position last) {
        auto known = seen.load();
        while (known < last.value() && !seen.compare_exchange_weak(known, last.value())) continue;
    });
    std::atomic<int> early = 0;
    {
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < 4; ++writer) {
            writers.emplace_back([&] {
                for (int i = 0; i < 100; ++i) {
                    if (store.append(one_event()).last_position.value() > seen) ++early;
                }
            });
        }
    }
    CHECK(early == 0);
    CHECK(seen == 400);

    std::vector<std::future<AppendResult>> answers;
    for (int i = 0; i < 200; ++i) answers.push_back(store.append_async(one_event()));
    for (auto& answer : answers) {
        if (test::outcome<Appended>(answer.get()).last_position.value() > seen) ++early;
    }
    CHECK(early == 0);
}

TEST_CASE_METHOD(Contract, "a repetition is an append for the hook and a conflict is none", "[contract][hook]") {
    auto store = open();
    const auto repeated = one_event();
    const auto first = store.append(repeated);
    store.append(one_event());

    std::vector<std::int64_t> seen;
    const auto hook = store.after_commit([&](Position last) { seen.push_back(last.value()); });
    CHECK(store.append(repeated).duplicate);
    CHECK(seen == std::vector{first.last_position.value()});
    CHECK_THROWS_AS(store.append(order, expect::none, {test::event("OrderPlaced")}), Conflict);
    CHECK(seen.size() == 1);
}

TEST_CASE_METHOD(Contract, "a hook runs as long as it is held", "[contract][hook]") {
    auto store = open();
    std::vector<std::string> calls;
    auto first = store.after_commit([&](Position) { calls.emplace_back("first"); });
    const auto second = store.after_commit([&](Position) { calls.emplace_back("second"); });
    store.append(one_event());
    CHECK(calls == std::vector<std::string>{"first", "second"});
    first.reset();
    store.append(one_event());
    CHECK(calls == std::vector<std::string>{"first", "second", "second"});
}

TEST_CASE_METHOD(Contract, "a wait for the log to grow ends when it does", "[contract][wait]") {
    auto store = open();
    CHECK(store.wait_beyond(Position{0}, 0ms) == Position{0});
    store.append(one_event());
    CHECK(store.wait_beyond(Position{0}, 1h) == Position{1});
    CHECK(store.wait_beyond(Position{1}, 1ms) == Position{1});

    Position reached;
    {
        std::jthread waiting{[&] { reached = store.wait_beyond(Position{2}, 1h); }};
        store.append(one_event());
        store.append(one_event());
    }
    CHECK(reached == Position{3});

    auto elsewhere = open();
    {
        std::jthread waiting{[&] { reached = store.wait_beyond(Position{3}, 1h); }};
        elsewhere.append(one_event());
    }
    CHECK(reached == Position{4});
}

TEST_CASE_METHOD(Contract, "a wait for the log to grow can be stopped", "[contract][wait]") {
    auto store = open();
    std::stop_source stop;
    std::jthread waiting{[&] { (void)store.wait_beyond(Position{0}, 1h, stop.get_token()); }};
    stop.request_stop();
    waiting.join();
    CHECK(store.wait_beyond(Position{0}, 1h, stop.get_token()) == Position{0});
}
