#include "generation_file.hpp"

#include <sqlite3.h>

namespace stele {
namespace {

constexpr auto tables = R"sql(
CREATE TABLE stele_projection (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE stele_skipped (
    position INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    place TEXT NOT NULL,
    error TEXT NOT NULL
) STRICT;
)sql";

// No journal on disk and no sync until the end. The journal in memory is there so that the writes of a failed
// handler can be undone. Exclusive: nobody else looks, so there is no need to look for others at every transaction.
constexpr auto pragmas_of_a_build =
    "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; "
    "PRAGMA cache_size = -16384";

// Readers and the one writer do not wait for each other in WAL mode. Commits are not synced one by one: after a
// power cut the last of them may be gone, rows and position together, and are folded again (P1). SQLite copies the
// WAL back by itself, which is safe here on versions with the WAL-reset bug too: commits and checkpoints are all of
// this connection's thread, as it holds the projection's lock and readers are read-only.
constexpr auto pragmas_of_use = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384";

}  // namespace

Generation read_generation(sqlite3* db) {
    sql::Statement row{db,
                       "SELECT name, version, fingerprint, generation, position, state, error, updated_at, "
                       "(SELECT count(*) FROM stele_skipped) FROM stele_projection"};
    if (!row.step()) throw sql::SqlError{db, "reading stele_projection, which is empty"};
    Generation g;
    g.name = row.text(0);
    g.version = static_cast<int>(row.integer(1));
    g.fingerprint = row.text(2);
    g.number = row.integer(3);
    g.position = Position{row.integer(4)};
    g.state = row.text(5);
    g.error = row.text(6);
    g.updated_at = parse_rfc3339(row.text(7), "updated_at");
    g.skipped = row.integer(8);
    return g;
}

GenerationFile::GenerationFile(std::filesystem::path path, Database db)
    : path_(std::move(path)),
      db_(std::move(db)),
      progress_(db_.get(), "UPDATE stele_projection SET position = ?1, state = ?2, error = ?3, updated_at = ?4"),
      skipped_(db_.get(),
               "INSERT OR REPLACE INTO stele_skipped (position, type, place, error) VALUES (?1, ?2, ?3, ?4)") {}

GenerationFile GenerationFile::create(const std::filesystem::path& path, const Projection& projection,
                                      std::int64_t generation, const std::string& sqlite_vfs) {
    auto db = open_database(path, Access::create, sqlite_vfs);
    sql::execute(db.get(), pragmas_of_a_build);
    sql::execute(db.get(), tables);
    const auto now_text = to_rfc3339(now());
    sql::Statement row{
        db.get(),
        "INSERT INTO stele_projection (id, name, version, fingerprint, generation, position, state, error, "
        "updated_at) VALUES (1, ?1, ?2, ?3, ?4, 0, 'building', '', ?5)"};
    row.bind(1, projection.name());
    row.bind(2, projection.version());
    row.bind(3, projection.fingerprint());
    row.bind(4, generation);
    row.bind(5, now_text);
    row.run();
    return GenerationFile{path, std::move(db)};
}

GenerationFile GenerationFile::open(const std::filesystem::path& path, const std::string& sqlite_vfs) {
    auto db = open_database(path, Access::write, sqlite_vfs);
    sql::execute(db.get(), pragmas_of_use);
    return GenerationFile{path, std::move(db)};
}

void GenerationFile::write_progress(Position position, std::string_view state, std::string_view error) {
    const auto now_text = to_rfc3339(now());
    progress_.bind(1, position.value());
    progress_.bind(2, state);
    progress_.bind(3, error);
    progress_.bind(4, now_text);
    progress_.run();
}

void GenerationFile::write_skipped(const Event& event, std::string_view place, std::string_view reason) {
    skipped_.bind(1, event.position.value());
    skipped_.bind(2, event.type);
    skipped_.bind(3, place);
    skipped_.bind(4, reason);
    skipped_.run();
}

void GenerationFile::finish(Position position, std::string_view state, const std::string& sqlite_vfs) && {
    sql::execute(db_.get(), "BEGIN IMMEDIATE");
    write_progress(position, state);
    sql::execute(db_.get(), "COMMIT");
    progress_ = {};
    skipped_ = {};
    db_.reset();

    // Opened as generations in use are. To write the mode into the file is a transaction, which syncs the file, and
    // so all that was written before: the one sync of a build.
    const auto db = open_database(path_, Access::write, sqlite_vfs);
    if (!set_journal_mode(db.get(), "wal")) throw sql::SqlError{db.get(), "setting WAL mode for " + path_.string()};
}

}  // namespace stele
