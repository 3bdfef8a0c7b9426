// Trap 17: a full disk. Every write finds no space, one after another; the store says so, loses nothing, goes on.
#include "workload.hpp"

#include <sqlite3.h>

using namespace stele;
using namespace stele::test;

namespace {

/// The code of the StoreError that the append ends with; empty where it succeeds.
std::string refusal(WorkedStore& store, const Append& append) {
    try {
        if (!store.is_open()) store.open();
        (void)store.store().append(append);
        return {};
    } catch (const StoreError& error) {
        CAPTURE(std::string{error.what()});
        CHECK_THAT(std::string{error.what()}, ContainsSubstring("shop.stele"));
        CHECK_THAT(std::string{error.what()}, ContainsSubstring("space"));
        return error.code();
    }
}

}  // namespace

TEST_CASE("a disk that is full from the n-th write on refuses clearly, loses nothing, and goes on with space",
          "[fault][store][trap17]") {
    for (const Workload& work : workloads()) {
        for (const std::size_t written : {0u, 1000u}) {
            for (int nth = 1;; ++nth) {
                CAPTURE(work.name, written, nth);
                FaultyDisk disk;
                WorkedStore store{disk, work};
                if (!work.creates) store.open();
                disk.fail({.op = Op::write, .nth = nth, .file = {}},
                          {.code = SQLITE_FULL, .for_good = true, .written = written});
                const Append append = work.append();
                const std::string first = refusal(store, append);
                if (!disk.hit()) {
                    CHECK(first.empty());
                    break;
                }
                // a checkpoint may find no space behind an append that did; that is no failure of the append
                CHECK((first == "disk_full" || (first.empty() && work.checkpoint_pages == 1)));
                const Append other = two_events();
                CHECK(refusal(store, other) == "disk_full");
                if (store.is_open()) {
                    CHECK(types_in(store.store()).size() == store.before() + (first.empty() ? size_of(append) : 0));
                }

                disk.heal();
                CHECK(refusal(store, append).empty());
                CHECK(refusal(store, other).empty());
                store.close();
                const auto found = sound_log(store.path());
                CHECK(found.size() == store.before() + size_of(append) + 2);
                CHECK(count_of(append, found) == size_of(append));
                CHECK(count_of(other, found) == 2);
            }
        }
    }
}

TEST_CASE("a store that fills its disk keeps all it has acknowledged, over a power cut too",
          "[fault][store][trap17]") {
    FaultyDisk disk;
    WorkedStore store{disk, {"filling", false, 20, two_events}};
    store.open();
    disk.limit_space(300'000);
    std::vector<Append> acknowledged;
    for (;;) {
        const Append append = two_events();
        const std::string refused = refusal(store, append);
        if (refused == "disk_full") break;
        REQUIRE(refused.empty());
        acknowledged.push_back(append);
        REQUIRE(acknowledged.size() < 10'000);
    }
    CHECK(acknowledged.size() > 20);
    CHECK(types_in(store.store()).size() == store.before() + 2 * acknowledged.size());
    disk.cut_power();
    store.close();
    disk.power_on();

    disk.limit_space(1'000'000);
    CHECK(refusal(store, two_events()).empty());
    store.close();
    const auto found = sound_log(store.path());
    CHECK(found.size() == store.before() + 2 * acknowledged.size() + 2);
    for (const Append& append : acknowledged) CHECK(count_of(append, found) == 2);
}
