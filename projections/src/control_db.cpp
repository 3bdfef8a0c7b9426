#include "control_db.hpp"

#include <stele/schema/time.hpp>

#include <sqlite3.h>

#include <chrono>
#include <thread>

namespace stele {
namespace {

namespace fs = std::filesystem;

constexpr int application_id = 0x53746c43;  // "StlC"

constexpr auto control_tables = R"sql(
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner INTEGER NOT NULL,   -- 0: free
    label TEXT NOT NULL,      -- of the owner, for people
    token INTEGER NOT NULL,   -- rises with every change of hands, and is never used again
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE projections (
    name TEXT PRIMARY KEY,
    wanted TEXT NOT NULL CHECK (wanted IN ('run', 'dropped')),
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE builds (
    name TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    builder INTEGER NOT NULL,  -- as in leases.owner
    position INTEGER NOT NULL,
    target INTEGER NOT NULL,
    events INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    failed_position INTEGER NOT NULL DEFAULT 0,
    failed_type TEXT NOT NULL DEFAULT '',
    failed_place TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
)sql";

// Since format 3.
constexpr auto later_projection_tables = R"sql(
ALTER TABLE builds ADD COLUMN began INTEGER NOT NULL DEFAULT 0;  -- the position that it goes on from
CREATE TABLE troubles (
    projection TEXT PRIMARY KEY,
    runner INTEGER NOT NULL,  -- as leases.owner
    text TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Since format 2. Times are microseconds since 1970.
constexpr auto listener_tables = R"sql(
CREATE TABLE listeners (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('live', 'paused', 'failed')),
    since INTEGER NOT NULL,
    token INTEGER NOT NULL,       -- of the lease of who may write here
    epoch INTEGER NOT NULL,       -- rises when somebody else has moved the place: whoever delivers reads it again
    start INTEGER NOT NULL DEFAULT 0,  -- it began behind this position
    position INTEGER NOT NULL,    -- everything selected up to here is settled
    read_to INTEGER NOT NULL,     -- and up to here, but for what is under way
    under_way TEXT NOT NULL,      -- a JSON array: the first position, then the distance to each next one
    stored_at INTEGER NOT NULL,   -- when the position was stored last
    beat INTEGER NOT NULL,        -- rises now and then while deliveries are under way, so that nobody takes them for hung
    failed_position INTEGER NOT NULL,
    error TEXT NOT NULL,
    counts TEXT NOT NULL,         -- a JSON object: listener_counts.hpp
    breaker TEXT NOT NULL,        -- a JSON object: breaker.hpp
    queue TEXT NOT NULL,          -- empty: it is sync, and its place says nothing
    sink TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- Deliveries that wait: for their next attempt (due), behind one of the same key (neither due nor held), or for an
-- operator (held). A key that has a row here is parked.
CREATE TABLE parked (
    listener TEXT NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    attempts INTEGER NOT NULL,    -- that were made and count
    due INTEGER,
    held INTEGER NOT NULL,
    PRIMARY KEY (listener, key, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX parked_due ON parked (listener, due) WHERE due IS NOT NULL;
CREATE INDEX parked_position ON parked (listener, position);
-- Failed attempts of what is parked or dead.
CREATE TABLE attempts (
    listener TEXT NOT NULL,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,      -- 1, 2, 3, …, of all that were made for this event
    at INTEGER NOT NULL,
    duration INTEGER NOT NULL,    -- microseconds
    cause TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (listener, position, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    listener TEXT NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    type TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_at INTEGER NOT NULL,
    last_failed_at INTEGER NOT NULL,
    cause TEXT NOT NULL,
    error TEXT NOT NULL,
    UNIQUE (listener, position)
) STRICT;
CREATE INDEX dead_letters_key ON dead_letters (listener, key);
-- Values of deduplication that were delivered, for as long as their window is open.
CREATE TABLE deduplicated (
    listener TEXT NOT NULL,
    value TEXT NOT NULL,
    until INTEGER NOT NULL,       -- the window's end, as a recorded_at
    position INTEGER NOT NULL,    -- of the event that was delivered
    PRIMARY KEY (listener, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX deduplicated_until ON deduplicated (listener, until);
)sql";

// When the WAL has so many pages, it is copied into the database.
constexpr int control_checkpoint_pages = 1'000;

std::int64_t number_of(sqlite3* db, const char* query) {
    sql::Statement row{db, query};
    return row.step() ? row.integer(0) : 0;
}

bool is_locked(const sql::SqlError& error) {
    constexpr int primary = 0xff;
    return (error.result_code() & primary) == SQLITE_BUSY;
}

// A connection that never checkpoints by itself: on SQLite up to 3.51.2, a checkpoint beside a commit of another
// process can corrupt the file (the WAL-reset race). See checkpoint().
Database open_quiet(const fs::path& file, Access access, const std::string& sqlite_vfs) {
    auto db = open_database(file, access, sqlite_vfs);
    sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_wal_autocheckpoint(db.get(), 0);
    return db;
}

}  // namespace

ControlDb::ControlDb(const fs::path& folder, const std::string& sqlite_vfs)
    : folder_(folder), sqlite_vfs_(sqlite_vfs) {
    naming([&] {
        db_ = open_quiet(file(), Access::create, sqlite_vfs_);
        // The switch to WAL mode needs the file alone for a moment, and SQLite does not wait for that by itself
        // when two processes make the same file at once.
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{5};
        for (bool ready = false; !ready;) {
            try {
                prepare();
                ready = true;
            } catch (const sql::SqlError& error) {
                if (!is_locked(error) || std::chrono::steady_clock::now() >= give_up) throw;
                std::this_thread::sleep_for(std::chrono::milliseconds{1});
            }
        }
    });
    sqlite3_wal_hook(db_.get(), &ControlDb::on_commit, this);
}

std::unique_ptr<ControlDb> ControlDb::open_existing(const fs::path& folder, const std::string& sqlite_vfs) {
    std::error_code ignored;
    if (!fs::exists(folder / "control.db", ignored)) return nullptr;
    return std::make_unique<ControlDb>(folder, sqlite_vfs);
}

ControlDb::~ControlDb() = default;

void ControlDb::prepare() {
    auto* db = db_.get();
    const auto is_blank = [&] { return number_of(db, "SELECT count(*) FROM sqlite_schema") == 0; };
    if (is_blank()) {
        if (!set_journal_mode(db, "wal")) throw sql::SqlError{db, "setting WAL mode for " + file().string()};
        sql::execute(db, "BEGIN IMMEDIATE");
        try {
            if (is_blank()) {  // another process may have been quicker
                sql::execute(db, control_tables);
                sql::execute(db, later_projection_tables);
                sql::execute(db, listener_tables);
                sql::execute(db, ("PRAGMA application_id = " + std::to_string(application_id)).c_str());
                sql::execute(db, ("PRAGMA user_version = " + std::to_string(format)).c_str());
            }
            sql::execute(db, "COMMIT");
        } catch (...) {
            sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
            throw;
        }
    }
    if (number_of(db, "PRAGMA application_id") != application_id) {
        throw StoreError{"control_file",
                         file().string() +
                             ": expected Stele's control.db, found a database of another program; "
                             "move it away, and a new one is made",
                         {{"path", file().string()}}};
    }
    const auto found = number_of(db, "PRAGMA user_version");
    if (found > format) {
        throw StoreError{"format",
                         file().string() + ": format " + std::to_string(found) + ", this build reads format " +
                             std::to_string(format) + "; use the Stele that wrote it, or a later one",
                         {{"found", found}, {"supported", format}}};
    }
    if (found < format) upgrade();
}

// Format 1 knew of no listeners, format 2 of no troubles.
void ControlDb::upgrade() {
    WriteTransaction transaction{db_.get()};
    const auto found = number_of(db_.get(), "PRAGMA user_version");
    if (found >= format) return;  // another process was quicker
    if (found < 2) sql::execute(db_.get(), listener_tables);
    if (found < 3) sql::execute(db_.get(), later_projection_tables);
    sql::execute(db_.get(), ("PRAGMA user_version = " + std::to_string(format)).c_str());
    transaction.commit();
}

int ControlDb::on_commit(void* self, sqlite3*, const char*, int pages) {
    static_cast<ControlDb*>(self)->wal_pages_ = pages;
    return SQLITE_OK;
}

ControlDb::Writing::Writing(ControlDb& control, Sync sync) : control_(control) {
    sql::execute(control_.db_.get(),
                 sync == Sync::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    sql::execute(control_.db_.get(), "BEGIN IMMEDIATE");
}

ControlDb::Writing::~Writing() {
    auto* db = control_.db_.get();
    if (sqlite3_get_autocommit(db) == 0) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
}

void ControlDb::Writing::commit() {
    sql::execute(control_.db_.get(), "COMMIT");
    if (control_.wal_pages_ >= control_checkpoint_pages) control_.checkpoint();
}

// By a second connection while the first one holds the write lock, so that no commit of any process runs beside it.
// What cannot be copied now, because somebody reads an older state, is copied by the next one.
void ControlDb::checkpoint() {
    try {
        const auto checkpointer = open_quiet(file(), Access::write, sqlite_vfs_);
        (void)number_of(checkpointer.get(), "PRAGMA user_version");  // one that has read nothing copies nothing
        sql::execute(db_.get(), "BEGIN IMMEDIATE");
        (void)sqlite3_wal_checkpoint_v2(checkpointer.get(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        sql::execute(db_.get(), "ROLLBACK");
    } catch (const sql::SqlError&) {
        // The commit before it stands; the next one tries again.
        if (sqlite3_get_autocommit(db_.get()) == 0) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

bool ControlDb::is_dropped(std::string_view projection) {
    return read([&](sqlite3* db) {
        sql::Statement row{db, "SELECT 1 FROM projections WHERE name = ?1 AND wanted = 'dropped'"};
        row.bind(1, projection);
        return row.step();
    });
}

void ControlDb::set_dropped(std::string_view projection, bool dropped) {
    if (is_dropped(projection) == dropped) return;
    write(Sync::full, [&](sqlite3* db) {
        sql::Statement row{
            db,
            "INSERT INTO projections (name, wanted, since) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO "
            "UPDATE SET wanted = excluded.wanted, since = excluded.since"};
        const auto since = to_rfc3339(now());
        row.bind(1, projection);
        row.bind(2, dropped ? "dropped" : "run");
        row.bind(3, since);
        row.run();
    });
}

}  // namespace stele
