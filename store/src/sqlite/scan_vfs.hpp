// ScanVfs: SQLite's files as another VFS has them, with fewer system calls where page after page is read.
//
// Who replays or rebuilds reads the log from one end to the other, and SQLite asks the kernel for each of its pages
// by itself: a fifth to a quarter of such a read's time. Here a database's file that is read forward gives a run of
// pages at once, and those that follow come out of memory. Reads here and there are passed on as they are.
//
// What is in memory never outlives a transaction: taking a lock, of either kind, forgets it. Within one, in WAL
// mode, a page that a reader takes from the database's file does not change there: a checkpoint writes only pages
// that the reader finds in the WAL instead (https://www.sqlite.org/wal.html#concurrency, and "Reader" in
// https://www.sqlite.org/walformat.html). PRAGMA mmap_size would save the same calls, but turns an unreadable
// sector into a signal that ends the process.
#pragma once

#include <sqlite3.h>

#include <string>

namespace stele::sqlite {

/// A VFS that is registered with SQLite while this is there. For connections that read; others work, and gain
/// nothing.
class ScanVfs {
public:
    /// Over the VFS of this name; empty: SQLite's default one. Throws StoreError where there is none.
    explicit ScanVfs(const std::string& base);
    /// No file that was opened with it is open any more.
    ~ScanVfs();
    ScanVfs(const ScanVfs&) = delete;
    ScanVfs& operator=(const ScanVfs&) = delete;

    /// What sqlite3_open_v2() takes.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    sqlite3_vfs vfs_{};  ///< pAppData is the base
};

}  // namespace stele::sqlite
