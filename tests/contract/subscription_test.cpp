// Subscriptions: catch up, go live, in process and across processes, and end when told to.
//
// No test here waits for a time to pass: where a subscription failed to wake, its test would hang and be ended by
// ctest's limit.
#include "contract.hpp"

#include <atomic>
#include <latch>
#include <thread>

using namespace stele;
using test::Contract;
using test::Numbers;
using namespace std::chrono_literals;

namespace {

const StreamId order{"Order", "order-7"};
const StreamId bill{"Bill", "bill-7"};

Options relaxed() {
    Options options;
    options.durability = Durability::relaxed;
    options.deadline = 2min;
    return options;
}

/// Takes `count` events, waiting for each.
Numbers take(Subscription& subscription, std::size_t count) {
    Numbers positions;
    while (positions.size() < count) {
        const Event* next = subscription.next();
        if (next == nullptr) break;
        positions.push_back(next->position.value());
    }
    return positions;
}

/// Takes what is there, without waiting for more.
Numbers take_all(Subscription& subscription) {
    Numbers positions;
    for (;;) {
        const auto page = subscription.next_page(0ms);
        if (page.empty()) return positions;
        for (const Event& event : page) positions.push_back(event.position.value());
    }
}

void fill(EventStore& store, int events, const std::string& type = "Filler") {
    for (int done = 0; done < events;) {
        std::vector<NewEvent> batch;
        for (int i = 0; i < 100 && done < events; ++i, ++done) batch.push_back(test::event(type));
        store.append(order, expect::any, batch);
    }
}

}  // namespace

TEST_CASE_METHOD(Contract, "a subscription catches up from where it is told to", "[contract][subscription]") {
    auto store = open();
    fill(store, 2'000);
    auto from_start = store.subscribe();
    CHECK(take(from_start, 2'000) == test::numbers(1, 2'000));
    CHECK(from_start.position() == Position{2'000});
    CHECK(from_start.next_page(0ms).empty());

    auto from_middle = store.subscribe({}, Position{1'234});
    CHECK(from_middle.position() == Position{1'234});
    CHECK(take_all(from_middle) == test::numbers(1'235, 2'000));
    auto from_head = store.subscribe({}, store.head());
    CHECK(take_all(from_head).empty());
    auto from_beyond = store.subscribe({}, Position{2'002});
    CHECK(take_all(from_beyond).empty());

    test::seed(store, bill, {"a", "b", "c"});
    CHECK(take_all(from_start) == Numbers{2'001, 2'002, 2'003});
    CHECK(take_all(from_head) == Numbers{2'001, 2'002, 2'003});
    CHECK(take_all(from_beyond) == Numbers{2'003});
}

TEST_CASE_METHOD(Contract, "a subscription hands out events whole, in singles and in pages",
                 "[contract][subscription]") {
    auto store = open();
    store.append(order, expect::none,
                 {stele::event("OrderPlaced", {{"amount", 12}}).by("user-7").tag("eu"), test::event("OrderPaid"),
                  test::event("OrderShipped")});
    const auto expected = test::events_in(store);

    auto subscription = store.subscribe();
    const Event* first = subscription.next();
    REQUIRE(first != nullptr);
    CHECK(*first == expected[0]);
    CHECK(subscription.position() == Position{1});
    const auto rest = subscription.next_page(0ms);
    CHECK((std::vector<Event>(rest.begin(), rest.end()) == std::vector<Event>{expected[1], expected[2]}));
    CHECK(subscription.position() == Position{3});
    CHECK(subscription.next_page(0ms).empty());
}

TEST_CASE_METHOD(Contract, "a waiting subscription is woken by an append of its process",
                 "[contract][subscription]") {
    auto store = open();
    auto second_handle = open();
    auto subscription = store.subscribe();
    std::int64_t head = 0;
    for (int round = 0; round < 50; ++round) {
        // By the same handle, by another one, and by the thread of asynchronous appends.
        std::jthread writer{[&] {
            EventStore& writes = round % 3 == 1 ? second_handle : store;
            if (round % 3 == 2) {
                (void)store.append_async(Append{}.to(order, expect::any, {test::event("a")}));
            } else {
                test::seed(writes, order, {"a"});
            }
        }};
        CHECK(take(subscription, 1) == Numbers{++head});
    }
    CHECK(take_all(subscription).empty());
}

TEST_CASE_METHOD(Contract, "a waiting subscription is woken by an append of another process",
                 "[contract][subscription][process]") {
    auto store = open();
    auto subscription = store.subscribe();
    auto process = peer({"each"});
    for (std::int64_t round = 1; round <= 20; ++round) {
        process.write_line("Order/order-7 OrderChanged");
        const Event* next = subscription.next();
        REQUIRE(next != nullptr);
        CHECK(next->position == Position{round});
        CHECK(process.read_line() == std::to_string(round));
    }
    CHECK(process.wait() == 0);
}

TEST_CASE_METHOD(Contract, "another process's subscription is woken by an append of ours",
                 "[contract][subscription][process]") {
    auto store = open();
    test::seed(store, order, {"before"});
    auto process = peer({"follow", "0", "11"});
    CHECK(process.read_line() == "ready");
    CHECK(process.read_line() == "1 before");
    for (std::int64_t position = 2; position <= 11; ++position) {
        test::seed(store, order, {"live"});
        CHECK(process.read_line() == std::to_string(position) + " live");
    }
    CHECK(process.wait() == 0);
}

TEST_CASE_METHOD(Contract, "stop ends a wait of another thread, now and from now on", "[contract][subscription]") {
    auto store = open();
    fill(store, 10);
    for (int round = 0; round < 50; ++round) {
        auto subscription = store.subscribe({}, store.head());
        std::latch about_to_wait{1};
        bool ended = false;
        std::jthread reader{[&] {
            about_to_wait.count_down();
            // One of the two waits, for longer than anyone would.
            ended = round % 2 == 0 ? subscription.next() == nullptr : subscription.next_page(1h).empty();
        }};
        about_to_wait.wait();
        subscription.stop();
        reader.join();
        CHECK(ended);
        CHECK(subscription.stopped());
        test::seed(store, order, {"later"});
        CHECK(subscription.next() == nullptr);
        CHECK(subscription.next_page(1h).empty());
    }
}

TEST_CASE_METHOD(Contract, "a stop token ends the wait it was given to, and no more", "[contract][subscription]") {
    auto store = open();
    auto subscription = store.subscribe();
    for (int round = 0; round < 20; ++round) {
        bool ended = false;
        std::jthread reader{[&](const std::stop_token& stop) {
            ended = round % 2 == 0 ? subscription.next(stop) == nullptr : subscription.next_page(1h, stop).empty();
        }};
        reader.request_stop();
        reader.join();
        CHECK(ended);
        CHECK_FALSE(subscription.stopped());
    }
    std::stop_source requested;
    requested.request_stop();
    test::seed(store, order, {"a"});
    CHECK(subscription.next(requested.get_token()) == nullptr);
    CHECK(take(subscription, 1) == Numbers{1});
}

TEST_CASE_METHOD(Contract, "stopping one subscription leaves the others waiting", "[contract][subscription]") {
    auto store = open();
    auto stays = store.subscribe();
    std::vector<Subscription> stopped;
    for (int i = 0; i < 5; ++i) stopped.push_back(store.subscribe());
    Numbers seen;
    std::atomic<int> ended = 0;
    std::jthread waiting{[&] { seen = take(stays, 1); }};
    {
        std::vector<std::jthread> readers;
        for (Subscription& one : stopped) {
            readers.emplace_back([&] {
                if (one.next() == nullptr) ++ended;
            });
        }
        for (Subscription& one : stopped) one.stop();
    }
    CHECK(ended == 5);
    test::seed(store, order, {"a"});
    waiting.join();
    CHECK(seen == Numbers{1});
}

TEST_CASE_METHOD(Contract, "a subscription to a subset gets that, caught up and live", "[contract][subscription]") {
    auto store = open();
    for (int i = 0; i < 10; ++i) {
        store.append(order, expect::any, {test::event("OrderPlaced", {"eu"}), test::event("OrderPaid")});
        store.append(bill, expect::any, {test::event("BillSent", {"eu", "late"})});
    }
    struct Case {
        const char* name;
        Query query;
    };
    const std::vector<Case> cases{
        {"a type", matching(types("OrderPaid"))},
        {"a tag", matching(tags("late"))},
        {"a type and a tag", matching(types("OrderPlaced"), tags("eu"))},
        {"a stream", matching(bill)},
        {"items", matching(types("BillSent")) | matching(types("OrderPaid"))},
    };
    std::vector<Subscription> subscriptions;
    for (const Case& each : cases) subscriptions.push_back(store.subscribe(each.query));
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < cases.size(); ++i) {
            CAPTURE(cases[i].name, round);
            auto all_of_it = test::positions_in(store, cases[i].query);
            std::erase_if(all_of_it, [&](std::int64_t position) { return round == 1 && position <= 30; });
            CHECK(take_all(subscriptions[i]) == all_of_it);
        }
        for (int i = 0; round == 0 && i < 5; ++i) {
            store.append(order, expect::any, {test::event("OrderPlaced", {"eu"}), test::event("OrderPaid")});
            store.append(bill, expect::any, {test::event("BillSent", {"eu", "late"})});
        }
    }
}

// Its owner stores the position, so that it need not pass over all of this again.
TEST_CASE_METHOD(Contract, "the position of a subscription advances over what it does not select",
                 "[contract][subscription]") {
    auto store = open(relaxed());
    const auto never = GENERATE(matching(types("Never")), matching(tags("never")),
                                matching(types("Filler"), tags("never")), matching(StreamId{"Order", "never"}));
    CAPTURE(never);
    test::seed(store, bill, {"first"});
    auto rare = store.subscribe(never);
    fill(store, 3'000);
    CHECK(take_all(rare).empty());
    CHECK(rare.position() == store.head());

    // Live as well: an append that does not concern it moves it on, at the next look.
    fill(store, 1);
    CHECK(take_all(rare).empty());
    CHECK(rare.position() == store.head());
}

TEST_CASE_METHOD(Contract, "a rare event among many is found, and the position stands there",
                 "[contract][subscription]") {
    auto store = open(relaxed());
    fill(store, 3'000);
    test::seed(store, bill, {"Rare"});
    fill(store, 3'000);
    auto rare = store.subscribe(matching(types("Rare")));
    const Event* next = rare.next();
    REQUIRE(next != nullptr);
    CHECK(next->position == Position{3'001});
    CHECK(rare.position() == Position{3'001});
    CHECK(take_all(rare).empty());
    CHECK(rare.position() == Position{6'001});
}

TEST_CASE_METHOD(Contract, "no subscription misses an event or gets one twice while many append",
                 "[contract][subscription][L2][process]") {
    auto store = open(relaxed());
    auto second_handle = open(relaxed());
    constexpr std::size_t writers = 4;
    constexpr std::size_t each = 100;
    constexpr std::size_t from_peer = 100;
    constexpr auto total = static_cast<std::int64_t>(writers * each * 2 + from_peer);
    constexpr std::int64_t evens = writers * each;

    std::vector<Numbers> seen(4);
    Numbers seen_evens;
    {
        std::vector<std::jthread> readers;
        for (std::size_t r = 0; r < seen.size(); ++r) {
            readers.emplace_back([&, r] {
                EventStore& from = r % 2 == 0 ? store : second_handle;
                auto subscription = from.subscribe();
                if (r < 2) {
                    seen[r] = take(subscription, total);
                    return;
                }
                while (std::ssize(seen[r]) < total) {
                    for (const Event& event : subscription.next_page(1h)) seen[r].push_back(event.position.value());
                }
            });
        }
        readers.emplace_back([&] {
            auto subscription = second_handle.subscribe(matching(types("even")));
            seen_evens = take(subscription, static_cast<std::size_t>(evens));
        });
        auto process = peer({"exactly", "Peer/p-1", std::to_string(from_peer)});
        std::vector<std::jthread> threads;
        for (std::size_t w = 0; w < writers; ++w) {
            threads.emplace_back([&, w] {
                const StreamId stream{"Writer", std::to_string(w)};
                for (std::size_t i = 0; i < each; ++i)
                    test::seed(w % 2 == 0 ? store : second_handle, stream, {"odd", "even"});
            });
        }
        CHECK(process.wait() == 0);
    }
    for (const Numbers& of_reader : seen) CHECK((of_reader == test::numbers(1, total)));
    CHECK((seen_evens == test::positions_in(store, matching(types("even")))));
}

TEST_CASE_METHOD(Contract, "a subscription may be moved, and outlives the events it handed out",
                 "[contract][subscription]") {
    auto store = open();
    test::seed(store, order, {"a", "b"});
    auto first = store.subscribe();
    CHECK(take(first, 1) == Numbers{1});
    auto second = std::move(first);
    CHECK(take(second, 1) == Numbers{2});
    first = store.subscribe();
    CHECK(take(first, 2) == Numbers{1, 2});
}

// Trap 12: heartbeats as load.
TEST_CASE_METHOD(Contract, "reading and waiting write nothing", "[contract][subscription]") {
    auto store = open();
    test::seed(store, order, {"a", "b"});
    const auto commits = backend().commits();
    const std::string rows = backend().rows();
    for (int i = 0; i < 20; ++i) {
        auto subscription = store.subscribe();
        CHECK(take(subscription, 2) == Numbers{1, 2});
        CHECK(subscription.next_page(2ms).empty());
        CHECK(store.info().head == Position{2});
        CHECK(store.version(order) == Version{2});
    }
    CHECK(backend().commits() == commits);
    CHECK(backend().rows() == rows);
}
