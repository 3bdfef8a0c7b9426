#include "connection.hpp"

#include "statement.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace stele::sqlite {

namespace {

namespace fs = std::filesystem;

int primary_code(const SQLite::Exception& error) { return error.getErrorCode() & 0xff; }

SQLite::Database open(const fs::path& file, int flags, const Options& options) {
    // Each connection is used by one thread at a time, so SQLite's own mutexes would be locked for nothing.
    SQLite::Database db{file.string(), flags | SQLITE_OPEN_NOMUTEX, static_cast<int>(options.deadline.count()),
                        options.sqlite_vfs};
    auto* handle = db.getHandle();
    // The WAL-reset race: on SQLite up to 3.51.2 a checkpoint beside a commit of another process can corrupt the
    // file. So no connection checkpoints by itself; the backend does, while it holds the write lock.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_autocheckpoint(handle, 0);
    sqlite3_extended_result_codes(handle, 1);
    db.exec("PRAGMA mmap_size = 0");
    return db;
}

/// A connection of the store, with a setting of its own. Throws StoreError.
SQLite::Database open(const fs::path& file, const Options& options, const char* setting) {
    try {
        auto db = open(file, SQLITE_OPEN_READWRITE, options);
        db.exec(setting);
        return db;
    } catch (const SQLite::Exception& error) {
        throw_error(file.string(), error, "open");
    }
}

/// Makes the names in `folder` durable. A folder that cannot be read can still hold a store, so failing is no
/// error.
void sync_folder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

/// Makes the folder, and the folders that it is in, where they are not there; all of their names are durable.
void make_folder(const fs::path& given) {
    auto folder = fs::absolute(given).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "audit.stele/"
    std::error_code error;
    std::vector<fs::path> holders;  // of what is made, innermost first
    for (auto path = folder; !fs::exists(path, error) && path != path.root_path(); path = path.parent_path()) {
        holders.push_back(path.parent_path());
    }
    fs::create_directories(folder, error);
    if (error) {
        throw StoreError{"access",
                         folder.string() + ": cannot make the folder: " + error.message() +
                             "; check the path and who may write there",
                         {{"path", folder.string()}}};
    }
    for (const auto& holder : holders) sync_folder(holder);
}

[[noreturn]] void not_a_store(const fs::path& path, const std::string& found) {
    throw StoreError{"not_a_store",
                     path.string() + ": expected a Stele store, found " + found + "; name another folder",
                     {{"path", path.string()}, {"found", found}}};
}

void check_format(SQLite::Database& db, const fs::path& folder) {
    const int application = db.execAndGet("PRAGMA application_id").getInt();
    const int found = db.execAndGet("PRAGMA user_version").getInt();
    if (application != application_id) not_a_store(folder / "events.db", "an SQLite database of another program");
    if (found < 1) not_a_store(folder / "events.db", "a log without a format number");
    if (found > newest_format) {
        throw StoreError{"format",
                         folder.string() + ": format " + std::to_string(found) + ", this build reads format " +
                             std::to_string(first_format) + " to " + std::to_string(newest_format) +
                             "; open it with the Stele that wrote it, or a later one",
                         {{"found", found}, {"supported", newest_format}}};
    }
}

/// Whether the file is new: no table, no numbers.
bool is_blank(SQLite::Database& db) {
    return db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0 &&
           db.execAndGet("PRAGMA application_id").getInt() == 0 &&
           db.execAndGet("PRAGMA user_version").getInt() == 0;
}

bool is_in_wal_mode(SQLite::Database& db) { return db.execAndGet("PRAGMA journal_mode").getString() == "wal"; }

void switch_to_wal(SQLite::Database& db) {
    if (db.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal") {
        throw SQLite::Exception("this file system cannot hold a write-ahead log", SQLITE_CANTOPEN);
    }
}

void create_tables(SQLite::Database& db) {
    db.exec("PRAGMA page_size = 4096");
    switch_to_wal(db);
    SQLite::Transaction tx{db, SQLite::TransactionBehavior::IMMEDIATE};
    if (is_blank(db)) {  // another process may have been quicker
        db.exec(schema_sql);
        db.exec("PRAGMA application_id = " + std::to_string(application_id));
        db.exec("PRAGMA user_version = " + std::to_string(first_format));
    }
    tx.commit();
}

}  // namespace

void prepare_file(const fs::path& folder, const Options& options) {
    const auto file = folder / "events.db";
    std::error_code ignored;
    if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored)) not_a_store(folder, "a file");
    if (options.mode == OpenMode::create) {
        make_folder(folder);
    } else if (!fs::exists(file, ignored)) {
        throw StoreError{"not_found", folder.string() + ": no store there", {{"path", folder.string()}}};
    }

    try {
        auto db = open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, options);
        // Switching to WAL needs the file alone for a moment, and SQLite does not wait for that by itself when two
        // processes make the same store at once.
        const auto give_up = std::chrono::steady_clock::now() + options.deadline;
        for (bool ready = false; !ready;) {
            try {
                if (is_blank(db)) create_tables(db);
                check_format(db, folder);
                if (!is_in_wal_mode(db)) switch_to_wal(db);  // another tool may have changed it
                ready = true;
            } catch (const SQLite::Exception& error) {
                if (primary_code(error) != SQLITE_BUSY || std::chrono::steady_clock::now() >= give_up) throw;
                std::this_thread::sleep_for(std::chrono::milliseconds{1});
            }
        }
        // A process that was killed between writing a commit and syncing it left events that everybody sees and a
        // power cut could still take. Before anyone acts on them, they are made to stay (L1, L5).
        if (options.durability == Durability::full) sync_wal(db.getHandle());
    } catch (const SQLite::Exception& error) {
        if (primary_code(error) == SQLITE_NOTADB) not_a_store(file, "a file that is not an SQLite database");
        throw_error(file.string(), error, "open");
    }
}

void sync_wal(sqlite3* db) {
    sqlite3_file* wal = nullptr;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK || wal == nullptr ||
        wal->pMethods == nullptr) {
        return;  // nothing of it was read or written yet, so nothing of it is there
    }
    const int code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK) throw_error(db, code, "sync the write-ahead log");
}

bool wal_is_read(sqlite3* db) noexcept {
    constexpr int first_place = 4;  // WAL_READ_LOCK(1); who holds (0) reads the database alone
    constexpr int places = SQLITE_SHM_NLOCK - first_place;
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
        file->pMethods == nullptr || file->pMethods->iVersion < 2) {
        return true;
    }
    const auto try_to = [&](int what) {
        return file->pMethods->xShmLock(file, first_place, places, what | SQLITE_SHM_EXCLUSIVE) == SQLITE_OK;
    };
    return !try_to(SQLITE_SHM_LOCK) || !try_to(SQLITE_SHM_UNLOCK);
}

SQLite::Database open_writer(const fs::path& file, const Options& options) {
    auto db =
        open(file, options,
             options.durability == Durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    // The triggers of the log are there against others (schema.sql); of our statements none updates or replaces.
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    return db;
}

SQLite::Database open_reader(const fs::path& file, const Options& options) {
    return open(file, options, "PRAGMA query_only = ON");
}

}  // namespace stele::sqlite
