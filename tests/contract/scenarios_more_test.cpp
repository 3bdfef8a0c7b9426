// Conditions on an append, scenarios 13 to 17: repetition, tracking, bounds, and many writers at once.
#include "contract.hpp"
#include "model.hpp"

#include <stele/test/random.hpp>

#include <atomic>
#include <barrier>
#include <thread>

using namespace stele;
using test::Contract;
using test::Numbers;
using test::positions_in;

namespace {

const StreamId order{"Order", "order-7"};
const StreamId bill{"Bill", "bill-7"};

Options relaxed() {
    Options options;
    options.durability = Durability::relaxed;
    return options;
}

/// Some of `from`, in its order; each with this chance in a hundred.
std::vector<std::string> some(test::Random& random, const std::vector<std::string>& from, std::size_t percent) {
    std::vector<std::string> taken;
    for (const std::string& one : from) {
        if (random.below(100) < percent) taken.push_back(one);
    }
    return taken;
}

}  // namespace

TEST_CASE_METHOD(Contract, "scenario 13: the same ids again get the first answer, whatever happened since",
                 "[contract][scenario][L6]") {
    auto store = open();
    const auto place = Append{}
                           .to(order, expect::none, {test::event("OrderPlaced", {"o7"}), test::event("OrderPaid")})
                           .to(bill, expect::none, {test::event("BillSent", {"o7"})})
                           .unless(matching(tags("o7")));
    const auto first = test::outcome<Appended>(store.try_append(place));
    CHECK_FALSE(first.duplicate);

    store.append(order, expect::exactly(2), {test::event("OrderShipped", {"o7"})});
    const std::string rows = backend().rows();
    // Now both expectations and the condition would refuse it.
    auto again = test::outcome<Appended>(store.try_append(place));
    CHECK(again.duplicate);
    again.duplicate = false;
    CHECK(again == first);
    CHECK(backend().rows() == rows);

    const auto& parts = place.parts();
    const auto fresh = test::event("OrderPaid");
    const std::vector<Append> errors{
        // partly known
        Append{}.to(order, expect::any, {parts[0].events[0], fresh}),
        Append{}.to(order, expect::any, {fresh, parts[0].events[0]}),
        // in another order
        Append{}
            .to(order, expect::none, {parts[0].events[1], parts[0].events[0]})
            .to(bill, expect::none, {parts[1].events[0]}),
        // with other content
        Append{}
            .to(order, expect::none, {NewEvent{parts[0].events[0]}.tag("o8"), parts[0].events[1]})
            .to(bill, expect::none, {parts[1].events[0]}),
    };
    for (const Append& append : errors) {
        CHECK_THROWS_AS(store.try_append(append), IdConflict);
        try {
            (void)store.try_append(append);
        } catch (const IdConflict& conflict) {
            CAPTURE(conflict.what());
            CHECK(conflict.position().has_value());
            CHECK_THAT(conflict.what(), ContainsSubstring(conflict.id().to_string()));
        }
    }
    CHECK(backend().rows() == rows);
}

TEST_CASE_METHOD(Contract, "scenario 14: a source's position is taken once, and only upwards",
                 "[contract][scenario][tracking]") {
    auto store = open();
    const auto take = [](std::int64_t position) {
        return Append{}.to(order, expect::any, {test::event("Imported")}).tracking("S", position);
    };
    CHECK(test::outcome<Appended>(store.try_append(take(5))).last_position == Position{1});

    const auto conflict = test::outcome<TrackingConflict>(store.try_append(take(5)));
    CHECK(conflict.source == "S");
    CHECK(conflict.expected_above == 5);
    CHECK(conflict.given == 5);
    CHECK(store.head() == Position{1});

    CHECK(test::outcome<Appended>(store.try_append(take(6))).last_position == Position{2});
    CHECK(store.tracked("S") == Tracking{"S", 6, ""});

    // Queued behind a held lock, they are taken as one group; each is judged on its own, in order.
    std::vector<std::future<AppendResult>> answers;
    {
        const auto held = backend().hold_write_lock();
        for (const std::int64_t position : {7, 7, 6, 9, 8, 10})
            answers.push_back(store.append_async(take(position)));
    }
    CHECK(test::outcome<Appended>(answers[0].get()).last_position == Position{3});
    CHECK(test::outcome<TrackingConflict>(answers[1].get()).expected_above == 7);
    CHECK(test::outcome<TrackingConflict>(answers[2].get()).expected_above == 7);
    CHECK(test::outcome<Appended>(answers[3].get()).last_position == Position{4});
    CHECK(test::outcome<TrackingConflict>(answers[4].get()).given == 8);
    CHECK(test::outcome<Appended>(answers[5].get()).last_position == Position{5});
    CHECK(store.tracked("S") == Tracking{"S", 10, ""});
    CHECK(store.head() == Position{5});
}

TEST_CASE_METHOD(Contract, "scenario 15: a read that was started ends where it was started, a subscription goes on",
                 "[contract][scenario]") {
    auto store = open();
    test::seed(store, order, {"a", "b", "c"});

    auto range = store.read(all());
    auto at = range.begin();
    test::seed(store, order, {"d"});
    Numbers seen;
    for (; at != range.end(); ++at) seen.push_back(at->position.value());
    CHECK(seen == Numbers{1, 2, 3});

    auto subscription = store.subscribe();
    for (std::int64_t position = 1; position <= 4; ++position) {
        const Event* next = subscription.next();
        REQUIRE(next != nullptr);
        CHECK(next->position == Position{position});
    }
    CHECK(subscription.next_page(std::chrono::milliseconds{0}).empty());

    // It waits, and goes on.
    std::jthread writer{[&] { test::seed(store, order, {"e"}); }};
    const Event* next = subscription.next();
    REQUIRE(next != nullptr);
    CHECK(next->type == "e");
    writer.join();

    // Cancelling from another thread ends it; were it not at once, this test would hang.
    std::jthread canceller{[&] { subscription.stop(); }};
    CHECK(subscription.next() == nullptr);
    CHECK(subscription.stopped());
    CHECK(subscription.next() == nullptr);
}

// Goal:   no append is taken that its condition forbids, however many run at once (L7).
// Method: each event records the query and the position that its append was conditioned on; afterwards the log
//         itself says whether an event that matches stands between that position and the append.
TEST_CASE_METHOD(Contract, "scenario 16: forty threads with random conditions leave a log that satisfies them all",
                 "[contract][scenario][L7]") {
    auto store = open(relaxed());
    test::Random random;
    const std::vector<std::string> type_names{"t1", "t2", "t3"};
    const std::vector<std::string> tag_names{"A", "B"};
    std::barrier start{40};
    std::atomic<int> appended = 0;
    std::atomic<int> refused = 0;

    const auto work = [&](std::uint64_t seed) {
        test::Random mine{seed};
        start.arrive_and_wait();
        for (int batch = 0; batch < 10; ++batch) {
            QueryItem item;
            item.types = some(mine, type_names, 40);
            item.tags = some(mine, tag_names, 40);
            if (item.asks_for_nothing()) item.types = {"t1"};
            const Position after = store.head();
            const nlohmann::json record{{"types", item.types}, {"tags", item.tags}, {"after", after.value()}};

            std::vector<NewEvent> events;
            const auto count = mine.between(1, 5);
            for (std::int64_t i = 0; i < count; ++i) {
                events.push_back(stele::event(mine.one_of(type_names), record));
                events.back().tags = some(mine, tag_names, 50);
                events.back().with_metadata("batch", std::to_string(seed) + "/" + std::to_string(batch));
            }
            const auto append = Append{}
                                    .to(StreamId{"Writer", std::to_string(seed)}, expect::any, events)
                                    .unless(Query{std::vector{item}}.after(after));
            ++(std::holds_alternative<Appended>(store.try_append(append)) ? appended : refused);
        }
    };
    {
        std::vector<std::jthread> writers;
        for (std::uint64_t i = 0; i < 40; ++i) writers.emplace_back(work, random.seed() + i);
    }
    CAPTURE(random.seed(), appended.load(), refused.load());
    CHECK(appended + refused == 400);
    CHECK(appended > 0);

    const auto log = test::events_in(store);
    std::vector<std::string> broken;
    std::map<std::string, Position> first_of;
    for (const Event& event : log) {
        const auto batch = event.metadata.value().at("batch").get<std::string>();
        const Position first = first_of.try_emplace(batch, event.position).first->second;
        const auto record = event.data.value();
        QueryItem item;
        item.types = record.at("types").get<std::vector<std::string>>();
        item.tags = record.at("tags").get<std::vector<std::string>>();
        for (auto p = record.at("after").get<std::int64_t>() + 1; p < first.value(); ++p) {
            const Event& between = log.at(static_cast<std::size_t>(p) - 1);
            if (test::model_matches(item, between))
                broken.push_back("position " + std::to_string(event.position.value()) + " despite " +
                                 std::to_string(p));
        }
    }
    CHECK(broken.empty());
    CHECK(first_of.size() == static_cast<std::size_t>(appended));
}

TEST_CASE_METHOD(Contract, "scenario 17: twenty writers with conditions on tags of their own have no conflict",
                 "[contract][scenario]") {
    auto store = open(relaxed());
    constexpr int writers = 20;
    constexpr int appends = 25;
    std::barrier start{writers};
    std::atomic<int> conflicts = 0;
    {
        std::vector<std::jthread> threads;
        for (int w = 0; w < writers; ++w) {
            threads.emplace_back([&, tag = "writer:" + std::to_string(w)] {
                start.arrive_and_wait();
                Position last;
                for (int i = 0; i < appends; ++i) {
                    const auto result =
                        store.try_append(Append{}
                                             .to(order, expect::any, {test::event("Noted", {tag})})
                                             .unless(matching(types("Noted"), tags(tag)).after(last)));
                    if (const auto* appended = std::get_if<Appended>(&result))
                        last = appended->last_position;
                    else
                        ++conflicts;
                }
            });
        }
    }
    CHECK(conflicts == 0);
    CHECK(store.head() == Position{writers * appends});
}
