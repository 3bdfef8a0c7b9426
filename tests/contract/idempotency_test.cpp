// L6: appending the same event ids again changes nothing and returns the first answer, before any other check. The
// same id with other content is an error.
#include "contract.hpp"

#include <barrier>
#include <mutex>
#include <thread>

using namespace stele;
using test::Contract;

namespace {

const StreamId order{"Order", "order-7"};
const StreamId bill{"Bill", "bill-7"};

NewEvent full_event() {
    return stele::event("OrderPlaced", {{"amount", 12.5}})
        .by("user-7")
        .tag("o7")
        .tag("eu")
        .at(parse_rfc3339("2026-01-05T10:00:00Z"))
        .schema(2);
}

/// What a repetition must return: the first answer, and that it is one.
Appended repeated(Appended first) {
    first.duplicate = true;
    return first;
}

}  // namespace

TEST_CASE_METHOD(Contract, "a repeated append returns the first answer and writes nothing", "[contract][L6]") {
    auto store = open();
    test::seed(store, order, {"before"});
    const std::vector<NewEvent> events{full_event(), test::event("OrderPaid"), test::event("OrderPacked")};
    const auto first = store.append(order, expect::exactly(1), events);

    const std::string rows = backend().rows();
    const auto commits = backend().commits();
    CHECK(store.append(order, expect::exactly(1), events) == repeated(first));
    CHECK(store.append(order, expect::any, events) == repeated(first));
    CHECK(backend().rows() == rows);
    CHECK(backend().commits() == commits);

    SECTION("after later appends to the stream") {
        test::seed(store, order, {"OrderShipped"});
        test::seed(store, bill, {"BillSent"});
        CHECK(store.append(order, expect::exactly(1), events) == repeated(first));
    }
    SECTION("through another handle") {
        auto second = open();
        CHECK(second.append(order, expect::exactly(1), events) == repeated(first));
    }
    SECTION("after the store was opened again") {
        store = open();
        CHECK(store.append(order, expect::exactly(1), events) == repeated(first));
    }
    CHECK(store.find(events[0].id)->position == Position{2});
}

TEST_CASE_METHOD(Contract, "a repetition is recognised before any expectation, condition or source is looked at",
                 "[contract][L6]") {
    auto store = open();
    const auto append = Append{}
                            .to(order, expect::none, {full_event()})
                            .unless(matching(types("OrderPlaced")))
                            .unless(matching(order))
                            .tracking("feed", 5);
    const auto first = store.append(append);
    CHECK(store.append(append) == repeated(first));
    store.append(Append{}.tracking("feed", 9));
    CHECK(store.append(append) == repeated(first));
    CHECK(store.tracked("feed") == Tracking{"feed", 9, ""});
    CHECK(test::types_in(store) == std::vector<std::string>{"OrderPlaced"});
}

TEST_CASE_METHOD(Contract, "an append to several streams is repeated as a whole", "[contract][L6]") {
    auto store = open();
    test::seed(store, bill, {"before"});
    const auto append = Append{}
                            .to(order, expect::none, test::events({"a", "b"}))
                            .to(bill, expect::exactly(1), test::events({"c"}))
                            .to(order, expect::any, test::events({"d"}));
    const auto first = store.append(append);
    CHECK(first.version == Version{3});
    CHECK(first.versions == std::vector{Version{3}, Version{2}});
    test::seed(store, order, {"e"});
    test::seed(store, bill, {"f"});
    CHECK(store.append(append) == repeated(first));
    CHECK(store.head() == Position{7});
}

TEST_CASE_METHOD(Contract, "the same id with other content is an error that says which, and where it is",
                 "[contract][L6]") {
    auto store = open();
    const NewEvent original = full_event();
    test::seed(store, bill, {"before"});
    store.append(order, expect::none, {original});

    struct Case {
        const char* differs;
        StreamId stream;
        NewEvent event;
    };
    std::vector<Case> cases;
    const auto changed = [&](const char* what, auto change) {
        NewEvent copy = original;
        change(copy);
        cases.push_back({what, order, copy});
    };
    changed("type", [](NewEvent& e) { e.type = "OrderPlaced2"; });
    changed("data", [](NewEvent& e) { e.data = JsonText::parse("{\"amount\":12.50}"); });
    changed("metadata", [](NewEvent& e) { e.by("user-8"); });
    changed("occurred_at", [](NewEvent& e) { *e.occurred_at += std::chrono::microseconds{1}; });
    changed("schema_version", [](NewEvent& e) { e.schema_version = 3; });
    changed("tags", [](NewEvent& e) { e.tag("more"); });
    changed("tags", [](NewEvent& e) { e.tags.pop_back(); });
    changed("tags", [](NewEvent& e) { e.tags.clear(); });
    cases.push_back({"stream", StreamId{"Order", "order-8"}, original});
    cases.push_back({"stream", StreamId{"acme", "Order", "order-7"}, original});

    const std::string rows = backend().rows();
    for (const Case& each : cases) {
        CAPTURE(each.differs);
        try {
            (void)store.try_append(each.stream, expect::any, {each.event});
            FAIL("the append was taken");
        } catch (const IdConflict& conflict) {
            CHECK(conflict.id() == original.id);
            CHECK(conflict.position() == Position{2});
            CHECK_THAT(conflict.what(), ContainsSubstring(each.differs));
            CHECK_THAT(conflict.what(), ContainsSubstring(original.id.to_string()));
            CHECK_THAT(conflict.what(), ContainsSubstring("nothing was written"));
        }
    }
    CHECK(backend().rows() == rows);
    CHECK(store.append(order, expect::none, {original}).duplicate);
}

TEST_CASE_METHOD(Contract, "ids that are partly known, in another order or twice are an error", "[contract][L6]") {
    auto store = open();
    const auto a = test::event("a");
    const auto b = test::event("b");
    const auto c = test::event("c");
    store.append(order, expect::none, {a, b, c});
    const auto fresh = test::event("fresh");
    const auto more = test::event("more");

    const std::vector<std::vector<NewEvent>> errors{
        {fresh, a}, {a, fresh}, {a, b, c, fresh}, {fresh, a, b, c}, {a, fresh, b, c},
        {b, a, c},  {c, b, a},  {b, c, a},        {a, c},           {a, a},
    };
    const std::string rows = backend().rows();
    for (std::size_t i = 0; i < errors.size(); ++i) {
        CAPTURE(i);
        CHECK_THROWS_AS(store.try_append(order, expect::any, errors[i]), IdConflict);
    }
    // Twice in one append, of ids that nobody has seen: within a stream, and over streams.
    CHECK_THROWS_AS(store.try_append(order, expect::any, {fresh, more, fresh}), IdConflict);
    CHECK_THROWS_AS(store.try_append(Append{}.to(order, expect::any, {fresh}).to(bill, expect::any, {fresh})),
                    IdConflict);
    // All of them known, over several streams where it was one.
    CHECK_THROWS_AS(store.try_append(Append{}.to(order, expect::any, {a, b}).to(bill, expect::any, {c})),
                    IdConflict);
    CHECK(backend().rows() == rows);
    CHECK(store.append(order, expect::any, {fresh}).first_position == Position{4});
}

TEST_CASE_METHOD(Contract, "a repetition within one group commit is recognised", "[contract][L6][async]") {
    auto store = open();
    const auto append = Append{}.to(order, expect::none, test::events({"a", "b"}));
    const auto clash = Append{}.to(order, expect::any, {NewEvent{append.parts()[0].events[0]}.tag("other")});
    std::vector<std::future<AppendResult>> answers;
    {
        const auto held = backend().hold_write_lock();
        for (int i = 0; i < 3; ++i) answers.push_back(store.append_async(append));
        answers.push_back(store.append_async(clash));
        answers.push_back(store.append_async(append));
    }
    const auto first = test::outcome<Appended>(answers[0].get());
    CHECK_FALSE(first.duplicate);
    CHECK(test::outcome<Appended>(answers[1].get()) == repeated(first));
    CHECK(test::outcome<Appended>(answers[2].get()) == repeated(first));
    CHECK_THROWS_AS(answers[3].get(), IdConflict);
    CHECK(test::outcome<Appended>(answers[4].get()) == repeated(first));
    CHECK(store.head() == Position{2});
}

TEST_CASE_METHOD(Contract, "of many threads that append the same events, one appends and all get its answer",
                 "[contract][L6]") {
    auto first_handle = open();
    auto second_handle = open();
    constexpr std::size_t parties = 16;
    for (int round = 0; round < 20; ++round) {
        const auto append =
            Append{}.to(order, expect::any, test::events({"a", "b"})).to(bill, expect::any, test::events({"c"}));
        std::vector<Appended> answers(parties);
        std::barrier start{static_cast<std::ptrdiff_t>(parties)};
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < parties; ++i) {
                threads.emplace_back([&, i] {
                    EventStore& store = i % 2 == 0 ? first_handle : second_handle;
                    start.arrive_and_wait();
                    answers[i] = store.append(append);
                });
            }
        }
        std::size_t originals = 0;
        for (const Appended& answer : answers) {
            if (!answer.duplicate) ++originals;
            CHECK(repeated(answer) == repeated(answers[0]));
        }
        CHECK(originals == 1);
    }
    CHECK(first_handle.head() == Position{60});
}

// Trap 5: a time-out taken for a failure, and the append sent again. The reply is lost with the process that waited
// for it; the same ids are appended again by ours.
TEST_CASE_METHOD(Contract, "an append whose reply was lost is there once after it is tried again",
                 "[contract][L6][process]") {
    auto store = open();
    for (std::int64_t round = 1; round <= 10; ++round) {
        CAPTURE(round);
        const auto event = test::event("OrderPlaced");
        auto process = peer({"each"});
        process.write_line("Order/order-7 OrderPlaced " + event.id.to_string());
        if (round % 2 == 0) (void)process.read_line();  // or we do not know
        process.kill();
        process.wait();

        store.append(order, expect::any, {event});
        CHECK(store.head() == Position{round});
        CHECK(store.find(event.id)->position == Position{round});
    }
}
