// Values at the edge of what a type can hold, and queries that narrow to little or nothing.
#include "contract.hpp"

#include <limits>
#include <thread>

using namespace stele;
using test::Contract;

namespace {

const StreamId order{"Order", "order-7"};
const StreamId bill{"Bill", "bill-1"};
constexpr Position no_position{std::numeric_limits<std::int64_t>::max()};

std::vector<std::string> types_of(EventRange range) {
    std::vector<std::string> types;
    for (const Event& event : range) types.push_back(event.type);
    return types;
}

}  // namespace

TEST_CASE_METHOD(Contract, "behind the greatest position there is nothing, and a condition there holds",
                 "[contract][bounds]") {
    auto store = open();
    test::seed(store, order, {"OrderPlaced"});
    CHECK(types_of(store.read(all().after(no_position))).empty());
    CHECK(types_of(store.read(stream(order).after(no_position))).empty());
    const auto anything = GENERATE(Query{}, matching(types("OrderPlaced")), matching(StreamId{"Order", "order-7"}));
    const auto result = store.try_append(
        Append{}.to(order, expect::any, {test::event("OrderPaid")}).unless(anything.after(no_position)));
    CHECK(std::holds_alternative<Appended>(result));
}

TEST_CASE_METHOD(Contract, "who waits as long as it takes is not told at once that the store is busy",
                 "[contract][bounds]") {
    auto store = open({.deadline = std::chrono::milliseconds::max()});
    test::seed(store, order, {"OrderPlaced"});
    auto lock = backend().hold_write_lock();
    auto waiting = store.append_async(Append{}.to(order, expect::any, {test::event("OrderPaid")}));
    CHECK(waiting.wait_for(std::chrono::milliseconds{50}) == std::future_status::timeout);
    lock.reset();
    CHECK(test::outcome<Appended>(waiting.get()).version == Version{2});
}

TEST_CASE_METHOD(Contract, "narrowing drops the items that can match nothing any more", "[contract][bounds]") {
    auto store = open();
    test::seed(store, order, {"A", "B"});
    test::seed(store, bill, {"A", "C"});
    const auto a_or_b = matching(types("A")) | matching(types("B"));
    CHECK(types_of(store.read(Read{a_or_b}.types({"B"}))) == std::vector<std::string>{"B"});
    CHECK(types_of(store.read(Read{matching(order) | matching(bill)}.stream(bill))) ==
          std::vector<std::string>{"A", "C"});
    CHECK_THROWS_AS(Read{a_or_b}.types({"C"}), InvalidInput);
    CHECK_THROWS_AS(Read{matching(order)}.stream(bill), InvalidInput);
}

TEST_CASE_METHOD(Contract, "items of one stream are read as a stream, with bounds in versions",
                 "[contract][bounds]") {
    auto store = open();
    test::seed(store, order, {"A", "B", "C", "A", "B"});
    test::seed(store, bill, {"A", "B"});
    const auto a_or_b = matching(types("A")) | matching(types("B"));
    CHECK(types_of(store.read(Read{a_or_b}.stream(order).from(Version{2}))) ==
          std::vector<std::string>{"B", "A", "B"});
}
