// The queue of appends: asynchronous appends, group commits, deadlines.
#include "contract.hpp"

#include <barrier>
#include <thread>

using namespace stele;
using test::Contract;
using namespace std::chrono_literals;

namespace {

const StreamId order{"Order", "order-7"};

Append one_event(const std::string& type = "OrderChanged", const StreamId& stream = order) {
    return Append{}.to(stream, expect::any, {test::event(type)});
}

}  // namespace

TEST_CASE_METHOD(Contract, "what one thread queues is committed in that order", "[contract][async]") {
    auto store = open();
    std::vector<std::future<AppendResult>> answers;
    std::vector<std::string> types;
    for (int i = 0; i < 500; ++i) {
        types.push_back("Type" + std::to_string(i % 7) + "-" + std::to_string(i));
        answers.push_back(store.append_async(Append{}.to(order, expect::exactly(i), {test::event(types.back())})));
    }
    for (int i = 0; i < 500; ++i) {
        CAPTURE(i);
        const auto appended = test::outcome<Appended>(answers[static_cast<std::size_t>(i)].get());
        CHECK(appended.version == Version{i + 1});
        CHECK(appended.first_position == Position{i + 1});
    }
    CHECK(test::types_in(store, order) == types);
}

TEST_CASE_METHOD(Contract, "several threads that queue keep their own order each", "[contract][async]") {
    auto store = open();
    constexpr int threads = 4;
    constexpr int each = 100;
    std::barrier start{threads};
    {
        std::vector<std::jthread> writers;
        for (int t = 0; t < threads; ++t) {
            writers.emplace_back([&, t] {
                std::vector<std::future<AppendResult>> answers;
                start.arrive_and_wait();
                for (int i = 0; i < each; ++i)
                    answers.push_back(
                        store.append_async(one_event("T" + std::to_string(t) + "-" + std::to_string(i))));
                for (auto& answer : answers) (void)answer.get();
            });
        }
    }
    std::vector<int> next(threads, 0);
    for (const Event& event : store.read(order)) {
        const auto t = static_cast<std::size_t>(event.type[1] - '0');
        CHECK(event.type == "T" + std::to_string(t) + "-" + std::to_string(next[t]++));
    }
    CHECK(next == std::vector<int>(threads, each));
}

TEST_CASE_METHOD(Contract, "a future holds what try_append would return or throw", "[contract][async]") {
    auto store = open();
    test::seed(store, order, {"OrderPlaced"});
    const auto known = test::event("Known");
    store.append(order, expect::any, {known});

    auto taken = store.append_async(one_event());
    auto version = store.append_async(Append{}.to(order, expect::none, {test::event("a")}));
    auto condition = store.append_async(one_event().unless(matching(types("OrderPlaced"))));
    auto clash = store.append_async(Append{}.to(order, expect::any, {NewEvent{known}.tag("other")}));
    auto invalid = store.append_async(one_event(std::string(256, 't')));
    auto after_all = store.append_async(one_event("Last"));

    CHECK(test::outcome<Appended>(taken.get()).version == Version{3});
    CHECK(test::outcome<VersionConflict>(version.get()).actual == Version{3});
    CHECK(test::outcome<ConditionConflict>(condition.get()).position == Position{1});
    CHECK_THROWS_AS(clash.get(), IdConflict);
    CHECK_THROWS_AS(invalid.get(), InvalidInput);
    CHECK(test::outcome<Appended>(after_all.get()).version == Version{4});
}

TEST_CASE_METHOD(Contract, "many queued appends share few commits", "[contract][async]") {
    auto store = open();
    test::seed(store, order, {"first"});
    const auto before = backend().commits();
    std::vector<std::future<AppendResult>> answers;
    {
        const auto held = backend().hold_write_lock();
        for (int i = 0; i < 300; ++i) answers.push_back(store.append_async(one_event()));
    }
    for (auto& answer : answers) (void)test::outcome<Appended>(answer.get());
    CHECK(backend().commits() - before <= 10);
    CHECK(store.version(order) == Version{301});
}

TEST_CASE_METHOD(Contract, "a loser within a group commit does not disturb the others", "[contract][async]") {
    auto store = open();
    std::vector<std::future<AppendResult>> answers;
    const StreamId bill{"Bill", "bill-7"};
    {
        const auto held = backend().hold_write_lock();
        for (int i = 0; i < 20; ++i) {
            answers.push_back(store.append_async(one_event("Good")));
            // Its first part would be taken, its second one is not.
            answers.push_back(store.append_async(Append{}
                                                     .to(order, expect::any, {test::event("Bad", {"bad"})})
                                                     .to(bill, expect::exists, {test::event("Bad2")})));
        }
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        CAPTURE(i);
        const auto result = answers[i].get();
        CHECK(std::holds_alternative<Appended>(result) == (i % 2 == 0));
    }
    CHECK(test::types_in(store) == std::vector<std::string>(20, "Good"));
    CHECK(store.types().size() == 1);
    CHECK(test::positions_in(store) == test::numbers(1, 20));
    CHECK_FALSE(store.version(bill).has_value());
}

TEST_CASE_METHOD(Contract, "futures that nobody waited for are answered before the store is gone",
                 "[contract][async]") {
    std::vector<std::future<AppendResult>> answers;
    {
        auto store = open();
        for (int i = 0; i < 200; ++i) answers.push_back(store.append_async(one_event()));
    }
    std::int64_t taken = 0;
    for (auto& answer : answers) {
        REQUIRE(answer.wait_for(0s) == std::future_status::ready);
        if (std::holds_alternative<Appended>(answer.get())) ++taken;
    }
    CHECK(taken == 200);
    CHECK(open().head() == Position{taken});
}

TEST_CASE_METHOD(Contract, "an append that is kept waiting past the deadline is refused as busy, and not written",
                 "[contract][queue]") {
    Options options;
    options.deadline = 50ms;
    auto store = open(options);
    test::seed(store, order, {"before"});
    const auto waiting = one_event("Waiting");
    {
        const auto held = backend().hold_write_lock();
        CHECK_THROWS_AS(store.try_append(waiting), StoreBusy);
        CHECK_THROWS_AS(store.append(waiting), StoreBusy);
        CHECK_THROWS_AS(store.append_async(waiting).get(), StoreBusy);
        // Reads go on.
        CHECK(test::types_in(store) == std::vector<std::string>{"before"});
        CHECK(store.version(order) == Version{1});
        try {
            (void)store.try_append(waiting);
        } catch (const StoreBusy& busy) {
            CHECK(busy.code() == "store_busy");
            CHECK_THAT(busy.what(), ContainsSubstring(store.name()));
            CHECK_THAT(busy.what(), ContainsSubstring("waited"));
            CHECK_THAT(busy.what(), ContainsSubstring("nothing was written"));
        }
    }
    CHECK(test::types_in(store) == std::vector<std::string>{"before"});
    const auto appended = store.append(waiting);  // which was not there, so it is no repetition
    CHECK_FALSE(appended.duplicate);
    CHECK(appended.first_position == Position{2});
}

TEST_CASE_METHOD(Contract, "the queue is bounded: who finds it full waits up to the deadline",
                 "[contract][queue]") {
    Options options;
    options.deadline = 100ms;
    options.queue_limit = 4;
    auto store = open(options);
    test::seed(store, order, {"before"});

    // Twelve threads, for four places, while nobody can commit.
    constexpr std::size_t callers = 12;
    std::vector<int> busy(callers, 0);
    {
        const auto held = backend().hold_write_lock();
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < callers; ++i) {
            threads.emplace_back([&, i] {
                try {
                    (void)store.try_append(one_event());
                } catch (const StoreBusy&) {
                    busy[i] = 1;
                }
            });
        }
    }
    CHECK(busy == std::vector<int>(callers, 1));
    CHECK(test::types_in(store) == std::vector<std::string>{"before"});
    CHECK(test::seed(store, order, {"after"}).first_position == Position{2});
}

TEST_CASE_METHOD(Contract, "append_async on a full queue waits, then says busy, and answers what it took",
                 "[contract][queue][async]") {
    Options options;
    options.deadline = 50ms;
    options.queue_limit = 4;
    auto store = open(options);
    test::seed(store, order, {"before"});

    std::vector<NewEvent> tried;
    {
        std::vector<std::future<AppendResult>> answers;
        const auto held = backend().hold_write_lock();
        for (int i = 0; i < 8; ++i) {
            tried.push_back(test::event("OrderChanged"));
            try {
                answers.push_back(store.append_async(Append{}.to(order, expect::any, {tried.back()})));
            } catch (const StoreBusy&) {
                // The queue was full for the whole of the deadline.
            }
        }
        for (auto& answer : answers) CHECK_THROWS_AS(answer.get(), StoreBusy);
    }
    // Nothing of it was written, so all of it is new now.
    for (const NewEvent& event : tried) CHECK_FALSE(store.append(order, expect::any, {event}).duplicate);
    CHECK(store.version(order) == Version{9});
}

TEST_CASE_METHOD(Contract, "many callers on a small queue all get through", "[contract][queue]") {
    Options options;
    options.queue_limit = 2;
    options.durability = Durability::relaxed;
    options.deadline = 2min;
    auto store = open(options);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 32; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20; ++i) store.append(one_event());
        });
    }
    threads.clear();  // joins
    CHECK(store.version(order) == Version{640});
}

TEST_CASE_METHOD(Contract, "a caller waits no longer than another process holds the lock", "[contract][queue]") {
    Options options;
    options.deadline = 2min;
    auto store = open(options);
    auto held = backend().hold_write_lock();
    std::jthread waiting{[&] { store.append(one_event()); }};
    held.reset();
    waiting.join();  // were the lock waited for in vain, it would be two minutes
    CHECK(store.head() == Position{1});
}
