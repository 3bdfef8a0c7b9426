// Ledger: a plain SQLite database that rows 1, 2, 3, … are committed to, one a transaction. What the tests of
// FaultyDisk itself try the disk with.
#pragma once

#include <stele/test/catch.hpp>
#include <stele/test/faulty_disk.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>

namespace stele::test {

struct Mode {
    std::string journal = "WAL";
    std::string synchronous = "FULL";
};

class Ledger {
public:
    static constexpr int row_bytes = 3000;  // two rows do not fit a page, so every commit writes several

    Ledger(const FaultyDisk& disk, const Mode& mode)
        : db_((disk / "ledger.db").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 0, disk.vfs()) {
        db_.exec("PRAGMA synchronous = " + mode.synchronous);
        db_.exec("PRAGMA journal_mode = " + mode.journal);
        db_.exec("PRAGMA wal_autocheckpoint = 0");
        db_.exec("CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, body BLOB)");
    }

    /// Returns once the row is committed; throws SQLite::Exception when it is not known to be.
    void commit_row(int n) {
        db_.exec("INSERT INTO rows VALUES (" + std::to_string(n) + ", randomblob(" + std::to_string(row_bytes) +
                 "))");
    }
    void checkpoint() {
        // Asked for as a query: exec() takes the row that it answers with, and hides an error in it.
        SQLite::Statement query{db_, "PRAGMA wal_checkpoint(PASSIVE)"};
        query.executeStep();
    }

private:
    SQLite::Database db_;
};

/// Commits rows 1 to `rows`, with a checkpoint in their midst, until something fails. How many were acknowledged.
inline int commit_rows(const FaultyDisk& disk, const Mode& mode, int rows) {
    int acknowledged = 0;
    try {
        Ledger ledger{disk, mode};
        for (int n = 1; n <= rows; ++n) {
            ledger.commit_row(n);
            acknowledged = n;
            if (n == rows / 2) ledger.checkpoint();
        }
    } catch (const SQLite::Exception&) {
        // the disk failed, as planned
    }
    return acknowledged;
}

/// How many rows a ledger in `folder` holds, on a healthy disk. Fails the test where it is damaged, or its rows are
/// not 1 to that number. -1 for damage that the caller expects.
inline int rows_in(const std::filesystem::path& folder, bool may_be_damaged = false) {
    const auto path = folder / "ledger.db";
    if (!std::filesystem::exists(path)) return 0;
    try {
        SQLite::Database db{path.string(), SQLite::OPEN_READWRITE};
        db.exec("PRAGMA synchronous = OFF");  // recovering it must not wait for the real disk
        const std::string verdict = db.execAndGet("PRAGMA integrity_check").getString();
        if (verdict != "ok" && may_be_damaged) return -1;
        CHECK(verdict == "ok");
        if (!db.tableExists("rows")) return 0;
        const int count = db.execAndGet("SELECT count(*) FROM rows").getInt();
        const int last = db.execAndGet("SELECT ifnull(max(n), 0) FROM rows").getInt();
        if (count != last && may_be_damaged) return -1;
        CHECK(count == last);
        return count;
    } catch (const SQLite::Exception& damaged) {
        if (may_be_damaged) return -1;
        FAIL_CHECK(damaged.what());
        return -1;
    }
}

}  // namespace stele::test
