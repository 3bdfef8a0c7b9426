#include "generation_file.hpp"

#include <sqlite3.h>

#include <array>
#include <vector>

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
    updated_at TEXT NOT NULL,
    since TEXT NOT NULL DEFAULT '',
    token INTEGER NOT NULL DEFAULT 0,
    rate REAL NOT NULL DEFAULT 0,
    kept INTEGER NOT NULL DEFAULT 0,
    error_place TEXT NOT NULL DEFAULT '',
    event_id TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE stele_skipped (
    position INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    place TEXT NOT NULL,
    error TEXT NOT NULL
) STRICT;
)sql";

// Exclusive: nobody else looks, so there is no need to look for others at every transaction. The cache and NORMAL,
// which syncs at checkpoints alone: see generation_build.hpp. (With OFF, the WAL's header might get onto the disk
// behind the frames that it makes invalid, and a power cut would bring back older pages.)
constexpr auto pragmas_of_a_build =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768";

// When the WAL has so many pages, it is copied into the file. A build has room: 100 MB.
constexpr int checkpoint_pages = 1'000;
constexpr int checkpoint_pages_of_a_build = 25'000;
// So many are copied at the end of a build in no time.
constexpr int few_pages = 100;

// Readers and writers do not wait for each other in WAL mode. Commits are not synced one by one: after a power cut
// the last of them may be gone, rows and position together, and are folded again (P1).
constexpr auto pragmas_of_use = "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16384";

// What files may lack that earlier builds of Stele made.
struct LaterColumn {
    const char* name;
    const char* definition;
};
constexpr std::array later_columns{
    LaterColumn{"since", "TEXT NOT NULL DEFAULT ''"},       LaterColumn{"token", "INTEGER NOT NULL DEFAULT 0"},
    LaterColumn{"rate", "REAL NOT NULL DEFAULT 0"},         LaterColumn{"kept", "INTEGER NOT NULL DEFAULT 0"},
    LaterColumn{"error_place", "TEXT NOT NULL DEFAULT ''"}, LaterColumn{"event_id", "TEXT NOT NULL DEFAULT ''"},
};

// The columns of a row by name, for tables that may lack some.
class NamedColumns {
public:
    explicit NamedColumns(const sql::Statement& row) : row_(row) {}

    [[nodiscard]] std::optional<int> find(std::string_view name) const {
        for (int i = 0; i < row_.columns(); ++i) {
            if (name == sqlite3_column_name(row_.get(), i)) return i;
        }
        return std::nullopt;
    }
    // A column that is not there reads as NULL does: 0, or the empty text.
    [[nodiscard]] std::int64_t integer(std::string_view name) const {
        const auto column = find(name);
        return column ? row_.integer(*column) : 0;
    }
    [[nodiscard]] double real(std::string_view name) const {
        const auto column = find(name);
        return column ? row_.real(*column) : 0.0;
    }
    [[nodiscard]] std::string text(std::string_view name) const {
        const auto column = find(name);
        return column ? std::string{row_.text(*column)} : std::string{};
    }

private:
    const sql::Statement& row_;
};

void add_later_columns(sqlite3* db) {
    const auto lacking = [db] {
        std::vector<LaterColumn> all{later_columns.begin(), later_columns.end()};
        sql::Statement row{db, "SELECT name FROM pragma_table_info('stele_projection')"};
        while (row.step()) std::erase_if(all, [&](const auto& column) { return column.name == row.text(0); });
        return all;
    };
    if (lacking().empty()) return;
    WriteTransaction transaction{db};
    for (const auto& column : lacking()) {  // another process may have been quicker
        const auto add =
            std::string{"ALTER TABLE stele_projection ADD COLUMN "} + column.name + " " + column.definition;
        sql::execute(db, add.c_str());
    }
    transaction.commit();
}

std::int64_t token_of(sqlite3* db) {
    sql::Statement row{db, "SELECT token FROM stele_projection"};
    return row.step() ? row.integer(0) : 0;
}

}  // namespace

Generation read_generation(sqlite3* db) {
    sql::Statement row{db, "SELECT *, (SELECT count(*) FROM stele_skipped) AS skipped FROM stele_projection"};
    if (!row.step()) throw sql::SqlError{db, "reading stele_projection, which is empty"};
    const NamedColumns columns{row};
    Generation g;
    g.name = columns.text("name");
    g.version = static_cast<int>(columns.integer("version"));
    g.fingerprint = columns.text("fingerprint");
    g.number = columns.integer("generation");
    g.position = Position{columns.integer("position")};
    if (const auto id = columns.text("event_id"); !id.empty()) g.event_id = EventId::parse(id);
    g.state = columns.text("state");
    g.error = columns.text("error");
    g.error_place = columns.text("error_place");
    g.updated_at = parse_rfc3339(columns.text("updated_at"), "updated_at");
    const auto since = columns.text("since");
    g.since = since.empty() ? g.updated_at : parse_rfc3339(since, "since");
    g.rate = columns.real("rate");
    g.token = columns.integer("token");
    g.kept = columns.integer("kept") != 0 || g.state == "kept";  // which once was a state
    g.skipped = columns.integer("skipped");
    return g;
}

// Copies the WAL back into the file behind commits.
class GenerationFile::Checkpoints {
public:
    // `guarded`: others may write to the file. `pages`: that may be in the WAL.
    Checkpoints(sqlite3* db, std::filesystem::path path, std::string sqlite_vfs, bool guarded, int pages = 0)
        : path_(std::move(path)), sqlite_vfs_(std::move(sqlite_vfs)), guarded_(guarded), pages_(pages) {
        sqlite3_wal_hook(db, &Checkpoints::on_commit, this);
    }

    // How many pages are in the WAL at most, those that were copied among them.
    [[nodiscard]] int pages() const noexcept { return pages_; }

private:
    static int on_commit(void* self, sqlite3* db, const char*, int pages) {
        auto& checkpoints = *static_cast<Checkpoints*>(self);
        checkpoints.pages_ = pages;
        if (checkpoints.guarded_) {
            if (pages >= checkpoint_pages) checkpoints.guarded_checkpoint(db);
            return SQLITE_OK;  // the commit stands; where nothing could be copied, the next one tries again
        }
        if (pages < checkpoint_pages_of_a_build) return SQLITE_OK;
        return sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }

    void guarded_checkpoint(sqlite3* db) {
        try {
            if (!guard_) {
                guard_ = open_database(path_, Access::write, sqlite_vfs_, 0);
                sqlite3_wal_autocheckpoint(guard_.get(), 0);
            }
            const WriteTransaction nobody_commits{guard_.get()};
            (void)sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        } catch (const sql::SqlError&) {
            // Somebody is writing.
        }
    }

    std::filesystem::path path_;
    std::string sqlite_vfs_;
    bool guarded_;
    int pages_;
    Database guard_;
};

GenerationFile::GenerationFile(GenerationFile&&) noexcept = default;
GenerationFile& GenerationFile::operator=(GenerationFile&&) noexcept = default;
GenerationFile::~GenerationFile() = default;

GenerationFile::GenerationFile(std::filesystem::path path, Database db, std::unique_ptr<Checkpoints> checkpoints)
    : path_(std::move(path)),
      checkpoints_(std::move(checkpoints)),
      db_(std::move(db)),
      token_(token_of(db_.get())),
      transactions_(db_.get()),
      progress_(db_.get(),
                "UPDATE stele_projection SET position = ?1, state = ?2, error = ?3, updated_at = ?4, rate = ?5, "
                "error_place = ?8, event_id = ?9, "
                "since = CASE WHEN state = ?2 THEN since ELSE ?4 END "
                // By its id, although there is one row: or else it is looked up first, in a table of its own.
                "WHERE id = 1 AND token = ?6 AND position = ?7 AND state IN ('building', 'live', 'failed')"),
      skipped_(db_.get(),
               "INSERT OR REPLACE INTO stele_skipped (position, type, place, error) VALUES (?1, ?2, ?3, ?4)") {}

namespace {

ProjectionError setup_failed(const Projection& projection, const std::string& place, const std::string& reason) {
    return ProjectionError{"projection_setup",
                           projection.name(),
                           "its tables cannot be set up: " + (place.empty() ? "" : place + ": ") + reason,
                           {{"place", place}, {"reason", reason}}};
}

// The projection's tables. Where its own statements fail, and not the disk, it is the definition that is wrong.
void set_up(sqlite3* db, const Projection& projection) {
    try {
        Model model{db, projection.name()};
        projection.setup(model);
    } catch (const sql::SqlError& error) {
        if (error.is_of_the_machine()) throw;
        throw setup_failed(projection, error.place(), error.reason());
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const ProjectionError&) {
        throw;
    } catch (const std::exception& error) {
        throw setup_failed(projection, "", error.what());
    } catch (...) {
        throw setup_failed(projection, "", "setup() threw something that is no std::exception");
    }
}

}  // namespace

GenerationFile GenerationFile::create(const std::filesystem::path& path, const Projection& projection,
                                      std::int64_t generation, const std::string& sqlite_vfs) {
    auto db = open_database(path, Access::create, sqlite_vfs);
    sql::execute(db.get(), pragmas_of_a_build);
    // Until there are rows, nothing is worth a sync or a journal on disk: what a power cut leaves of such a file is
    // found to be of no use.
    sql::execute(db.get(), "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
    if (!set_journal_mode(db.get(), "wal")) throw sql::SqlError{db.get(), "setting WAL mode for " + path.string()};
    auto checkpoints = std::make_unique<Checkpoints>(db.get(), path, sqlite_vfs, false);
    // All of it at once: whoever finds the row finds the projection's tables.
    WriteTransaction transaction{db.get()};
    sql::execute(db.get(), tables);
    const auto now_text = to_rfc3339(now());
    sql::Statement row{
        db.get(),
        "INSERT INTO stele_projection (id, name, version, fingerprint, generation, position, state, error, "
        "updated_at, since) VALUES (1, ?1, ?2, ?3, ?4, 0, 'building', '', ?5, ?5)"};
    row.bind(1, projection.name());
    row.bind(2, projection.version());
    row.bind(3, projection.fingerprint());
    row.bind(4, generation);
    row.bind(5, now_text);
    row.run();
    set_up(db.get(), projection);
    transaction.commit();
    sql::execute(db.get(), "PRAGMA synchronous = NORMAL");
    return GenerationFile{path, std::move(db), std::move(checkpoints)};
}

GenerationFile GenerationFile::open_build(const std::filesystem::path& path, const std::string& sqlite_vfs) {
    auto db = open_database(path, Access::write, sqlite_vfs, 0);
    sql::execute(db.get(), pragmas_of_a_build);
    auto checkpoints =
        std::make_unique<Checkpoints>(db.get(), path, sqlite_vfs, false, checkpoint_pages_of_a_build);
    return GenerationFile{path, std::move(db), std::move(checkpoints)};
}

GenerationFile GenerationFile::open(const std::filesystem::path& path, const std::string& sqlite_vfs) {
    auto db = open_database(path, Access::write, sqlite_vfs);
    sql::execute(db.get(), pragmas_of_use);
    auto checkpoints = std::make_unique<Checkpoints>(db.get(), path, sqlite_vfs, true);
    add_later_columns(db.get());
    return GenerationFile{path, std::move(db), std::move(checkpoints)};
}

void GenerationFile::forgo_durability() {
    // Without the checkpoint on close: it would cut off the WAL before what it copied is on the disk, of a file
    // that may turn out to stay.
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sql::execute(db_.get(), "PRAGMA synchronous = OFF");
}

void GenerationFile::claim(std::int64_t token) {
    WriteTransaction transaction{db_.get()};
    const auto found = token_of(db_.get());
    if (found > token) throw fenced(token, found);
    sql::Statement update{db_.get(), "UPDATE stele_projection SET token = ?1"};
    update.bind(1, token);
    update.run();
    transaction.commit();
    token_ = token;
}

Advance GenerationFile::write_progress(const Progress& progress) {
    const auto now_text = to_rfc3339(now());
    progress_.bind(1, progress.to.value());
    progress_.bind(2, progress.state);
    progress_.bind(3, progress.error);
    progress_.bind(4, now_text);
    progress_.bind(5, progress.rate);
    progress_.bind(6, token_);
    progress_.bind(7, progress.from.value());
    progress_.bind(8, progress.error_place);
    const auto event_id = progress.event_id ? progress.event_id->to_string() : std::string{};
    progress_.bind(9, event_id);
    progress_.run();
    return sqlite3_changes(db_.get()) == 1 ? Advance::done : why_not_written(progress);
}

// We hold the write lock: what we read now is what stood in the way.
Advance GenerationFile::why_not_written(const Progress& progress) const {
    const auto found = generation();
    if (found.state == "retired") return Advance::retired;
    if (found.token != token_) throw fenced(token_, found.token);
    if (found.state == "paused") return Advance::paused;
    throw ProjectionError{"projection_busy", found.name,
                          "expected position " + std::to_string(progress.from.value()) + ", found " +
                              std::to_string(found.position.value()) +
                              ": somebody else is advancing it; try again when the other is done"};
}

ProjectionError GenerationFile::fenced(std::int64_t ours, std::int64_t found) const {
    return ProjectionError{"projection_fenced",
                           generation().name,
                           "expected to own it by token " + std::to_string(ours) + ", found token " +
                               std::to_string(found) + ": another runner has taken it over; nothing was written",
                           {{"token", ours}, {"found", found}}};
}

void GenerationFile::write_state(std::string_view state) {
    const auto now_text = to_rfc3339(now());
    sql::Statement update{
        db_.get(),
        "UPDATE stele_projection SET state = ?1, since = ?2, error = '', error_place = '' WHERE state <> ?1"};
    update.bind(1, state);
    update.bind(2, now_text);
    update.run();
}

void GenerationFile::write_kept(bool kept) {
    sql::Statement update{db_.get(), "UPDATE stele_projection SET kept = ?1"};
    update.bind(1, kept ? 1 : 0);
    update.run();
}

void GenerationFile::write_skipped(const Event& event, std::string_view place, std::string_view reason) {
    skipped_.bind(1, event.position.value());
    skipped_.bind(2, event.type);
    skipped_.bind(3, place);
    skipped_.bind(4, reason);
    skipped_.run();
}

void GenerationFile::checkpoint() {
    if (checkpoints_->pages() <= few_pages) return;
    const auto copied = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (copied != SQLITE_OK) throw sql::SqlError{db_.get(), "writing " + path_.string()};
}

void GenerationFile::finish() && {
    const auto copied = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (copied != SQLITE_OK) throw sql::SqlError{db_.get(), "writing " + path_.string()};
    transactions_.reset();
    progress_ = {};
    skipped_ = {};
    db_.reset();
}

}  // namespace stele
