// FaultyDisk against plain SQLite: what is left after the power went.
#include "ledger.hpp"

#include <stele/test/temporary_folder.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace fs = std::filesystem;
using namespace stele::test;

namespace {

constexpr int rows = 6;

std::string contents(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// What rows_in() finds after a power cut now, for one kind of luck. The disk stays as it is.
int rows_surviving(const FaultyDisk& disk, Unsynced unsynced, std::uint64_t seed = 0, bool may_be_damaged = false) {
    const TemporaryFolder after{memory()};
    disk.survivors_to(after.path(), unsynced, seed);
    return rows_in(after.path(), may_be_damaged);
}

// Calls check(n, acknowledged, disk) after a run over which the power was cut at its n-th change, for every n.
template <class Check>
void cut_at_every_change(const Mode& mode, Check&& check) {
    int cuts = 0;
    for (int nth = 1;; ++nth) {
        CAPTURE(nth, mode.journal, mode.synchronous);
        FaultyDisk disk;
        disk.cut_power({.op = changes, .nth = nth, .file = {}});
        const int acknowledged = commit_rows(disk, mode, rows);
        if (!disk.hit()) break;
        ++cuts;
        check(nth, acknowledged, disk);
    }
    CHECK(cuts > 5 * rows);
}

}  // namespace

// Goal:   the model is neither too kind nor too cruel: SQLite's own promise holds on it.
// Method: cut the power at each change of a run, from the creation of the file on, and look at what is left when
//         nothing unsynced survives, when all does, and with ten kinds of luck.
TEST_CASE("a WAL database with synchronous=FULL survives a power cut at every change", "[fault][disk]") {
    cut_at_every_change({"WAL", "FULL"}, [](int nth, int acknowledged, const FaultyDisk& disk) {
        const auto whole = [&](int found) { return found == acknowledged || found == acknowledged + 1; };
        CAPTURE(acknowledged);
        CHECK(whole(rows_surviving(disk, Unsynced::lost)));
        CHECK(whole(rows_surviving(disk, Unsynced::kept)));
        for (std::uint64_t luck = 0; luck < 10; ++luck) {
            const std::uint64_t seed = static_cast<std::uint64_t>(nth) * 100 + luck;
            CAPTURE(seed);
            CHECK(whole(rows_surviving(disk, Unsynced::random, seed)));
        }
    });
}

TEST_CASE("a WAL database with synchronous=NORMAL loses at most its newest commits", "[fault][disk]") {
    int most_lost = 0;
    cut_at_every_change({"WAL", "NORMAL"}, [&](int nth, int acknowledged, const FaultyDisk& disk) {
        CAPTURE(acknowledged);
        for (std::uint64_t luck = 0; luck < 5; ++luck) {
            const std::uint64_t seed = static_cast<std::uint64_t>(nth) * 100 + luck;
            CAPTURE(seed);
            const int found = rows_surviving(disk, Unsynced::random, seed);
            CHECK(found <= acknowledged + 1);
            most_lost = std::max(most_lost, acknowledged - found);
        }
        most_lost = std::max(most_lost, acknowledged - rows_surviving(disk, Unsynced::lost));
    });
    CHECK(most_lost > 1);  // or the disk kept what was never synced
}

// The negative control: a database that does not sync is lost on a disk that means it.
TEST_CASE("a database with synchronous=OFF loses commits, and some luck damages it", "[fault][disk]") {
    int lost = 0;
    int damaged = 0;
    cut_at_every_change({"WAL", "OFF"}, [&](int nth, int acknowledged, const FaultyDisk& disk) {
        lost = std::max(lost, acknowledged - rows_surviving(disk, Unsynced::lost));
        for (std::uint64_t luck = 0; luck < 5; ++luck) {
            const std::uint64_t seed = static_cast<std::uint64_t>(nth) * 100 + luck;
            damaged += rows_surviving(disk, Unsynced::random, seed, true) < 0;
        }
    });
    CHECK(lost == rows);
    CHECK(damaged > 0);
}

// SQLite deletes a rollback journal to commit, and syncs the folder only with synchronous=EXTRA: with FULL the
// journal may be back after a power cut, and undo the transaction (sqlite.org/pragma.html#pragma_synchronous).
TEST_CASE("a deleted journal may be back after a power cut, unless the folder was synced", "[fault][disk]") {
    int undone = 0;
    cut_at_every_change({"DELETE", "FULL"}, [&](int, int acknowledged, const FaultyDisk& disk) {
        const int found = rows_surviving(disk, Unsynced::lost);
        CHECK(found >= acknowledged - 1);
        undone += found < acknowledged;
    });
    CHECK(undone > 0);

    cut_at_every_change({"DELETE", "EXTRA"}, [](int nth, int acknowledged, const FaultyDisk& disk) {
        CHECK(rows_surviving(disk, Unsynced::lost) >= acknowledged);
        CHECK(rows_surviving(disk, Unsynced::random, static_cast<std::uint64_t>(nth)) >= acknowledged);
    });
}

TEST_CASE("a write that is torn by the power cut is not taken for a commit", "[fault][disk]") {
    for (const std::size_t written : {1u, 24u, 511u, 512u, 1024u, 4095u}) {
        for (int nth = 1;; ++nth) {
            CAPTURE(written, nth);
            FaultyDisk disk;
            disk.cut_power({.op = Op::write, .nth = nth, .file = "ledger.db-wal"}, written);
            const int acknowledged = commit_rows(disk, {}, 2);
            if (!disk.hit()) break;
            CHECK(rows_surviving(disk, Unsynced::kept) >= acknowledged);
            CHECK(rows_surviving(disk, Unsynced::kept) <= acknowledged + 1);
        }
    }
}

TEST_CASE("power_on leaves the survivors in place, and the disk works again", "[fault][disk]") {
    FaultyDisk disk;
    CHECK(commit_rows(disk, {"WAL", "OFF"}, rows) == rows);
    disk.settle();

    {
        Ledger ledger{disk, {"WAL", "OFF"}};
        ledger.commit_row(rows + 1);
        disk.cut_power();
        CHECK_THROWS_AS(ledger.commit_row(rows + 2), SQLite::Exception);
        CHECK(disk.is_off());
        CHECK_THROWS_AS(disk.power_on(), std::logic_error);  // the database is open
    }
    disk.power_on();

    CHECK_FALSE(fs::exists(disk / "ledger.db-shm"));
    CHECK(rows_in(disk.folder()) == rows);
    Ledger ledger{disk, {}};
    CHECK_NOTHROW(ledger.commit_row(rows + 1));
}

TEST_CASE("luck comes from the seed alone, and differs with it", "[fault][disk]") {
    FaultyDisk disk;
    disk.cut_power({.op = Op::write, .nth = 25, .file = {}});
    (void)commit_rows(disk, {"WAL", "OFF"}, rows);
    REQUIRE(disk.hit());

    const auto after = [&](std::uint64_t seed) {
        const TemporaryFolder folder{memory()};
        disk.survivors_to(folder.path(), Unsynced::random, seed);
        const auto database = contents(folder / "ledger.db");
        return database + "|" + contents(folder / "ledger.db-wal");
    };
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const std::string outcome = after(seed);
        CHECK(after(seed) == outcome);
        outcomes.insert(outcome);
    }
    CHECK(outcomes.size() > 10);
}

TEST_CASE("a file keeps its unsynced contents out of a new name", "[fault][disk]") {
    FaultyDisk disk;
    { const Ledger ledger{disk, {}}; }
    disk.settle();
    const std::string before = contents(disk / "ledger.db");
    {
        Ledger ledger{disk, {"WAL", "OFF"}};
        ledger.commit_row(1);
    }  // closing it copies the row into the database, without a sync
    CHECK(contents(disk / "ledger.db") != before);

    fs::rename(disk / "ledger.db", disk / "renamed.db");
    disk.cut_power();
    disk.power_on();

    CHECK_FALSE(fs::exists(disk / "ledger.db"));
    CHECK(contents(disk / "renamed.db") == before);
}

TEST_CASE("files that SQLite did not write are left alone by a power cut", "[fault][disk]") {
    FaultyDisk disk;
    std::ofstream{disk / "notes.txt"} << "kept";
    CHECK(commit_rows(disk, {}, 1) == 1);
    disk.cut_power();
    disk.power_on();
    CHECK(contents(disk / "notes.txt") == "kept");
}
