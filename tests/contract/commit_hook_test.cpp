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
    const auto hook = store.after_commit([&](const Committed& committed) {
        if (store.at(committed.last)) seen = committed.last.value();
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
    const auto hook = store.after_commit([&](const Committed& committed) {
        auto known = seen.load();
        while (known < committed.last.value() && !seen.compare_exchange_weak(known, committed.last.value()))
            continue;
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
    const auto hook =
        store.after_commit([&](const Committed& committed) { seen.push_back(committed.last.value()); });
    CHECK(store.append(repeated).duplicate);
    CHECK(seen == std::vector{first.last_position.value()});
    CHECK_THROWS_AS(store.append(order, expect::none, {test::event("OrderPlaced")}), Conflict);
    CHECK(seen.size() == 1);
}

TEST_CASE_METHOD(Contract, "a hook is handed few events as a read gives them", "[contract][hook]") {
    auto store = open();
    std::vector<Event> handed;
    const auto hook = store.after_commit([&](const Committed& committed) {
        handed.assign(committed.events.begin(), committed.events.end());
        if (!handed.empty()) CHECK(handed.back().position == committed.last);
    });
    const auto read_behind = [&](Position position) {
        std::vector<Event> events;
        for (const Event& event : store.read(all().after(position))) events.push_back(event);
        return events;
    };

    auto full = test::event("OrderPlaced", {"b", "a", R"("quoted" \ é)"});
    full.schema_version = 3;
    full.occurred_at = parse_rfc3339("2001-02-03T04:05:06.000007Z", "occurred_at");
    full.data = JsonText::parse(R"({ "total" : 1.50, "text": "é\u0000" })");
    full.metadata = JsonText::parse(R"({"correlation_id":"c-1"})");
    const StreamId with_tenant{"acme", "Order", "order-8"};
    for (const auto& stream : {order, with_tenant}) {
        const auto before = store.head();
        full.id = EventId::generate();
        store.append(stream, expect::any, {full, test::event("OrderChanged"), test::event("OrderPaid")});
        CHECK(handed.size() == 3);
        CHECK(handed == read_behind(before));
        const auto behind_three = store.head();
        store.append(stream, expect::any, {test::event("OrderChanged")});
        CHECK(handed == read_behind(behind_three));
    }
    // A value that the writer has kept beside the text is no part of what is stored.
    auto kept = test::event("OrderChanged");
    kept.data = JsonText::keep({{"n", 5}});
    store.append(order, expect::any, {kept});
    REQUIRE(handed.size() == 1);
    CHECK(handed.front().data.kept() == nullptr);

    const auto before = store.head();
    CHECK(test::outcome<Appended>(store.append_async(one_event()).get()).last_position == before.next());
    CHECK(handed == read_behind(before));

    // What is not worth the copies, or was not committed by this append, is not handed over.
    const auto hands_nothing = [&](const Append& append) {
        handed = {Event{.stream = order}};
        store.append(append);
        return handed.empty();
    };
    const auto repeated = one_event();
    CHECK_FALSE(hands_nothing(repeated));
    CHECK(hands_nothing(repeated));
    CHECK(hands_nothing(Append{}
                            .to(order, expect::any, {test::event("OrderChanged")})
                            .to(with_tenant, expect::any, {test::event("OrderChanged")})));
    const auto so_many = [](int count) {
        std::vector<NewEvent> events;
        for (int i = 0; i < count; ++i) events.push_back(test::event("OrderChanged"));
        return Append{}.to(order, expect::any, std::move(events));
    };
    CHECK_FALSE(hands_nothing(so_many(16)));
    CHECK(hands_nothing(so_many(17)));
    auto large = test::event("OrderChanged");
    large.data = JsonText::parse("\"" + std::string(100'000, 'x') + "\"");
    CHECK(hands_nothing(Append{}.to(order, expect::any, {large})));
}

TEST_CASE_METHOD(Contract, "a hook runs as long as it is held", "[contract][hook]") {
    auto store = open();
    std::vector<std::string> calls;
    auto first = store.after_commit([&](const Committed&) { calls.emplace_back("first"); });
    const auto second = store.after_commit([&](const Committed&) { calls.emplace_back("second"); });
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
