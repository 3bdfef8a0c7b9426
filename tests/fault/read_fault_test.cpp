// Reads on a disk that fails for a moment: what was handed out stays right, and nothing is skipped or told twice.
#include "sound_log.hpp"

#include <stele/test/catch.hpp>
#include <stele/test/store.hpp>
#include <stele/test/temporary_folder.hpp>

#include <SQLiteCpp/Database.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

using namespace stele;
using namespace stele::test;

namespace {

constexpr int log_length = 2'500;  // three pages

void fill(EventStore& store) {
    Append append;
    for (int n = 0; n < log_length; ++n) {
        append.to({"Order", std::to_string(n)}, expect::any,
                  {stele::event(n % 2 == 0 ? "OrderPlaced" : "OrderPaid", {{"note", std::string(300, 'x')}})});
    }
    store.append(append);
}

// All that was appended is in events.db itself, and none of it in its WAL.
void checkpoint(const FaultyDisk& disk) {
    SQLite::Database db{(disk / "shop.stele" / "events.db").string(), SQLite::OPEN_READWRITE, 5'000, disk.vfs()};
    const auto busy = db.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt();
    REQUIRE(busy == 0);
}

// Takes what there is, and after an error goes on as if nothing had happened.
std::vector<Position> take_through_errors(Subscription& subscription, int& errors) {
    std::vector<Position> taken;
    for (;;) {
        try {
            const auto page = subscription.next_page(std::chrono::milliseconds{0});
            if (page.empty()) return taken;
            for (const auto& event : page) taken.push_back(event.position);
        } catch (const StoreError&) {
            ++errors;
        }
    }
}

}  // namespace

// Goal:   D1's ground: a subscription hands out every event once, in order, whichever read of the disk fails.
// Method: fail the 1st read of a catch-up, then the 2nd, and so on until one gets through untouched. Nearly all of
//         them fall into the middle of a page of ours, which holds 1,024 events on 120 pages of the file.
TEST_CASE("a subscription whose n-th read fails goes on where it was", "[fault][read]") {
    const auto query = GENERATE(Query{}, matching(types("OrderPaid")), matching(types("OrderPaid", "OrderPlaced")));
    CAPTURE(query);
    FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    {
        auto store = EventStore::open((disk / "shop.stele").string(), on(disk));
        fill(store);
    }
    std::vector<Position> expected;
    {
        auto store = EventStore::open((disk / "shop.stele").string(), on(disk));
        for (const Event& event : store.read(Read{query})) expected.push_back(event.position);
    }
    REQUIRE(expected.size() >= log_length / 2);

    bool untouched = false;
    int most_errors = 0;
    for (int nth = 1; !untouched; nth += 7) {
        CAPTURE(nth);
        auto store = EventStore::open((disk / "shop.stele").string(), on(disk));
        auto subscription = store.subscribe(query);
        disk.fail({.op = Op::read, .nth = nth, .file = {}});
        int errors = 0;
        const auto taken = take_through_errors(subscription, errors);
        CHECK(taken == expected);
        CHECK(subscription.position() == Position{log_length});
        untouched = !disk.hit();
        most_errors = std::max(most_errors, errors);
        disk.heal();
    }
    CHECK(most_errors == 1);  // the fault did reach a page
}

TEST_CASE("a range whose page cannot be read is at its end, and the read can be started again", "[fault][read]") {
    FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    {
        auto store = EventStore::open((disk / "shop.stele").string(), on(disk));
        fill(store);
    }
    auto store = EventStore::open((disk / "shop.stele").string(), on(disk));
    auto range = store.read(all());
    disk.fail({.op = Op::read, .nth = 20, .file = {}});
    CHECK_THROWS_AS(range.begin(), StoreError);
    disk.heal();
    std::int64_t next = 1;
    for (const Event& event : range) REQUIRE(event.position == Position{next++});
    CHECK(next == log_length + 1);
}

TEST_CASE("a log that is read from end to end is read many pages at once", "[fault][read]") {
    FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    const auto path = disk / "shop.stele";
    auto store = EventStore::open(path.string(), on(disk));
    fill(store);
    checkpoint(disk);
    std::vector<Event> backward;
    for (const Event& event : store.read(all().backward())) backward.push_back(event);
    const auto pages = std::filesystem::file_size(path / "events.db") / 4096;

    const int before = disk.seen(Op::read, "events.db");
    std::vector<Event> forward;
    for (const Event& event : store.read(all())) forward.push_back(event);
    CHECK(static_cast<std::size_t>(disk.seen(Op::read, "events.db") - before) < pages / 4);
    CHECK(std::equal(forward.begin(), forward.end(), backward.rbegin(), backward.rend()));
}

// Goal:   a page that was read ahead is never taken for what it has become since.
// Method: the end of the log, which the scan has read ahead, is written over by appends and checkpoints.
TEST_CASE("what was read ahead of a scan is not used after a commit", "[fault][read]") {
    FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    auto store = EventStore::open((disk / "shop.stele").string(), on(disk));
    fill(store);
    checkpoint(disk);
    for (int round = 0; round < 20; ++round) {
        std::int64_t position = 0;
        for (const Event& event : store.read(all())) REQUIRE(event.position.value() == ++position);
        REQUIRE(position == log_length + round);
        store.append({"Order", "more"}, expect::any, {stele::event("OrderPaid", {{"round", round}})});
        checkpoint(disk);
        const auto last = store.at(Position{position + 1});
        REQUIRE(last);
        CHECK(last->data.value().at("round") == round);
    }
}

// A file without a name takes appends as any other does, and all of them are lost when it is closed.
TEST_CASE("an append to a store that was deleted or replaced is refused", "[fault][moved]") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "shop.stele";
    auto store = EventStore::open(path.string());
    store.append({"Order", "1"}, expect::any, {stele::event("OrderPlaced")});
    std::filesystem::remove_all(path);
    try {
        store.append({"Order", "1"}, expect::any, {stele::event("OrderPaid")});
        FAIL("the append was acknowledged");
    } catch (const StoreError& error) {
        CHECK(error.code() == "moved");
    }
}

// Goal:   L5 for a repetition: what is answered as durable is synced, whoever committed it.
// Method: append with relaxed durability, ask again with full, cut the power.
TEST_CASE("a repetition answered under full durability survives a power cut", "[fault][power]") {
    FaultyDisk disk;
    const auto path = (disk / "shop.stele").string();
    const StreamId order{"Order", "order-7"};
    const auto placed = stele::event("OrderPlaced");
    {
        auto store = EventStore::open(path, on(disk));
        store.append(order, expect::any, {stele::event("OrderOpened")});
        auto careless = EventStore::open(path, on(disk, {.durability = Durability::relaxed}));
        careless.append(order, expect::any, {placed});
        CHECK(store.append(order, expect::any, {placed}).duplicate);
        disk.cut_power();
    }
    disk.power_on(Unsynced::lost);
    auto store = EventStore::open(path, on(disk));
    CHECK(types_in(store, order) == std::vector<std::string>{"OrderOpened", "OrderPlaced"});
}
