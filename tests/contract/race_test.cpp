// L7: of any number of racing appends whose conditions exclude one another, exactly one wins.
#include "contract.hpp"
#include "shared_barrier.hpp"

#include <stele/test/temporary_folder.hpp>

#include <atomic>
#include <barrier>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

using namespace stele;
using test::Contract;

namespace {

Options relaxed() {
    Options options;
    options.durability = Durability::relaxed;
    options.deadline = std::chrono::minutes{2};
    return options;
}

/// Runs `rounds` rounds in which `racers` threads call attempt(racer, round) at once, as nearly as a barrier can
/// make it; attempt says whether it won. Returns the rounds that had not exactly one winner, with the number.
std::map<int, int> rounds_without_one_winner(int racers, int rounds, const std::function<bool(int, int)>& attempt) {
    std::vector<std::atomic<int>> winners(static_cast<std::size_t>(rounds));
    std::barrier start{racers};
    {
        std::vector<std::jthread> threads;
        for (int racer = 0; racer < racers; ++racer) {
            threads.emplace_back([&, racer] {
                for (int round = 0; round < rounds; ++round) {
                    start.arrive_and_wait();
                    if (attempt(racer, round)) ++winners[static_cast<std::size_t>(round)];
                }
            });
        }
    }
    std::map<int, int> wrong;
    for (int round = 0; round < rounds; ++round) {
        if (const int count = winners[static_cast<std::size_t>(round)]; count != 1) wrong[round] = count;
    }
    return wrong;
}

Append reservation(const std::string& guest, int round) {
    const std::string seat = "seat:" + std::to_string(round);
    return Append{}
        .to(StreamId{"Guest", guest}, expect::any, {test::event("SeatReserved", {seat})})
        .unless(matching(types("SeatReserved"), tags(seat)));
}

}  // namespace

// Trap 4: a check that does not lock. 6 of 8 racers committed.
TEST_CASE_METHOD(Contract, "of sixteen threads racing on one condition exactly one wins, a thousand times",
                 "[contract][L7]") {
    auto store = open(relaxed());
    const auto wrong = rounds_without_one_winner(16, 1000, [&](int racer, int round) {
        return std::holds_alternative<Appended>(store.try_append(reservation(std::to_string(racer), round)));
    });
    CHECK(wrong == std::map<int, int>{});
    CHECK(store.head() == Position{1000});
}

TEST_CASE_METHOD(Contract, "of sixteen threads on eight handles racing on one condition exactly one wins",
                 "[contract][L7]") {
    std::vector<EventStore> stores;
    for (int i = 0; i < 8; ++i) stores.push_back(open(relaxed()));
    const auto wrong = rounds_without_one_winner(16, 100, [&](int racer, int round) {
        EventStore& store = stores[static_cast<std::size_t>(racer) / 2];
        return std::holds_alternative<Appended>(store.try_append(reservation(std::to_string(racer), round)));
    });
    CHECK(wrong == std::map<int, int>{});
    CHECK(stores[0].head() == Position{100});
}

TEST_CASE_METHOD(Contract, "of sixteen threads that expect the same version exactly one wins", "[contract][L7]") {
    auto store = open(relaxed());
    const StreamId stream{"Order", "order-7"};
    const auto wrong = rounds_without_one_winner(16, 200, [&](int, int round) {
        const auto result = store.try_append(stream, expect::exactly(round), {test::event("OrderChanged")});
        return std::holds_alternative<Appended>(result);
    });
    CHECK(wrong == std::map<int, int>{});
    CHECK(store.version(stream) == Version{200});
}

TEST_CASE_METHOD(Contract, "of sixteen threads that take in the same position of a source exactly one wins",
                 "[contract][L7][tracking]") {
    auto store = open(relaxed());
    const auto wrong = rounds_without_one_winner(16, 100, [&](int racer, int round) {
        const auto result =
            store.try_append(Append{}
                                 .to(StreamId{"Copy", std::to_string(racer)}, expect::any, {test::event("Copied")})
                                 .tracking("feed", round + 1));
        return std::holds_alternative<Appended>(result);
    });
    CHECK(wrong == std::map<int, int>{});
    CHECK(store.head() == Position{100});
}

TEST_CASE_METHOD(Contract, "of appends over several streams that exclude one another exactly one wins",
                 "[contract][L7]") {
    auto store = open(relaxed());
    const auto wrong = rounds_without_one_winner(8, 100, [&](int racer, int round) {
        // Each racer wants two neighbouring plates of a round table; all of them want plate 0 as well.
        const auto plate = [&](int n) {
            return StreamId{"Plate", std::to_string(round) + "-" + std::to_string(n)};
        };
        const auto result = store.try_append(Append{}
                                                 .to(plate(racer + 1), expect::any, {test::event("Taken")})
                                                 .to(plate(0), expect::none, {test::event("Taken")})
                                                 .to(plate(racer + 2), expect::any, {test::event("Taken")}));
        return std::holds_alternative<Appended>(result);
    });
    CHECK(wrong == std::map<int, int>{});
    CHECK(store.head() == Position{300});
}

TEST_CASE_METHOD(Contract, "of eight processes racing on one condition exactly one wins",
                 "[contract][L7][process]") {
    auto store = open(relaxed());
    constexpr int racers = 8;
    constexpr int rounds = 50;
    test::TemporaryFolder folder;
    const std::string barrier = folder / "barrier";
    test::SharedBarrier start{barrier, racers};

    std::vector<test::Process> processes;
    for (int i = 0; i < racers; ++i) processes.push_back(peer({"race", barrier, std::to_string(rounds)}));
    std::map<int, int> winners;
    for (test::Process& process : processes) {
        std::istringstream won{process.read_all()};
        int round = 0;
        for (std::string word; won >> word >> round;) ++winners[round];
        CHECK(process.wait() == 0);
    }
    std::map<int, int> expected;
    for (int round = 0; round < rounds; ++round) expected[round] = 1;
    CHECK(winners == expected);
    CHECK(store.head() == Position{rounds});
}

TEST_CASE_METHOD(Contract, "sixteen processes that append to one stream at the version they read lose nothing",
                 "[contract][L7][process]") {
    auto store = open(relaxed());
    const StreamId stream{"Counter", "c-1"};
    std::vector<test::Process> processes;
    for (int i = 0; i < 16; ++i) processes.push_back(peer({"exactly", stream.name(), "10"}));
    for (test::Process& process : processes) {
        CHECK(process.read_line().has_value());
        CHECK(process.wait() == 0);
    }
    CHECK(store.version(stream) == Version{160});
    CHECK(test::versions_in(store, stele::stream(stream)) == test::numbers(1, 160));
    CHECK(test::positions_in(store) == test::numbers(1, 160));
}

// Trap 23: a transaction that reads first and locks later fails at once when another commits in between. Both
// writers read the version before either appends.
TEST_CASE_METHOD(Contract, "of two writers that step through a race the slower one gets a conflict, not busy",
                 "[contract][L7]") {
    const StreamId stream{"Order", "order-7"};
    std::barrier meet{2};
    std::atomic<bool> step = false;
    Options stepped;
    stepped.clock = [&] {  // the first writer is inside of its append when the second one starts
        if (step.exchange(false)) meet.arrive_and_wait();
        return now();
    };
    auto first = open(stepped);
    auto second = open();
    test::seed(first, stream, {"OrderPlaced"});
    for (int round = 1; round <= 20; ++round) {
        CAPTURE(round);
        const auto expected = expect::exactly(round);
        std::optional<AppendResult> of_second;
        step = true;
        std::jthread slower{[&] {
            meet.arrive_and_wait();
            of_second = second.try_append(stream, expected, {test::event("OrderShipped")});
        }};
        const auto of_first = first.try_append(stream, expected, {test::event("OrderPaid")});
        slower.join();

        CHECK(std::holds_alternative<Appended>(of_first));
        REQUIRE(of_second.has_value());
        CHECK(test::outcome<VersionConflict>(*of_second).actual == Version{round + 1});
    }
    CHECK(first.version(stream) == Version{21});
}
