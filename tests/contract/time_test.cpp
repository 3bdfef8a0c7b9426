// recorded_at: given by the clock of the store, never going down; and bounds in time.
#include "contract.hpp"

#include <thread>

using namespace stele;
using test::Contract;
using test::Numbers;
using test::positions_in;

namespace {

const StreamId order{"Order", "order-7"};

Timestamp at(const char* time_of_day) { return parse_rfc3339(std::string("2026-01-05T") + time_of_day + "Z"); }

/// A clock that a test sets.
class Hands {
public:
    void set(const char* time_of_day) { time_ = at(time_of_day).time_since_epoch().count(); }
    [[nodiscard]] Options options() {
        Options options;
        options.clock = [this] { return Timestamp{std::chrono::microseconds{time_.load()}}; };
        return options;
    }

private:
    std::atomic<std::int64_t> time_ = 0;
};

std::vector<Timestamp> recorded_in(const EventStore& store) {
    std::vector<Timestamp> times;
    for (const Event& event : store.read(all())) times.push_back(event.recorded_at);
    return times;
}

}  // namespace

TEST_CASE_METHOD(Contract, "recorded_at is the clock's, and stays where it is while the clock goes back",
                 "[contract][time]") {
    Hands clock;
    auto store = open(clock.options());
    for (const char* time : {"10:00:00", "10:00:05", "10:00:03", "09:00:00", "10:00:05.000001", "10:00:04"}) {
        clock.set(time);
        test::seed(store, order, {"a"});
    }
    const std::vector<Timestamp> expected{at("10:00:00"), at("10:00:05"),        at("10:00:05"),
                                          at("10:00:05"), at("10:00:05.000001"), at("10:00:05.000001")};
    CHECK(recorded_in(store) == expected);

    // Nor does it go back over handles, or when the store is opened again.
    clock.set("08:00:00");
    auto second = open(clock.options());
    CHECK(test::seed(second, order, {"b"}).recorded_at == at("10:00:05.000001"));
    CHECK(test::seed(store, order, {"c"}).recorded_at == at("10:00:05.000001"));
    store = open(clock.options());
    CHECK(test::seed(store, order, {"d"}).recorded_at == at("10:00:05.000001"));
}

TEST_CASE_METHOD(Contract, "occurred_at is the writer's word, and recorded_at where it says nothing",
                 "[contract][time]") {
    Hands clock;
    clock.set("10:00:00");
    auto store = open(clock.options());
    const auto early = parse_rfc3339("0001-02-03T04:05:06.789012Z");
    const auto late = parse_rfc3339("9999-12-31T23:59:59.999999Z");
    store.append(order, expect::none, {test::event("a").at(late), test::event("b").at(early), test::event("c")});

    const auto found = test::events_in(store);
    CHECK(found[0].occurred_at == late);
    CHECK(found[1].occurred_at == early);
    CHECK(found[2].occurred_at == at("10:00:00"));
    for (const Event& event : found) CHECK(event.recorded_at == at("10:00:00"));
    // Bounds are about recorded_at.
    CHECK(positions_in(store, all().since(at("10:00:00"))) == Numbers{1, 2, 3});
    CHECK(positions_in(store, all().until(at("09:59:59.999999"))).empty());
}

TEST_CASE_METHOD(Contract, "bounds in time include their moment, to the microsecond", "[contract][time][read]") {
    Hands clock;
    auto store = open(clock.options());
    for (const char* time :
         {"10:00:00", "10:00:00", "10:00:00.000001", "10:00:01", "10:00:01", "10:00:01", "11:00:00"}) {
        clock.set(time);
        test::seed(store, order, {"a"});
    }
    const auto since = [&](const char* time) { return positions_in(store, all().since(at(time))); };
    CHECK(since("09:00:00") == test::numbers(1, 7));
    CHECK(since("10:00:00") == test::numbers(1, 7));
    CHECK(since("10:00:00.000001") == test::numbers(3, 7));
    CHECK(since("10:00:00.000002") == test::numbers(4, 7));
    CHECK(since("10:00:01") == test::numbers(4, 7));
    CHECK(since("10:00:01.000001") == Numbers{7});
    CHECK(since("11:00:00.000001").empty());

    const auto until = [&](const char* time) { return positions_in(store, all().until(at(time))); };
    CHECK(until("09:59:59.999999").empty());
    CHECK(until("10:00:00") == Numbers{1, 2});
    CHECK(until("10:00:00.000001") == Numbers{1, 2, 3});
    CHECK(until("10:00:00.999999") == Numbers{1, 2, 3});
    CHECK(until("10:00:01") == test::numbers(1, 6));
    CHECK(until("12:00:00") == test::numbers(1, 7));

    CHECK(positions_in(store, all().since(at("10:00:01")).until(at("10:00:01")).backward()) == Numbers{6, 5, 4});
    CHECK(positions_in(store, all().since(Timestamp::min()).until(Timestamp::max())) == test::numbers(1, 7));
    CHECK(positions_in(store, all().since(Timestamp::max())).empty());
    CHECK(positions_in(store, all().until(Timestamp::min())).empty());
    CHECK(positions_in(store, stele::stream(order).since(at("10:00:01")).limit(2)) == Numbers{4, 5});
}

TEST_CASE_METHOD(Contract, "position_at gives the last position that was recorded by then", "[contract][time]") {
    Hands clock;
    auto store = open(clock.options());
    CHECK(store.position_at(at("10:00:00")) == Position{0});
    for (const char* time : {"10:00:00", "10:00:00", "10:00:02", "10:00:01", "10:00:03"}) {
        clock.set(time);
        test::seed(store, order, {"a"});
    }
    CHECK(store.position_at(at("09:59:59.999999")) == Position{0});
    CHECK(store.position_at(at("10:00:00")) == Position{2});
    CHECK(store.position_at(at("10:00:01")) == Position{2});
    CHECK(store.position_at(at("10:00:02")) == Position{4});
    CHECK(store.position_at(at("10:00:02.999999")) == Position{4});
    CHECK(store.position_at(at("10:00:03")) == Position{5});
    CHECK(store.position_at(Timestamp::max()) == Position{5});
    CHECK(store.position_at(Timestamp::min()) == Position{0});
}

TEST_CASE_METHOD(Contract, "recorded_at does not go down over many writers whose clocks differ",
                 "[contract][time]") {
    std::vector<EventStore> stores;
    for (int i = 0; i < 4; ++i) {
        Options options;
        options.durability = Durability::relaxed;
        options.deadline = std::chrono::minutes{2};
        options.clock = [i] { return now() + std::chrono::seconds{i * 7 - 10}; };
        stores.push_back(open(options));
    }
    {
        std::vector<std::jthread> writers;
        for (std::size_t w = 0; w < 8; ++w) {
            writers.emplace_back([&, w] {
                for (int i = 0; i < 30; ++i)
                    test::seed(stores[w % 4], StreamId{"Writer", std::to_string(w)}, {"a", "b"});
            });
        }
    }
    const auto times = recorded_in(stores[0]);
    CHECK(times.size() == 480);
    CHECK(std::is_sorted(times.begin(), times.end()));
}
