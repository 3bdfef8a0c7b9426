// What a read returns, as a range: lazy, bounded, single-pass, and a view of range-v3.
#include "contract.hpp"

#include <range/v3/action/sort.hpp>
#include <range/v3/algorithm/count_if.hpp>
#include <range/v3/algorithm/find_if.hpp>
#include <range/v3/numeric/accumulate.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/chunk.hpp>
#include <range/v3/view/chunk_by.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/filter.hpp>
#include <range/v3/view/take.hpp>
#include <range/v3/view/take_while.hpp>
#include <range/v3/view/transform.hpp>

using namespace stele;
using test::Contract;
using test::Numbers;
namespace views = ranges::views;

namespace {

const StreamId order{"Order", "order-7"};

/// More than three pages of events, in appends of 100: the n-th has type "odd" or "even" and data n.
void fill(EventStore& store, int events = 3'000) {
    for (int n = 1; n <= events;) {
        std::vector<NewEvent> batch;
        for (int i = 0; i < 100; ++i, ++n) batch.push_back(stele::event(n % 2 == 0 ? "even" : "odd", n));
        store.append(order, expect::any, batch);
    }
}

std::int64_t position_of(const Event& event) { return event.position.value(); }
bool is_even(const Event& event) { return event.type == "even"; }

/// In: range<Event> in log order.  Out: range<range<Event>>, one inner range for each ten positions.
auto by_tens() {
    return views::chunk_by([](const Event& a, const Event& b) {
        return (a.position.value() - 1) / 10 == (b.position.value() - 1) / 10;
    });
}

}  // namespace

TEST_CASE_METHOD(Contract, "a read is an input range and a view", "[contract][range]") {
    STATIC_REQUIRE(ranges::input_range<EventRange>);
    STATIC_REQUIRE(ranges::view_<EventRange>);
    STATIC_REQUIRE_FALSE(ranges::forward_range<EventRange>);
    STATIC_REQUIRE(std::ranges::input_range<EventRange>);
    STATIC_REQUIRE(std::ranges::view<EventRange>);
    const auto store = open();  // reading asks for no more than a const store
    CHECK(test::types_in(store).empty());
    const EventRange nothing;
    CHECK(nothing.begin() == nothing.end());
}

TEST_CASE_METHOD(Contract, "a read is composed with range-v3 as it is made", "[contract][range]") {
    auto store = open();
    fill(store);

    CHECK((store.read(all()) | views::filter(is_even) | views::transform(position_of) | views::take(3) |
           ranges::to<std::vector>()) == Numbers{2, 4, 6});
    CHECK((store.read(all().backward()) | views::transform(position_of) | views::take(2) |
           ranges::to<std::vector>()) == Numbers{3000, 2999});
    CHECK((store.read(order) | views::take_while([](const Event& e) { return e.version < Version{4}; }) |
           views::transform(position_of) | ranges::to<std::vector>()) == Numbers{1, 2, 3});
    CHECK((store.read(all()) | views::transform(position_of) | ranges::to<std::vector>()) ==
          test::numbers(1, 3'000));
    CHECK(ranges::count_if(store.read(all()), is_even) == 1'500);

    std::int64_t sum = 0;
    for (const auto& [index, position] : store.read(all()) | views::transform(position_of) | views::enumerate)
        sum += position - static_cast<std::int64_t>(index);
    CHECK(sum == 3'000);
}

TEST_CASE_METHOD(Contract, "a read that has a name is composed as well", "[contract][range]") {
    auto store = open();
    fill(store);

    auto range = store.read(all());
    auto evens = range | views::filter(is_even) | views::transform(position_of);
    CHECK((evens | views::take(3) | ranges::to<std::vector>()) == Numbers{2, 4, 6});

    // Single-pass: what goes on reading goes on where the read is.
    std::int64_t next = 0;
    for (const Event& event : range) {
        next = event.position.value();
        break;
    }
    CHECK(next >= 6);
    const auto rest = range | views::transform(position_of) | ranges::to<std::vector>();
    CHECK(rest == test::numbers(next, 3'000));
    CHECK(range.begin() == range.end());
}

TEST_CASE_METHOD(Contract, "a read is cut into groups", "[contract][range]") {
    auto store = open();
    fill(store);

    std::vector<std::size_t> sizes;
    for (auto&& chunk : store.read(all()) | views::chunk(700))
        sizes.push_back(static_cast<std::size_t>(ranges::distance(chunk)));
    CHECK(sizes == std::vector<std::size_t>{700, 700, 700, 700, 200});

    // chunk_by looks at an element twice, so it takes a batch that is kept.
    const auto batch = store.read(all().limit(35)) | ranges::to<std::vector>();
    std::vector<Numbers> groups;
    for (auto&& group : batch | by_tens())
        groups.push_back(group | views::filter(is_even) | views::transform(position_of) |
                         ranges::to<std::vector>());
    CHECK(groups == std::vector<Numbers>{{2, 4, 6, 8, 10}, {12, 14, 16, 18, 20}, {22, 24, 26, 28, 30}, {32, 34}});
}

TEST_CASE_METHOD(Contract, "events that are appended while a read goes on are not in it", "[contract][range]") {
    auto store = open();
    fill(store);
    for (const bool backward : {false, true}) {
        for (const Read& read :
             {all(), stele::stream(order), all().types({"odd", "even"}), all().types({"even"})}) {
            CAPTURE(backward, read.query());
            const auto expected = test::positions_in(store, Read{read}.backward(backward));
            Numbers seen;
            for (const Event& event : store.read(Read{read}.backward(backward))) {
                if (seen.size() % 500 == 0) fill(store, 100);
                seen.push_back(event.position.value());
            }
            CHECK((seen == expected));
        }
    }
}

TEST_CASE_METHOD(Contract, "an event stays as it is until the iterator moves, and a copy of it for good",
                 "[contract][range]") {
    auto store = open();
    fill(store);
    std::vector<Event> copies;
    for (const Event& event : store.read(all())) copies.push_back(event);
    for (std::size_t i = 0; i < copies.size(); ++i) {
        if (copies[i].data.text() != std::to_string(i + 1)) CHECK(copies[i].data.text() == std::to_string(i + 1));
    }
    CHECK(copies.size() == 3'000);
}

TEST_CASE_METHOD(Contract, "reads may be left at any point, begun or not, and others go on", "[contract][range]") {
    auto store = open();
    fill(store);
    {
        std::vector<EventRange> left;
        for (std::size_t i = 0; i < 50; ++i) {
            left.push_back(store.read(all()));
            if (i % 2 == 0) continue;
            auto at = left.back().begin();
            for (std::size_t step = 0; step < i * 20; ++step) ++at;
        }
        // Fifty reads are open. Writing, reading and opening go on.
        test::seed(store, order, {"more"});
        CHECK(store.head() == Position{3'001});
        CHECK(ranges::count_if(store.read(all()), is_even) == 1'500);
        auto second = open();
        CHECK(second.head() == Position{3'001});
        CHECK((left[1] | views::transform(position_of) | ranges::to<std::vector>()) == test::numbers(21, 3'000));
    }
    CHECK(ranges::count_if(store.read(all()), is_even) == 1'500);
}

TEST_CASE_METHOD(Contract, "reads that are interleaved do not disturb one another", "[contract][range]") {
    auto store = open();
    fill(store);
    auto forward = store.read(all());
    auto backward = store.read(all().backward());
    auto evens = store.read(all().types({"even"}));
    auto f = forward.begin();
    auto b = backward.begin();
    auto e = evens.begin();
    std::int64_t wrong = 0;
    for (std::int64_t n = 1; n <= 3'000; ++n, ++f, ++b) {
        if (f->position.value() != n || b->position.value() != 3'001 - n) ++wrong;
        if (n % 2 == 0) {
            if (e->position.value() != n) ++wrong;
            ++e;
        }
    }
    CHECK(wrong == 0);
    CHECK(f == forward.end());
    CHECK(b == backward.end());
    CHECK(e == evens.end());
}
