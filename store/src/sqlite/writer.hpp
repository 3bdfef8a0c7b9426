// Writer: the one connection of a store that appends.
//
//   lock      BEGIN IMMEDIATE takes the write lock before anything is looked at. A deferred transaction takes it at
//             its first INSERT; had another process committed in between, that INSERT would fail with
//             SQLITE_BUSY_SNAPSHOT, and no waiting helps against that.
//   look      ids (L6), schemas where they have changed since the append was checked, tracking, expectations,
//   conditions: in this order, against everything committed so far and
//             the appends before it in the same commit, never against its own events.
//   write     only when every check has passed, so that a loser leaves no trace and needs no savepoint.
//   commit    one for all; SQLite syncs the WAL (Durability::full).
#pragma once

#include "../backend.hpp"
#include "../schema_guard.hpp"
#include "connection.hpp"
#include "finder.hpp"

#include <SQLiteCpp/Database.h>

#include <array>
#include <unordered_map>

namespace stele::sqlite {

namespace sql {
inline constexpr auto newest_event = "SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1";
inline constexpr auto greatest_id = "SELECT max(id) FROM events";
inline constexpr auto position_of_id = "SELECT position FROM events WHERE id = ?1";
inline constexpr auto stored_content =
    "SELECT stream, version, type, schema_version, occurred_at, recorded_at, data, metadata, tags "
    "FROM events WHERE position = ?1";
inline constexpr auto tracked = "SELECT position, note FROM tracking WHERE source = ?1";
inline constexpr auto track =
    "INSERT INTO tracking (source, position, note) VALUES (?1, ?2, ?3) "
    "ON CONFLICT (source) DO UPDATE SET position = excluded.position, note = excluded.note";
inline constexpr auto insert_stream =
    "INSERT INTO streams (tenant, aggregate_type, aggregate_id) VALUES (?1, ?2, ?3) RETURNING stream";
inline constexpr auto insert_type = "INSERT INTO types (name) VALUES (?1) RETURNING type";
inline constexpr auto insert_event =
    "INSERT INTO events (position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, "
    "metadata, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
inline constexpr auto insert_tag = "INSERT INTO event_tags (tag, type, position) VALUES (?1, ?2, ?3)";
}  // namespace sql

/// One caller at a time.
class Writer {
public:
    /// `schemas` outlives the writer.
    Writer(const std::filesystem::path& file, std::string store, const Options& options, SchemaGuard& schemas);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// See Backend::commit.
    bool commit(PendingSource& source, std::chrono::steady_clock::time_point deadline);

private:
    using Time = std::chrono::steady_clock::time_point;

    /// Where a stream ends, as this writer knows it: right as long as nobody else has committed (`epoch`).
    struct StreamHead {
        std::int64_t number = 0;  ///< 0: the stream is not there yet
        std::int64_t version = 0;
        std::uint64_t epoch = 0;
    };
    static constexpr std::size_t most_stream_heads = 32'768;

    void begin(Time deadline);
    void refresh();
    void refresh_schemas();
    void check_schemas(const PendingAppend& append);
    void end();
    void roll_back() noexcept;
    void overwrite_failed_commit() noexcept;
    bool commit_same_header() noexcept;
    void answer(PendingAppend& append);
    bool answer_alone(PendingAppend& append);
    void check_file_is_there();

    std::optional<AppendResult> check(const PendingAppend& append);
    std::optional<AppendResult> check_ids(const PendingAppend& append);
    std::optional<Position> position_of(const EventId& id);
    Appended first_answer(const PendingAppend& append, const std::vector<Position>& positions);
    std::string difference(const StreamId& stream, const NewEvent& event, Statement& stored);
    std::optional<AppendResult> check_tracking(const Tracking& tracking);
    Appended write(const PendingAppend& append);

    StreamHead& head_of(const StreamId& stream);
    std::int64_t number_for(const StreamId& stream);
    std::int64_t number_for_type(const std::string& type);

    static int on_commit(void* self, sqlite3*, const char*, int pages);
    void wal_has(int pages) noexcept;
    [[nodiscard]] bool checkpoint_is_due() const noexcept { return wal_pages_ >= checkpoint_at_; }
    void checkpoint();
    enum class Copied {
        whole,    ///< a commit begins the WAL anew, or has
        not_yet,  ///< a read, or another writer, is at it
        failed    ///< the disk refused something
    };
    [[nodiscard]] Copied copy_wal();

    std::string store_;
    Options options_;
    SQLite::Database db_;
    SQLite::Database checkpointer_;  ///< runs the checkpoints, while db_ holds the write lock
    SchemaGuard& schemas_;
    Names names_;
    Finder finder_;

    Statement begin_;
    Statement commit_;
    Statement rollback_;
    Statement format_;
    Statement rewrite_header_;  ///< writes a page, and changes nothing
    Statement rewrite_header_with_schemas_;
    Statement data_version_;
    Statement newest_event_;
    Statement greatest_id_;
    Statement position_of_id_;
    Statement stored_content_;
    Statement tracked_;
    Statement track_;
    Statement insert_stream_;
    Statement insert_type_;
    Statement insert_event_;
    Statement insert_tag_;

    // What was true when the last transaction ended. Another process may have committed since: refresh() finds out
    // by the position of the newest event, which every commit that adds events raises.
    Position head_{-1};
    Timestamp last_recorded_at_{};
    EventId greatest_known_id_;
    std::uint64_t epoch_ = 1;
    std::int64_t seen_data_version_ = -1;  ///< changes with every commit that is not ours
    std::uint64_t schema_token_ = 0;       ///< of the schemas in the file
    std::unordered_map<StreamId, StreamHead> stream_heads_;

    // In the open transaction:
    bool wrote_ = false;
    bool failed_commit_is_in_wal_ = false;  ///< and may be taken for a commit by who opens the store next
    bool answered_repetition_ = false;      ///< an append was told that its events are there already
    int wal_pages_ = 0;
    int checkpoint_at_;
    int wait_at_;  ///< pages of the WAL, from which on a checkpoint waits for reads
};

}  // namespace stele::sqlite
