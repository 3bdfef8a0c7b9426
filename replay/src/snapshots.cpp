#include <stele/replay/snapshots.hpp>

#include <stele/schema/sql/statement.hpp>

#include <sqlite3.h>

#include <mutex>
#include <utility>

namespace stele {
namespace {

using sql::Statement;

// Written to user_version. A file of a greater number is a newer Stele's, and is left alone.
constexpr int format = 1;
constexpr int busy_milliseconds = 50;

// No sync: what a power cut leaves behind is thrown away where the checksum, or SQLite, says that it is damaged.
constexpr const char* setup = R"(
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS definitions (
        definition INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        text TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE IF NOT EXISTS snapshots (
        definition INTEGER NOT NULL,
        stream     TEXT NOT NULL,
        version    INTEGER NOT NULL,
        position   INTEGER NOT NULL,
        id         TEXT NOT NULL,      -- of the event at that version: another one there, and the log is another
        state      TEXT NOT NULL,
        checksum   INTEGER NOT NULL,
        PRIMARY KEY (definition, stream, version)
    ) STRICT;
    PRAGMA user_version = 1;
    COMMIT;)";

struct Close {
    void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};

// Of all that makes a snapshot: a damaged index may lead to the row of another stream or definition.
// FNV-1a: finds damage, and is not meant to find intent.
std::int64_t checksum_of(std::string_view definition, std::string_view stream, std::string_view id,
                         const Snapshot& snapshot) {
    std::uint64_t hash = 14695981039346656037ULL;
    const auto take = [&](std::uint64_t byte) { hash = (hash ^ byte) * 1099511628211ULL; };
    const auto take_number = [&](std::uint64_t number) {
        for (int i = 0; i < 8; ++i, number >>= 8U) take(number & 0xffU);
    };
    for (const auto text : {definition, stream, id, std::string_view{snapshot.state.text()}}) {
        take_number(text.size());
        for (const char c : text) take(static_cast<unsigned char>(c));
    }
    take_number(static_cast<std::uint64_t>(snapshot.version.value()));
    take_number(static_cast<std::uint64_t>(snapshot.position.value()));
    return static_cast<std::int64_t>(hash);
}

struct NewerFormat : std::runtime_error {
    NewerFormat(const std::filesystem::path& file, std::int64_t found)
        : std::runtime_error(file.string() + ": expected format " + std::to_string(format) + " or before, found " +
                             std::to_string(found) + " of a newer Stele; left alone") {}
};

// Another connection, a full disk or a lack of memory says nothing about what stands in the file.
bool passes(const sql::SqlError& error) {
    const int primary = error.result_code() & 0xff;
    return error.is_of_the_machine() && primary != SQLITE_CORRUPT && primary != SQLITE_NOTADB;
}

// One open file, with its statements.
class Open {
public:
    Open(const std::filesystem::path& file, bool make) : db_(open(file, make)) {
        find_ = Statement{db_.get(),
                          "SELECT version, position, id, state, checksum FROM snapshots JOIN definitions USING "
                          "(definition) WHERE text = ?1 AND stream = ?2 AND version <= ?3 AND position <= ?4 "
                          "ORDER BY version DESC"};
    }

    [[nodiscard]] sqlite3* db() const { return db_.get(); }
    [[nodiscard]] Statement& find() { return find_; }

    template <class... Values>
    void run(std::string_view sql, const Values&... values) {
        Statement statement{db_.get(), sql};
        int parameter = 0;
        (statement.bind(++parameter, values), ...);
        statement.run();
    }

private:
    static std::unique_ptr<sqlite3, Close> open(const std::filesystem::path& file, bool make) {
        sqlite3* db = nullptr;
        const int flags = SQLITE_OPEN_READWRITE | (make ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_FULLMUTEX;
        const int result = sqlite3_open_v2(file.c_str(), &db, flags, nullptr);
        std::unique_ptr<sqlite3, Close> owner{db};
        if (result != SQLITE_OK) throw sql::SqlError{db, "opening " + file.string()};
        sqlite3_busy_timeout(db, busy_milliseconds);
        Statement version{db, "PRAGMA user_version"};
        version.step();
        const auto found = version.integer(0);
        if (found > format) throw NewerFormat{file, found};
        if (found != format && found != 0) throw std::runtime_error{"format " + std::to_string(found)};
        version.reset();
        sql::execute(db, "PRAGMA synchronous = OFF");
        if (found == 0) sql::execute(db, setup);
        return owner;
    }

    std::unique_ptr<sqlite3, Close> db_;
    Statement find_;
};

}  // namespace

struct Snapshots::File {
    File(const EventStore& from, SnapshotOptions chosen)
        : store(from), options(chosen), path(from.models_folder().parent_path() / "snapshots.db") {}

    const EventStore& store;
    const SnapshotOptions options;
    const std::filesystem::path path;
    mutable std::mutex mutex;
    std::unique_ptr<Open> open;
    SnapshotCounts counts;

    // Runs `work` on the file; where that fails, on a new one if `make`, and otherwise not at all.
    template <class Work>
    void with_file(bool make, const Work& work) {
        for (int attempt = 0; attempt < 2; ++attempt) {
            try {
                if (open && !std::filesystem::exists(path)) open.reset();  // somebody deleted it
                if (!open && !make && !std::filesystem::exists(path)) return;
                if (!open) open = std::make_unique<Open>(path, make);
                return work(*open);
            } catch (const sql::SqlError& error) {
                failed(error.what());
                if (passes(error)) return;
            } catch (const StoreError&) {  // of the log, which is not this file
                open.reset();
                throw;
            } catch (const NewerFormat& error) {
                return failed(error.what());
            } catch (const std::exception& error) {
                failed(error.what());
            }
            if (!make) return discard();
            discard();
        }
    }

    void failed(const char* reason) {
        ++counts.failures;
        counts.failure = reason;
    }

    // Empties the file where it stands, under SQLite's locks: removing it would part others who have it open from
    // their journal, which would then be taken for the new file's. A file in use stays as it is.
    void discard() {
        open.reset();
        sqlite3* db = nullptr;
        const int result = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
        const std::unique_ptr<sqlite3, Close> owner{db};
        if (result != SQLITE_OK) return;
        sqlite3_busy_timeout(db, busy_milliseconds);
        sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 1, nullptr);
        sqlite3_exec(db, "VACUUM", nullptr, nullptr, nullptr);
        sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 0, nullptr);
    }

    // The id of the stream's event at this version, as it is stored.
    [[nodiscard]] std::optional<Event> stored(const StreamId& stream, Version version) const {
        auto one = stele::stream(stream).from(version).until(version).raw().only(
            {.id = true, .data = false, .metadata = false, .tags = false});
        for (const Event& event : store.read(one)) return event;
        return std::nullopt;
    }
};

Snapshots::Snapshots(const EventStore& store, SnapshotOptions options)
    : file_(std::make_unique<File>(store, options)) {
    const auto at_least_one = [](const char* field, std::int64_t value) {
        if (value < 1) throw InvalidInput{field, "1 or more", std::to_string(value)};
    };
    at_least_one("every", options.every);
    at_least_one("of_a_stream", options.of_a_stream);
}
Snapshots::~Snapshots() = default;
Snapshots::Snapshots(Snapshots&&) noexcept = default;
Snapshots& Snapshots::operator=(Snapshots&&) noexcept = default;

const SnapshotOptions& Snapshots::options() const noexcept { return file_->options; }
const std::filesystem::path& Snapshots::file() const noexcept { return file_->path; }

std::optional<Snapshot> Snapshots::find(const FoldDefinition& definition, const StreamId& stream,
                                        std::optional<Version> at_version, std::optional<Position> at_position) {
    const std::lock_guard lock{file_->mutex};
    const auto today = file_->store.today(stream);
    std::optional<Snapshot> found;
    constexpr auto any = INT64_MAX;
    file_->with_file(false, [&](Open& open) {
        auto& row = open.find();
        row.bind(1, definition.text);
        row.bind(2, today.name());
        row.bind(3, at_version ? at_version->value() : any);
        row.bind(4, at_position ? at_position->value() : any);
        while (row.step()) {
            Snapshot snapshot{Version{row.integer(0)}, Position{row.integer(1)},
                              JsonText::trusted(std::string{row.text(3)})};
            const auto event = file_->stored(stream, snapshot.version);
            const bool belongs =
                event && event->position == snapshot.position && event->id.to_string() == row.text(2);
            if (belongs && row.integer(4) == checksum_of(definition.text, today.name(), row.text(2), snapshot)) {
                found = std::move(snapshot);
                break;
            }
            ++file_->counts.passed_over;
        }
        row.reset();
    });
    ++(found ? file_->counts.found : file_->counts.missing);
    return found;
}

void Snapshots::keep(const FoldDefinition& definition, const StreamId& stream, const Snapshot& snapshot) {
    const std::lock_guard lock{file_->mutex};
    const auto event = file_->stored(stream, snapshot.version);
    if (!event || event->position != snapshot.position) return;
    const auto today = file_->store.today(stream);
    const auto version = snapshot.version.value();
    const auto position = snapshot.position.value();
    const auto id = event->id.to_string();
    file_->with_file(true, [&](Open& open) {
        sql::execute(open.db(), "BEGIN IMMEDIATE");
        try {
            const auto& name = today.name();
            open.run("INSERT INTO definitions (name, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING", definition.name,
                     definition.text);
            open.run(
                "DELETE FROM snapshots WHERE stream = ?2 AND definition IN (SELECT definition FROM definitions "
                "WHERE name = ?1 AND text <> ?3)",
                definition.name, name, definition.text);
            open.run(
                "INSERT OR REPLACE INTO snapshots VALUES ((SELECT definition FROM definitions WHERE text = ?1), "
                "?2, ?3, ?4, ?5, ?6, ?7)",
                definition.text, name, version, position, id, snapshot.state.text(),
                checksum_of(definition.text, name, id, snapshot));
            open.run(
                "DELETE FROM snapshots WHERE stream = ?2 AND definition = (SELECT definition FROM definitions "
                "WHERE text = ?1) AND version NOT IN (SELECT version FROM snapshots WHERE stream = ?2 AND "
                "definition = (SELECT definition FROM definitions WHERE text = ?1) ORDER BY version DESC LIMIT ?3)",
                definition.text, name, file_->options.of_a_stream);
            sql::execute(open.db(), "COMMIT");
        } catch (...) {
            sqlite3_exec(open.db(), "ROLLBACK", nullptr, nullptr, nullptr);
            throw;
        }
        ++file_->counts.kept;
    });
}

void Snapshots::remove(const FoldDefinition& definition, const StreamId& stream, Version version) {
    const std::lock_guard lock{file_->mutex};
    ++file_->counts.passed_over;
    file_->with_file(false, [&](Open& open) {
        open.run(
            "DELETE FROM snapshots WHERE stream = ?2 AND version = ?3 AND definition IN (SELECT definition FROM "
            "definitions WHERE text = ?1)",
            definition.text, file_->store.today(stream).name(), version.value());
    });
}

void Snapshots::clear() {
    const std::lock_guard lock{file_->mutex};
    file_->with_file(false,
                     [](Open& open) { sql::execute(open.db(), "DELETE FROM snapshots; DELETE FROM definitions"); });
}

SnapshotCounts Snapshots::counts() const {
    const std::lock_guard lock{file_->mutex};
    return file_->counts;
}

}  // namespace stele
