#include "writer.hpp"

#include "schema_tables.hpp"

#include <algorithm>
#include <thread>

namespace stele::sqlite {

namespace {

constexpr std::chrono::microseconds first_pause{50};
constexpr std::chrono::microseconds longest_pause{2000};
/// For reads under way to end, before a checkpoint leaves the WAL as it is: some times what a page of them takes.
constexpr std::chrono::milliseconds longest_wait_for_reads{50};
/// How many appends a commit takes without asking for memory on the way.
constexpr std::size_t most_taken = 512;

/// A commit of one append.
class Alone final : public PendingSource {
public:
    explicit Alone(PendingAppend& append) : append_(&append) {}
    PendingAppend* next() override { return std::exchange(append_, nullptr); }

private:
    PendingAppend* append_;
};

std::int64_t microseconds(Timestamp time) { return time.time_since_epoch().count(); }

/// Fills in where the streams of an append end; each stream once, in the order in which they are first named.
class StreamEnds {
public:
    StreamEnds(Appended& answer, std::size_t parts) : answer_(answer), several_parts_(parts > 1) {}

    void part_ends(const StreamId& stream, Version version) {
        if (!several_parts_) {
            answer_.version = version;
            return;
        }
        const auto [place, first_named] = places_.try_emplace(stream, answer_.versions.size());
        if (first_named) answer_.versions.push_back(version);
        answer_.versions[place->second] = version;
    }
    void done() {
        if (!answer_.versions.empty()) answer_.version = answer_.versions.front();
        if (answer_.versions.size() == 1) answer_.versions.clear();
    }

private:
    Appended& answer_;
    bool several_parts_;
    std::unordered_map<StreamId, std::size_t> places_;
};

}  // namespace

Writer::Writer(const std::filesystem::path& file, std::string store, const Options& options, SchemaGuard& schemas)
    : store_(std::move(store)),
      options_(options),
      db_(open_writer(file, options)),
      checkpointer_(open_writer(file, options)),
      schemas_(schemas),
      names_(db_.getHandle()),
      finder_(db_.getHandle(), names_),
      begin_(db_.getHandle(), "BEGIN IMMEDIATE"),
      commit_(db_.getHandle(), "COMMIT"),
      rollback_(db_.getHandle(), "ROLLBACK"),
      format_(db_.getHandle(), "PRAGMA user_version"),
      rewrite_header_(db_.getHandle(), "PRAGMA user_version = " + std::to_string(first_format)),
      rewrite_header_with_schemas_(db_.getHandle(), "PRAGMA user_version = " + std::to_string(format_with_schemas)),
      data_version_(db_.getHandle(), "PRAGMA data_version"),
      newest_event_(db_.getHandle(), sql::newest_event),
      greatest_id_(db_.getHandle(), sql::greatest_id),
      position_of_id_(db_.getHandle(), sql::position_of_id),
      stored_content_(db_.getHandle(), sql::stored_content),
      tracked_(db_.getHandle(), sql::tracked),
      track_(db_.getHandle(), sql::track),
      insert_stream_(db_.getHandle(), sql::insert_stream),
      insert_type_(db_.getHandle(), sql::insert_type),
      insert_event_(db_.getHandle(), sql::insert_event),
      insert_tag_(db_.getHandle(), sql::insert_tag),
      checkpoint_at_(options.checkpoint_pages),
      wait_at_(options.checkpoint_pages) {
    sqlite3_busy_timeout(db_.getHandle(), 0);  // begin() waits by itself, in finer steps
    sqlite3_wal_hook(db_.getHandle(), &Writer::on_commit, this);
}

Writer::~Writer() {
    if (failed_commit_is_in_wal_) overwrite_failed_commit();
    // Whoever comes next finds a small WAL, on the disk too; what is in a small one can stay there.
    constexpr int worth_copying = 1000;
    if (wal_pages_ < worth_copying) return;
    checkpoint();
    // With all of it copied and nobody reading, this commit begins the WAL anew, and cuts off the rest of the file.
    sqlite3_exec(db_.getHandle(), "PRAGMA journal_size_limit = 0", nullptr, nullptr, nullptr);
    commit_same_header();
}

// ---- The transaction

bool Writer::commit(PendingSource& source, Time deadline) {
    begin(deadline);
    bool grew = false;
    const auto head_before = head_;
    std::vector<PendingAppend*> taken;
    taken.reserve(most_taken);
    try {
        refresh();
        while (auto* append = source.next()) {
            taken.push_back(append);
            answer(*append);
        }
        end();
        grew = head_ != head_before;
    } catch (...) {
        // The disk refused something. Perhaps only one of these appends was too much for it: each gets its own try.
        roll_back();
        if (failed_commit_is_in_wal_) overwrite_failed_commit();
        if (taken.empty()) throw;
        if (taken.size() == 1) {
            taken.front()->outcome = std::current_exception();
            return false;
        }
        for (auto* append : taken) grew = answer_alone(*append) || grew;
    }
    if (checkpoint_is_due()) {
        source.settled();
        checkpoint();
    }
    return grew;
}

void Writer::begin(Time deadline) {
    auto pause = first_pause;
    for (;;) {
        const int code = begin_.try_step();
        begin_.reset();
        if (code == SQLITE_DONE) return;
        if ((code & 0xff) != SQLITE_BUSY) throw_error(db_.getHandle(), code, "begin");
        if (std::chrono::steady_clock::now() >= deadline) {
            throw StoreBusy{store_, "another process that holds the log", options_.deadline};
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, longest_pause);
    }
}

/// Finds out whether another process has committed since our last transaction, and forgets what that made wrong.
void Writer::refresh() {
    wrote_ = answered_repetition_ = false;
    check_file_is_there();
    refresh_schemas();
    Position head{0};
    auto recorded_at = Timestamp::min();
    {
        const Use row{newest_event_};
        if (row->step()) {
            head = Position{row->integer(0)};
            recorded_at = time_of(row->integer(1));
        }
    }
    if (head == head_) return;
    head_ = head;
    last_recorded_at_ = recorded_at;
    ++epoch_;
    const Use row{greatest_id_};
    greatest_known_id_ = row->step() && !row->is_null(0) ? EventId::from_bytes(row->blob(0)) : EventId{};
}

/// Another process, or this one on another connection, may have recorded a schema or set the mode.
void Writer::refresh_schemas() {
    std::int64_t data_version = 0;
    {
        const Use row{data_version_};
        row->step();
        data_version = row->integer(0);
    }
    if (data_version == seen_data_version_) return;
    const auto generation = schema_generation(db_.getHandle());
    if (generation + 1 != schema_token_) {
        schemas_.update(generation == 0 ? StoredSchemas{} : read_schemas(db_.getHandle()));
        schema_token_ = generation + 1;
    }
    seen_data_version_ = data_version;
}

void Writer::end() {
    {
        auto& statement = wrote_ ? commit_ : rollback_;
        const Use use{statement};
        failed_commit_is_in_wal_ = wrote_;
        use->step();
        failed_commit_is_in_wal_ = false;
    }
    // A repetition is told that its events are durable. Whoever committed them may have been killed before the
    // sync, or may not sync at all; a commit of ours would have synced them with its own.
    if (!wrote_ && answered_repetition_ && options_.durability == Durability::full) sync_wal(db_.getHandle());
}

/// Appending to a file that has no name any more would lose events that were acknowledged.
void Writer::check_file_is_there() {
    int moved = 0;
    if (sqlite3_file_control(db_.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0) {
        throw StoreError{"moved",
                         store_ +
                             ": events.db was moved, replaced or deleted while it was open; nothing was "
                             "written; open the store again",
                         {{"store", store_}}};
    }
}

void Writer::roll_back() noexcept {
    // SQLite may have rolled back already, on an error that leaves no other way.
    if (sqlite3_get_autocommit(db_.getHandle()) == 0) {
        (void)rollback_.try_step();
        rollback_.reset();
    }
    names_.forget();
    stream_heads_.clear();
    head_ = Position{-1};
}

/// A commit whose sync failed stands in the WAL, whole to look at, though nobody was told of it and its pages may
/// never reach the disk: Linux forgets what it could not write. We would write over it with the next commit.
/// Whoever opened the store after us would instead take it for committed and append behind it, and lose that with
/// it when the power goes. So it is written over at once, by a commit that changes nothing; where the disk refuses
/// that too, at the next chance.
void Writer::overwrite_failed_commit() noexcept { failed_commit_is_in_wal_ = !commit_same_header(); }

/// Commits one page as it was. False where others are writing, or the disk refuses.
bool Writer::commit_same_header() noexcept {
    const bool began = begin_.try_step() == SQLITE_DONE;
    begin_.reset();
    if (!began) return false;
    const bool known = format_.try_step() == SQLITE_ROW;
    auto& rewrite =
        known && format_.integer(0) == format_with_schemas ? rewrite_header_with_schemas_ : rewrite_header_;
    format_.reset();
    const bool written = known && rewrite.try_step() == SQLITE_DONE;
    rewrite.reset();
    const bool committed = written && commit_.try_step() == SQLITE_DONE;
    commit_.reset();
    if (!committed) roll_back();
    return committed;
}

bool Writer::answer_alone(PendingAppend& append) {
    Alone source{append};
    try {
        return commit(source, append.deadline);
    } catch (...) {
        append.outcome = std::current_exception();
        return false;
    }
}

void Writer::answer(PendingAppend& append) {
    std::optional<AppendResult> refusal;
    try {
        refusal = check(append);
    } catch (const IdConflict&) {
        append.outcome = std::current_exception();
        return;
    } catch (const SchemaViolationError&) {
        append.outcome = std::current_exception();
        return;
    }
    if (refusal && std::holds_alternative<Appended>(*refusal)) answered_repetition_ = true;
    append.outcome = refusal ? std::move(*refusal) : AppendResult{write(append)};
}

// ---- Looking

/// The answer, where there is one without writing.
std::optional<AppendResult> Writer::check(const PendingAppend& append) {
    if (auto repeated = check_ids(append)) return repeated;
    check_schemas(append);
    if (append.tracking != nullptr) {
        if (auto conflict = check_tracking(*append.tracking)) return conflict;
    }
    for (const auto& part : append.parts) {
        if (part.expected == expect::any) continue;
        const auto& head = head_of(*part.stream);
        const auto current = head.version == 0 ? std::nullopt : std::optional{Version{head.version}};
        if (part.expected.matches(current)) continue;
        const auto end = finder_.end_of(*part.stream);
        return VersionConflict{*part.stream, part.expected, current,
                               end ? std::optional{end->position} : std::nullopt};
    }
    for (std::size_t i = 0; i < append.conditions.size(); ++i) {
        const auto& condition = append.conditions[i];
        if (const auto found = finder_.newest(condition.query(), condition.after())) {
            return ConditionConflict{i, condition.query(), condition.after(), *found};
        }
    }
    return {};
}

/// What was found wrong before the append queued up; where the schemas are others by now, what is wrong by them.
void Writer::check_schemas(const PendingAppend& append) {
    if (append.checked_by == schema_token_) {
        if (append.violation) std::rethrow_exception(append.violation);
        return;
    }
    const auto registry = schemas_.current();
    for (const auto& part : append.parts) {
        for (const auto& event : part.events) {
            if (const auto violation = registry->violation(store_, *part.stream, event)) throw *violation;
        }
    }
}

/// L6: empty when every id is new; the first answer when all are there, in this order and with this content.
std::optional<AppendResult> Writer::check_ids(const PendingAppend& append) {
    std::vector<Position> positions;
    std::optional<EventId> unknown;
    for (const auto& part : append.parts) {
        for (const auto& event : part.events) {
            if (const auto position = position_of(event.id)) {
                positions.push_back(*position);
            } else {
                unknown = event.id;
            }
        }
    }
    if (positions.empty()) return {};
    if (!unknown) return first_answer(append, positions);
    for (const auto& part : append.parts) {
        for (const auto& event : part.events) {
            if (const auto position = position_of(event.id)) {
                throw IdConflict{
                    store_, event.id, position,
                    "expected all ids of this append to be new, or all to be there; this one is at position " +
                        std::to_string(position->value()) + ", " + unknown->to_string() + " is new"};
            }
        }
    }
    return {};
}

std::optional<Position> Writer::position_of(const EventId& id) {
    // Ids of version 7 come in rising order, so nearly all are new by this comparison alone.
    if (id > greatest_known_id_) return {};
    const Use row{position_of_id_};
    row->bind(1, id.bytes());
    if (!row->step()) return {};
    return Position{row->integer(0)};
}

Appended Writer::first_answer(const PendingAppend& append, const std::vector<Position>& positions) {
    Appended answer{.first_position = positions.front(), .last_position = positions.back(), .duplicate = true};
    StreamEnds ends{answer, append.parts.size()};
    auto position = positions.begin();
    for (const auto& part : append.parts) {
        Version version;
        for (const auto& event : part.events) {
            // The events of one append stand in a row (L4), so what does not is no plain repetition of one.
            if (position != positions.begin() && *position != std::prev(position)->next()) {
                throw IdConflict{store_, event.id, *position,
                                 "expected the events of one append, in their order, found position " +
                                     std::to_string(position->value()) + " behind " +
                                     std::to_string(std::prev(position)->value())};
            }
            const Use stored{stored_content_};
            stored->bind(1, position->value());
            if (!stored->step()) throw_error(db_.getHandle(), SQLITE_CORRUPT, "read an event by its id");
            if (const auto differs = difference(*part.stream, event, stored_content_); !differs.empty()) {
                throw IdConflict{
                    store_, event.id, *position,
                    "the store has this id at position " + std::to_string(position->value()) + " with " + differs};
            }
            version = Version{stored->integer(1)};
            answer.recorded_at = time_of(stored->integer(5));
            ++position;
        }
        ends.part_ends(*part.stream, version);
    }
    ends.done();
    return answer;
}

/// What of `event` differs from the stored row; empty when nothing does.
std::string Writer::difference(const StreamId& stream, const NewEvent& event, Statement& stored) {
    if (names_.stream(stored.integer(0)) != stream) {
        return "another stream, " + names_.stream(stored.integer(0)).name();
    }
    if (names_.type(stored.integer(2)) != event.type) return "another type, " + names_.type(stored.integer(2));
    if (stored.integer(3) != event.schema_version) {
        return "another schema_version, " + std::to_string(stored.integer(3));
    }
    const auto occurred_at = stored.is_null(4) ? std::nullopt : std::optional{time_of(stored.integer(4))};
    if (occurred_at != event.occurred_at) {
        return occurred_at ? "another occurred_at, " + to_rfc3339(*occurred_at) : std::string{"no occurred_at"};
    }
    if (stored.text(6) != event.data.text()) return "other data";
    if (stored.text(7) != event.metadata.text()) return "other metadata";
    std::vector<std::string> tags;
    if (!stored.is_null(8)) decode_tags(stored.text(8), tags);
    return tags == event.tags ? std::string{} : std::string{"other tags"};
}

std::optional<AppendResult> Writer::check_tracking(const Tracking& tracking) {
    const Use row{tracked_};
    row->bind(1, tracking.source);
    if (!row->step() || tracking.position > row->integer(0)) return {};
    return TrackingConflict{tracking.source, row->integer(0), tracking.position};
}

// ---- Writing

Appended Writer::write(const PendingAppend& append) {
    const auto recorded_at = std::max(options_.clock(), last_recorded_at_);
    auto position = head_;
    Appended answer{.recorded_at = recorded_at};
    if (!append.parts.empty()) answer.first_position = position.next();
    wrote_ = true;

    StreamEnds ends{answer, append.parts.size()};
    for (const auto& part : append.parts) {
        auto& head = head_of(*part.stream);
        if (head.number == 0) head.number = number_for(*part.stream);
        for (const auto& event : part.events) {
            const auto type = number_for_type(event.type);
            const auto tags = event.tags.empty() ? std::string{} : encode_tags(event.tags);
            position = position.next();
            {
                const Use row{insert_event_};
                row->bind(1, position.value());
                row->bind(2, head.number);
                row->bind(3, ++head.version);
                row->bind(4, type);
                row->bind(5, event.schema_version);
                row->bind(6, event.id.bytes());
                if (event.occurred_at) {
                    row->bind(7, microseconds(*event.occurred_at));
                } else {
                    row->bind_null(7);
                }
                row->bind(8, microseconds(recorded_at));
                row->bind(9, event.data.text());
                row->bind(10, event.metadata.text());
                if (event.tags.empty()) {
                    row->bind_null(11);
                } else {
                    row->bind(11, tags);
                }
                row->step();
            }
            for (const auto& tag : event.tags) {
                const Use row{insert_tag_};
                row->bind(1, tag);
                row->bind(2, type);
                row->bind(3, position.value());
                row->step();
            }
            greatest_known_id_ = std::max(greatest_known_id_, event.id);
        }
        ends.part_ends(*part.stream, Version{head.version});
    }
    ends.done();
    if (append.tracking != nullptr) {
        const Use row{track_};
        row->bind(1, append.tracking->source);
        row->bind(2, append.tracking->position);
        row->bind(3, append.tracking->note);
        row->step();
    }
    if (!append.parts.empty()) {
        answer.last_position = head_ = position;
        last_recorded_at_ = recorded_at;
    }
    return answer;
}

Writer::StreamHead& Writer::head_of(const StreamId& stream) {
    if (stream_heads_.size() >= most_stream_heads) stream_heads_.clear();
    auto& head = stream_heads_[stream];
    if (head.epoch == epoch_) return head;
    head = {.epoch = epoch_};
    if (const auto number = names_.number_of(stream)) {
        head.number = *number;
        if (const auto end = finder_.end_of(stream)) head.version = end->version.value();
    }
    return head;
}

std::int64_t Writer::number_for(const StreamId& stream) {
    const Use row{insert_stream_};
    row->bind(1, stream.tenant());
    row->bind(2, stream.aggregate_type());
    row->bind(3, stream.aggregate_id());
    row->step();
    return row->integer(0);
}

std::int64_t Writer::number_for_type(const std::string& type) {
    if (const auto number = names_.number_of_type(type)) return *number;
    const Use row{insert_type_};
    row->bind(1, type);
    row->step();
    return row->integer(0);
}

// ---- Checkpoints

int Writer::on_commit(void* self, sqlite3*, const char*, int pages) {
    static_cast<Writer*>(self)->wal_has(pages);
    return SQLITE_OK;
}

void Writer::wal_has(int pages) noexcept {
    if (pages < wal_pages_) checkpoint_at_ = wait_at_ = options_.checkpoint_pages;  // it began anew
    wal_pages_ = pages;
}

/// Copies the WAL into the database, so that a commit begins it anew; wal_has() notices.
///
/// A read under way keeps what is behind it from being copied, and the WAL from beginning anew. Where there is
/// always one, as beside a rebuild, which reads page after page, the WAL would grow until that is done, and each
/// commit cost half as much again: a file that grows is synced with its inode. So the reads under way are waited
/// for, and other writers that are at it. Reads that begin when all is copied find it in the database, and are in
/// nobody's way. What takes longer is not waited for again until the WAL is twice as long. What is not copied now,
/// because of it or as the disk is full, is copied later; nothing is lost by that.
void Writer::checkpoint() {
    const int step = std::max(options_.checkpoint_pages / 10, 1);
    checkpoint_at_ = wal_pages_ + step;
    auto copied = copy_wal();
    if (wal_pages_ < wait_at_) return;
    const auto give_up = std::chrono::steady_clock::now() + longest_wait_for_reads;
    for (auto pause = first_pause; copied == Copied::not_yet && std::chrono::steady_clock::now() < give_up;
         pause = std::min(pause * 2, longest_pause)) {
        std::this_thread::sleep_for(pause);
        copied = copy_wal();
    }
    if (copied != Copied::whole) wait_at_ = 2 * wal_pages_;
}

/// The write lock is ours meanwhile: no commit of any process runs beside it (see open() in connection.cpp). BEGIN
/// IMMEDIATE is itself a read of the WAL, unless all of it had been copied before: so a call that copies anything
/// says not_yet, and only the next one can say whole.
Writer::Copied Writer::copy_wal() {
    const int code = begin_.try_step();
    begin_.reset();
    if ((code & 0xff) == SQLITE_BUSY) return Copied::not_yet;
    if (code != SQLITE_DONE) return Copied::failed;
    auto* const db = checkpointer_.getHandle();
    int pages = 0;
    int copied = 0;
    const int result = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    const bool is_read = result == SQLITE_OK && (copied < pages || wal_is_read(db));
    (void)rollback_.try_step();
    rollback_.reset();
    if ((result & 0xff) == SQLITE_BUSY) return Copied::not_yet;  // another program copies it
    if (result != SQLITE_OK) return Copied::failed;
    if (pages < wal_pages_) {  // somebody else's commit has begun it anew
        wal_has(pages);
        return Copied::whole;
    }
    return is_read ? Copied::not_yet : Copied::whole;
}

}  // namespace stele::sqlite
