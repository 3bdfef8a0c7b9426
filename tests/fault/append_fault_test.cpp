// Appends on a disk that refuses an operation: whole or absent (L4), never lost once acknowledged, never twice
// (L6).
#include "workload.hpp"

#include <sqlite3.h>

#include <atomic>
#include <thread>

using namespace stele;
using namespace stele::test;

namespace {

/// Every way in which one operation can fail.
struct Way {
    std::string name;
    Op op = changes;
    Failure how;
};

std::vector<Way> ways() {
    return {
        {"any change fails", changes, {}},
        {"a write fails half done", Op::write, {.written = 700}},
        {"the disk is full for a moment", Op::write, {.code = SQLITE_FULL, .written = 512}},
        {"a sync fails and forgets", Op::sync, {.forgets = true}},
        {"a read or a lock fails", Op::read | Op::lock, {}},
    };
}

/// Calls run(disk, store, plan) on a fresh disk for n = 1, 2, 3, … until the n-th operation was not needed.
/// `plan` makes the n-th operation fail from then on.
template <class Run>
void fail_each(const Workload& work, const Way& way, Run&& run) {
    int runs = 0;
    for (int nth = 1;; ++nth) {
        CAPTURE(work.name, way.name, nth);
        FaultyDisk disk;
        WorkedStore store{disk, work};
        if (!work.creates) store.open();
        disk.fail({.op = way.op, .nth = nth, .file = {}}, way.how);
        const Append append = work.append();
        const auto answer = store.try_append(append);
        if (!disk.hit()) {
            CHECK(answer);
            break;
        }
        ++runs;
        disk.heal();
        run(store, append, answer);
    }
    CHECK(runs > 0);
}

}  // namespace

// Goal:   whichever operation fails, an append is there whole or not at all (L4), and the promise of one that
//         returned is kept (L5).
// Method: fail the 1st operation of the same append, then the 2nd, and so on until one gets through; after each run
//         reopen the store on a healthy disk and count; then append the same again.
TEST_CASE("an append whose n-th operation fails is whole or absent after reopen", "[fault][store]") {
    for (const Workload& work : workloads()) {
        for (const Way& way : ways()) {
            fail_each(work, way, [](WorkedStore& store, const Append& append, const auto& answer) {
                store.close();
                const auto found = sound_log(store.path());
                const std::size_t count = count_of(append, found);
                CHECK(found.size() == store.before() + count);
                if (answer) CHECK(count == size_of(append));

                const auto again = store.try_append(append);
                REQUIRE(again);
                CHECK(again->duplicate == (count != 0));
                if (answer) CHECK(again->last_position == answer->last_position);
                store.close();
                CHECK(count_of(append, sound_log(store.path())) == size_of(append));
            });
        }
    }
}

// Trap 5: the caller does not know whether its append was committed, and tries again.
TEST_CASE("an append that failed and is tried again at once is there exactly once", "[fault][store][trap5]") {
    for (const Workload& work : workloads()) {
        for (const Way& way : ways()) {
            fail_each(work, way, [](WorkedStore& store, const Append& append, const auto& answer) {
                const auto again = store.try_append(append);
                REQUIRE(again);
                if (answer) CHECK(again->duplicate);
                CHECK(again->first_position.value() == static_cast<std::int64_t>(store.before() + 1));
                CHECK_FALSE(store.store().append(two_events()).duplicate);  // and the store goes on

                store.close();
                const auto found = sound_log(store.path());
                CHECK(count_of(append, found) == size_of(append));
                CHECK(found.size() == store.before() + size_of(append) + 2);
            });
        }
    }
}

TEST_CASE("a read that fails says so and can be repeated", "[fault][store]") {
    bool completed = false;
    for (int nth = 1; !completed; ++nth) {
        CAPTURE(nth);
        FaultyDisk disk;
        WorkedStore store{disk, workloads().front()};
        store.open();
        disk.fail({.op = Op::read | Op::lock, .nth = nth, .file = {}});
        try {
            const auto types = types_in(store.store());
            CHECK(types.size() == WorkedStore::seeded);
        } catch (const StoreError& error) {
            CHECK_THAT(std::string{error.what()}, ContainsSubstring("shop.stele"));
        }
        completed = !disk.hit();
        disk.heal();
        CHECK(types_in(store.store()).size() == WorkedStore::seeded);
    }
}

// Goal:   one disk error in a group commit loses nobody's append and doubles nobody's (L4, L6).
// Method: threads append as fast as they can, each one event at a time; one operation fails; whoever gets an error
//         appends the same event again.
TEST_CASE("a failure within a group commit is answered to each of its appends", "[fault][store]") {
    constexpr int threads = 6;
    constexpr int appends = 15;
    for (const Op op : {Op::write, Op::sync}) {
        for (int nth = 1; nth <= 16; nth += 3) {
            CAPTURE(nth);
            FaultyDisk disk;
            WorkedStore store{disk, {"many threads", false, 20, two_events}};
            store.open();
            disk.fail({.op = op, .nth = nth, .file = "events.db-wal"});

            std::atomic<int> failures{0};
            std::vector<std::thread> writers;
            for (int w = 0; w < threads; ++w) {
                writers.emplace_back([&, w] {
                    const StreamId stream{"Writer", std::to_string(w)};
                    for (int n = 0; n < appends; ++n) {
                        const std::vector<NewEvent> events{stele::event("Counted", {{"n", n}})};
                        for (bool done = false; !done;) {
                            try {
                                (void)store.store().append(stream, expect::any, events);
                                done = true;
                            } catch (const StoreError&) {
                                ++failures;
                            }
                        }
                    }
                });
            }
            for (auto& writer : writers) writer.join();
            CHECK(disk.hit());
            store.close();

            std::map<StreamId, int> next;
            const auto found = sound_log(store.path());
            for (const Event& event : found) {
                if (event.type == "Counted") CHECK(event.data.value().at("n") == next[event.stream]++);
            }
            CHECK(found.size() == WorkedStore::seeded + threads * appends);
            CHECK(failures < appends);  // one failure must not go on failing
        }
    }
}
