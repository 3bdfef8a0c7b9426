// The VFS that reads ahead, over VFSs that are not the system's.
#include "sqlite/scan_vfs.hpp"

#include <stele/store/append.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>

#include <SQLiteCpp/Database.h>

using namespace stele;
using stele::sqlite::ScanVfs;
using stele::test::TemporaryFolder;

namespace {

// As many are made: what it needs stands behind the fields that SQLite knows, so it must be asked as itself.
struct OwnVfs : sqlite3_vfs {
    OwnVfs() : sqlite3_vfs{*sqlite3_vfs_find(nullptr)}, base(sqlite3_vfs_find(nullptr)) {
        pNext = nullptr;
        zName = "stele-test-own";
        xOpen = [](sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
            auto* system = base_of(vfs);
            return system->xOpen(system, path, file, flags, flags_out);
        };
        xAccess = [](sqlite3_vfs* vfs, const char* path, int flags, int* result) {
            auto* system = base_of(vfs);
            return system->xAccess(system, path, flags, result);
        };
        xFullPathname = [](sqlite3_vfs* vfs, const char* path, int size, char* out) {
            auto* system = base_of(vfs);
            return system->xFullPathname(system, path, size, out);
        };
        there = this;
        sqlite3_vfs_register(this, 0);
    }
    ~OwnVfs() { sqlite3_vfs_unregister(this); }
    OwnVfs(const OwnVfs&) = delete;
    OwnVfs& operator=(const OwnVfs&) = delete;

    static sqlite3_vfs* base_of(sqlite3_vfs* vfs) {
        ++(vfs == there ? there->asked : there->mistaken);
        return there->base;
    }

    static inline OwnVfs* there = nullptr;
    sqlite3_vfs* base;
    int asked = 0;
    int mistaken = 0;
};

// With one row, in WAL mode.
std::string made_database(const TemporaryFolder& folder) {
    auto file = (folder.path() / "some.db").string();
    SQLite::Database db{file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    REQUIRE(db.execAndGet("PRAGMA journal_mode = WAL").getString() == "wal");
    db.exec("CREATE TABLE some (n); INSERT INTO some VALUES (7)");
    return file;
}

int number_in(const std::string& file, const ScanVfs& vfs) {
    SQLite::Database db{file, SQLite::OPEN_READWRITE, 5'000, vfs.name()};
    return db.execAndGet("SELECT n FROM some").getInt();
}

}  // namespace

TEST_CASE("a VFS that keeps what it needs behind its fields is asked as itself", "[store][vfs]") {
    const TemporaryFolder folder;
    const auto file = made_database(folder);
    const OwnVfs own;
    const ScanVfs vfs{own.zName};
    CHECK(number_in(file, vfs) == 7);
    CHECK(own.asked > 0);
    CHECK(own.mistaken == 0);
}

TEST_CASE("over a VFS without shared memory, a database with a WAL is refused as by that VFS", "[store][vfs]") {
    const TemporaryFolder folder;
    const auto file = made_database(folder);
    const ScanVfs vfs{"unix-none"};
    try {
        (void)number_in(file, vfs);
        FAIL("expected an error");
    } catch (const SQLite::Exception& error) {
        CHECK(error.getErrorCode() == SQLITE_CANTOPEN);
    }
}

TEST_CASE("over a VFS that there is not, nothing is opened", "[store][vfs]") {
    CHECK_THROWS_AS(ScanVfs{"stele-test-none"}, StoreError);
}
