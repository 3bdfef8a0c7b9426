// The power goes: what append() acknowledged is there afterwards (L5), whole (L4) and in order (L2, L3).
#include "workload.hpp"

#include <stele/test/temporary_folder.hpp>

#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>

using namespace stele;
using namespace stele::test;

namespace {

constexpr std::uint64_t lucks = 4;  // kinds of luck tried at every cut, beside the two extremes

/// Calls look(found, luck) with what would be left by a power cut now, for several kinds of luck.
template <class Look>
void look_at_survivors(const FaultyDisk& disk, std::uint64_t first_seed, Look&& look) {
    const auto one = [&](Unsynced unsynced, std::uint64_t seed) {
        CAPTURE(static_cast<int>(unsynced), seed);
        const TemporaryFolder after{memory()};
        disk.survivors_to(after.path(), unsynced, seed);
        look(sound_log(after / "shop.stele"));
    };
    one(Unsynced::lost, 0);
    one(Unsynced::kept, 0);
    for (std::uint64_t luck = 0; luck < lucks; ++luck) one(Unsynced::random, first_seed + luck);
}

std::uint64_t seed_of(int nth) { return static_cast<std::uint64_t>(nth) * 1000; }

}  // namespace

// Goal:   L5 and L4, whenever the power goes.
// Method: cut the power at the 1st change that the same append makes, then the 2nd, and so on; look at what is left
//         with different luck; then switch on and append the same again.
TEST_CASE("an acknowledged append survives a power cut at every step and any other is whole or absent",
          "[fault][store]") {
    for (const Workload& work : workloads()) {
        for (int nth = 1;; ++nth) {
            CAPTURE(work.name, nth);
            FaultyDisk disk;
            WorkedStore store{disk, work};
            if (!work.creates) store.open();
            disk.cut_power({.op = changes, .nth = nth, .file = {}});
            const Append append = work.append();
            const auto answer = store.try_append(append);
            store.close();
            if (!disk.hit()) {
                CHECK(answer);
                break;
            }

            look_at_survivors(disk, seed_of(nth), [&](const std::vector<Event>& found) {
                const std::size_t count = count_of(append, found);
                CHECK(found.size() == store.before() + count);
                if (answer) CHECK(count == size_of(append));
            });

            disk.power_on(Unsynced::random, seed_of(nth));
            REQUIRE(store.try_append(append));
            store.close();
            CHECK(count_of(append, sound_log(store.path())) == size_of(append));
        }
    }
}

TEST_CASE("a write torn by the power cut leaves an append whole or absent", "[fault][store]") {
    for (const Workload& work : workloads()) {
        for (const std::size_t written : {17u, 512u, 2048u}) {
            for (int nth = 1;; ++nth) {
                CAPTURE(work.name, written, nth);
                FaultyDisk disk;
                WorkedStore store{disk, work};
                if (!work.creates) store.open();
                disk.cut_power({.op = Op::write, .nth = nth, .file = {}}, written);
                const Append append = work.append();
                const auto answer = store.try_append(append);
                store.close();
                if (!disk.hit()) break;

                disk.power_on(Unsynced::kept);
                const auto found = sound_log(store.path());
                CHECK(found.size() == store.before() + count_of(append, found));
                if (answer) CHECK(count_of(append, found) == size_of(append));
            }
        }
    }
}

// Trap 5, at its plainest: the commit was complete, and only the answer is missing.
TEST_CASE("an append that reached the disk but was never answered is recognised when tried again",
          "[fault][store][trap5]") {
    FaultyDisk disk;
    WorkedStore store{disk, workloads().front()};
    store.open();
    disk.cut_power({.op = Op::sync, .nth = 1, .file = "events.db-wal"});
    const Append append = two_events();
    CHECK_FALSE(store.try_append(append));
    store.close();
    disk.power_on(Unsynced::kept);

    const auto again = store.try_append(append);
    REQUIRE(again);
    CHECK(again->duplicate);
    CHECK(again->first_position == Position{WorkedStore::seeded + 1});
    store.close();
    CHECK(sound_log(store.path()).size() == WorkedStore::seeded + 2);
}

// Linux reports a failed sync once; what it could not write is then never written, and later syncs succeed. What
// the failed append left in the WAL must not become what later appends stand on: neither in a store that stays
// open, nor in one that is opened again, and recovers the WAL as it finds it.
TEST_CASE("an append acknowledged after a sync that failed and forgot survives the power cut", "[fault][store]") {
    const bool opened_again = GENERATE(false, true);
    for (const Workload& work : workloads()) {
        if (work.creates) continue;
        for (int nth = 1;; ++nth) {
            CAPTURE(work.name, nth, opened_again);
            FaultyDisk disk;
            WorkedStore store{disk, work};
            store.open();
            disk.fail({.op = Op::sync, .nth = nth, .file = {}}, {.forgets = true});
            const Append append = work.append();
            auto answer = store.try_append(append);
            if (!disk.hit()) break;
            if (opened_again) store.close();
            if (!answer) answer = store.try_append(append);
            REQUIRE(answer);
            const Append next = two_events();
            REQUIRE(store.try_append(next));
            disk.cut_power();
            store.close();
            look_at_survivors(disk, seed_of(nth), [&](const std::vector<Event>& found) {
                CHECK(count_of(append, found) == size_of(append));
                CHECK(count_of(next, found) == size_of(next));
            });
        }
    }
}

// Durability::relaxed may lose the newest appends, but what is there is a beginning of what was appended.
TEST_CASE("relaxed: after a power cut the log is a prefix of whole appends", "[fault][store]") {
    constexpr int appends = 8;
    std::size_t most_lost = 0;
    for (int nth = 1;; ++nth) {
        CAPTURE(nth);
        FaultyDisk disk;
        WorkedStore store{disk, {"relaxed", true, 12, two_events}, Durability::relaxed};
        disk.cut_power({.op = changes, .nth = nth, .file = {}});
        std::vector<Append> tried;
        bool failed = false;
        while (!failed && tried.size() < appends) {
            tried.push_back(two_events());
            failed = !store.try_append(tried.back());
        }
        store.close();
        if (!disk.hit()) break;

        look_at_survivors(disk, seed_of(nth), [&](const std::vector<Event>& found) {
            CHECK(found.size() <= 2 * tried.size());
            for (std::size_t i = 0; i < found.size() && i / 2 < tried.size(); ++i) {
                CHECK(found[i].id == tried[i / 2].parts().front().events.at(i % 2).id);
            }
            CHECK(found.size() % 2 == 0);
            const std::size_t acknowledged = tried.size() - (failed ? 1 : 0);
            most_lost = std::max(most_lost, acknowledged - std::min(acknowledged, found.size() / 2));
        });
    }
    CHECK(most_lost > 0);  // or it was not relaxed at all
}

// Goal:   L5 holds for every member of a group commit, and for appends that run into a checkpoint.
// Method: threads append until the power goes, at a moment drawn from a seed; each notes what was acknowledged.
TEST_CASE("what many threads had acknowledged survives the power cut", "[fault][store]") {
    constexpr int threads = 5;
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    for (int round = 0; round < 15; ++round) {
        const int nth = std::uniform_int_distribution<int>{1, 400}(random);
        CAPTURE(round, nth);
        FaultyDisk disk;
        WorkedStore store{disk, {"many threads", false, 30, two_events}};
        store.open();
        disk.cut_power({.op = changes, .nth = nth, .file = {}});

        std::mutex mutex;
        std::set<EventId> acknowledged;
        std::vector<Append> tried;
        std::vector<std::thread> writers;
        for (int w = 0; w < threads; ++w) {
            writers.emplace_back([&, w] {
                for (;;) {
                    const Append append =
                        Append{}
                            .to({"Writer", std::to_string(w)}, expect::any, {test::event("Counted")})
                            .to({"Shared", "all"}, expect::any, {test::event("Counted", {"shared"})});
                    {
                        const std::lock_guard lock{mutex};
                        tried.push_back(append);
                    }
                    try {
                        (void)store.store().append(append);
                    } catch (const Error&) {
                        return;
                    }
                    const std::lock_guard lock{mutex};
                    for (const AppendPart& part : append.parts()) acknowledged.insert(part.events.front().id);
                }
            });
        }
        for (auto& writer : writers) writer.join();
        store.close();
        REQUIRE(disk.is_off());

        look_at_survivors(disk, random(), [&](const std::vector<Event>& found) {
            std::set<EventId> there;
            for (const Event& event : found) there.insert(event.id);
            CHECK(std::ranges::includes(there, acknowledged));
            std::size_t known = WorkedStore::seeded;
            for (const Append& append : tried) known += count_of(append, found);
            CHECK(found.size() == known);
        });
    }
}
