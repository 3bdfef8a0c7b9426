// FaultyDisk against plain SQLite: counting, failing, holding, lack of space.
#include "ledger.hpp"

#include <stele/test/process.hpp>

#include <sqlite3.h>

#include <atomic>
#include <thread>

namespace fs = std::filesystem;
using namespace stele::test;

namespace {

constexpr int rows = 4;

// The extended result code with which commit_row(n) fails; SQLITE_OK where it does not.
int failure_of(Ledger& ledger, int n) {
    try {
        ledger.commit_row(n);
        return SQLITE_OK;
    } catch (const SQLite::Exception& e) {
        return e.getExtendedErrorCode();
    }
}

}  // namespace

TEST_CASE("the disk counts operations by kind and by file", "[fault][disk]") {
    FaultyDisk disk;
    Ledger ledger{disk, {}};
    const int syncs = disk.seen(Op::sync, "ledger.db-wal");
    const int writes = disk.seen(Op::write, "ledger.db-wal");
    const int database_writes = disk.seen(Op::write, "ledger.db");

    ledger.commit_row(1);

    CHECK(disk.seen(Op::sync, "ledger.db-wal") == syncs + 1);
    CHECK(disk.seen(Op::write, "ledger.db-wal") > writes + 1);
    CHECK(disk.seen(Op::write, "ledger.db") == database_writes);
    ledger.checkpoint();
    CHECK(disk.seen(Op::write, "ledger.db") > database_writes);
    CHECK(disk.seen(Op::write) >= disk.seen(Op::write, "ledger.db") + disk.seen(Op::write, "ledger.db-wal"));
    CHECK(disk.seen(Op::write | Op::sync) == disk.seen(Op::write) + disk.seen(Op::sync));
}

TEST_CASE("a write, a sync or an opening that fails says so once, and only there", "[fault][disk]") {
    FaultyDisk disk;
    Ledger ledger{disk, {}};
    ledger.commit_row(1);

    disk.fail({.op = Op::write, .nth = 2, .file = "ledger.db-wal"});
    CHECK(failure_of(ledger, 2) == SQLITE_IOERR_WRITE);
    CHECK(disk.hit());
    CHECK(failure_of(ledger, 2) == SQLITE_OK);

    disk.heal();
    CHECK_FALSE(disk.hit());
    disk.fail({.op = Op::sync, .nth = 1, .file = {}});
    CHECK(failure_of(ledger, 3) == SQLITE_IOERR_FSYNC);
    CHECK(failure_of(ledger, 3) == SQLITE_OK);

    disk.fail({.op = Op::open, .nth = 1, .file = "ledger.db"});
    CHECK_THROWS_AS((Ledger{disk, {}}), SQLite::Exception);
    CHECK_NOTHROW(Ledger{disk, {}});
}

TEST_CASE("a disk that fails for good fails until it is healed", "[fault][disk]") {
    FaultyDisk disk;
    Ledger ledger{disk, {}};
    disk.fail({.op = Op::write, .nth = 2, .file = {}}, {.code = SQLITE_FULL, .for_good = true});
    CHECK(failure_of(ledger, 1) == SQLITE_FULL);
    CHECK(failure_of(ledger, 1) == SQLITE_FULL);
    disk.heal();
    CHECK(failure_of(ledger, 1) == SQLITE_OK);
}

TEST_CASE("whichever change fails, the rows are whole afterwards", "[fault][disk]") {
    const auto written = GENERATE(std::size_t{0}, std::size_t{700});
    for (int nth = 1;; ++nth) {
        CAPTURE(nth, written);
        FaultyDisk disk;
        disk.fail({.op = changes, .nth = nth, .file = {}}, {.written = written});
        const int acknowledged = commit_rows(disk, {}, rows);
        if (!disk.hit()) break;
        const int found = rows_in(disk.folder());
        CHECK(found >= acknowledged);
        CHECK(found <= acknowledged + 1);
    }
}

// Linux marks pages clean when a sync of them fails: a later sync succeeds without having written them.
TEST_CASE("a row committed after a sync that forgot survives the power cut", "[fault][disk]") {
    FaultyDisk disk;
    {
        Ledger ledger{disk, {}};
        ledger.commit_row(1);
        disk.fail({.op = Op::sync, .nth = 1, .file = {}}, {.forgets = true});
        CHECK(failure_of(ledger, 2) == SQLITE_IOERR_FSYNC);
        CHECK(failure_of(ledger, 2) == SQLITE_OK);
        CHECK(failure_of(ledger, 3) == SQLITE_OK);
        disk.cut_power();
    }
    disk.power_on();
    CHECK(rows_in(disk.folder()) == 3);
}

TEST_CASE("a disk without space refuses, keeps what is there, and goes on when there is space", "[fault][disk]") {
    FaultyDisk disk;
    Ledger ledger{disk, {}};
    ledger.commit_row(1);

    disk.limit_space(Ledger::row_bytes);  // a commit writes two pages
    CHECK(failure_of(ledger, 2) == SQLITE_FULL);
    CHECK(failure_of(ledger, 2) == SQLITE_FULL);
    CHECK(disk.hit());
    disk.limit_space(20'000);
    CHECK(failure_of(ledger, 2) == SQLITE_OK);
    CHECK(rows_in(disk.folder()) == 2);
}

TEST_CASE("what is truncated or deleted is space again", "[fault][disk]") {
    FaultyDisk disk;
    {
        Ledger ledger{disk, {}};
        ledger.commit_row(1);
        disk.limit_space(0);
    }  // closing copies the WAL into the database, which finds no space for it, and keeps the WAL
    CHECK(disk.hit());
    CHECK(fs::exists(disk / "ledger.db-wal"));

    disk.heal();
    disk.limit_space(100'000);
    { const Ledger ledger{disk, {}}; }  // closing deletes the WAL
    CHECK_FALSE(fs::exists(disk / "ledger.db-wal"));
    Ledger ledger{disk, {}};
    int committed = 0;
    while (failure_of(ledger, 2 + committed) == SQLITE_OK) ++committed;
    CHECK(committed > 5);
    CHECK(rows_in(disk.folder()) == 1 + committed);
}

TEST_CASE("a thread is held at one operation until it is released", "[fault][disk]") {
    FaultyDisk disk;
    Ledger ledger{disk, {}};
    std::atomic<bool> committed{false};
    auto pause = disk.pause({.op = Op::sync, .nth = 1, .file = "ledger.db-wal"});

    std::thread writer{[&] {
        ledger.commit_row(1);
        committed = true;
    }};
    REQUIRE(pause.reached());
    CHECK_FALSE(committed);
    // the disk serves others meanwhile, and the row is not there yet
    CHECK(rows_in(disk.folder()) == 0);
    pause.release();
    writer.join();
    CHECK(committed);
    CHECK(rows_in(disk.folder()) == 1);
}

TEST_CASE("a held thread finds the power gone", "[fault][disk]") {
    FaultyDisk disk;
    {
        Ledger ledger{disk, {}};
        int code = SQLITE_OK;
        auto pause = disk.pause({.op = Op::sync, .nth = 1, .file = "ledger.db-wal"});
        std::thread writer{[&] { code = failure_of(ledger, 1); }};
        REQUIRE(pause.reached());
        disk.cut_power();
        writer.join();
        CHECK(code == SQLITE_IOERR_FSYNC);
    }
    disk.power_on();
    CHECK(rows_in(disk.folder()) == 0);
}

TEST_CASE("a pause that nobody comes to says so", "[fault][disk]") {
    FaultyDisk disk;
    const auto pause = disk.pause({.op = Op::sync, .nth = 1, .file = {}});
    CHECK_FALSE(pause.reached(std::chrono::milliseconds{1}));
}

TEST_CASE("the disk of a helper process is named by one environment variable", "[fault][disk]") {
    CHECK(kill_at({.op = Op::write | Op::sync, .nth = 17, .file = "events.db-wal"}) ==
          "kill write|sync 17 events.db-wal");
    CHECK(stop_at({.op = Op::lock, .nth = 1, .file = {}}) == "stop lock 1 ");

    ::unsetenv("STELE_TEST_DISK");
    CHECK(disk_from_environment() == nullptr);
    for (const char* wrong :
         {"", "kill", "kill write", "kill write x", "kill write 0", "melt write 1", "kill writes 1"}) {
        CAPTURE(wrong);
        ::setenv("STELE_TEST_DISK", wrong, 1);
        CHECK_THROWS_AS(disk_from_environment(), std::invalid_argument);
    }
    ::setenv("STELE_TEST_DISK", "kill changes 100000", 1);
    const auto disk = disk_from_environment();
    REQUIRE(disk != nullptr);
    CHECK(std::string{sqlite3_vfs_find(nullptr)->zName} == disk->vfs());
    ::unsetenv("STELE_TEST_DISK");
}
