// EventStore: an append-only log of events in one folder.
//
// Every event has two coordinates, given by append() and fixed for good: its version within its stream
// (1, 2, 3, …) and its position in the log, which orders events across streams.
//
// Promises, cited by number in code and tests:
//   L1  An event seen at a position stays there, unchanged, for good.
//   L2  Positions become visible in order: once 9 is visible, no 8 can still appear. No gaps.
//   L3  Versions in a stream are 1, 2, 3, … in position order.
//   L4  The events of one append become visible together or not at all, over any number of streams.
//   L5  When append() returns, its events survive a power cut (Durability::full).
//   L6  Appending the same event ids again changes nothing and returns the first answer.
//   L7  Of racing appends whose conditions exclude one another, exactly one wins.
//
// Threads: every member may be called from any thread; appends of several threads share commits.
// Any number of processes on one host may have the same store open.
#pragma once

#include <stele/store/append.hpp>
#include <stele/store/duration_histogram.hpp>
#include <stele/store/event_range.hpp>
#include <stele/store/query.hpp>
#include <stele/store/schemas.hpp>
#include <stele/store/subscription.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace stele {

class EventTypes;

/// What a returned append has survived.
enum class Durability {
    full,     ///< a power cut (L5)
    relaxed,  ///< a crash of the process; a power cut may take the newest commits, never order or consistency
};

enum class OpenMode {
    create,    ///< make the store where there is none
    existing,  ///< throw StoreError (code "not_found") where there is none
};

struct Options {
    OpenMode mode = OpenMode::create;
    Durability durability = Durability::full;
    Limits limits{};

    /// How long an append waits, at most 20 days, for a place in the queue, and for other processes, before
    /// StoreBusy.
    std::chrono::milliseconds deadline{5000};
    /// How many appends may wait at once; more callers wait for a place.
    std::size_t queue_limit = 1024;
    /// When the WAL has grown to so many 4 KiB pages, a commit copies it into the database, so that the next one
    /// may begin it anew. It waits for reads under way, 50 ms at most; most are of a page of events. Behind a
    /// longer one the WAL grows until that has ended. At least 1.
    int checkpoint_pages = 10'000;
    /// Gives recorded_at. Times it returns may repeat and go back; recorded_at never does.
    Clock clock = stele::now;
    /// The event types as the caller knows them (event_types.hpp): their upcasters stand between the log and every
    /// read, their schemas are recorded in the store. Null: events are read as they are stored, and checked by what
    /// is recorded.
    std::shared_ptr<const EventTypes> event_types{};
    /// Whether open() records the schemas of event_types that the store does not know yet. Otherwise it only
    /// compares those that it does.
    bool record_schemas = true;
    /// The SQLite VFS to open files with; empty: the system's. The seam that fault tests use.
    std::string sqlite_vfs{};
};

/// One stream in a listing.
struct StreamInfo {
    StreamId stream;
    Version version{};  ///< of its last event: how many there are
    Position first_position{};
    Position last_position{};
    Timestamp last_recorded_at{};
};

/// One event type in a listing.
struct TypeInfo {
    std::string type;
    std::int64_t count = 0;
    Position first_position{};
    Position last_position{};
};

/// What a store is and holds.
struct StoreInfo {
    std::string name;     ///< as it was opened: the folder or the URL
    std::string backend;  ///< "sqlite"
    int format = 0;       ///< the format number in the file
    Position head{};
    std::int64_t streams = 0;
    std::int64_t types = 0;
    std::int64_t bytes = 0;  ///< on disk: the log and what belongs to it, without read models
};

/// What a hook of EventStore::after_commit() is told. Valid during the call.
struct Committed {
    Position last;  ///< of the last event of these appends
    /// Their events, as a read would give them, where the store has them at hand: behind a commit of one append of
    /// few events to one stream. Otherwise empty: read them.
    std::span<const Event> events{};
};

/// Keeps a hook of EventStore::after_commit() in place as long as it is held.
using CommitHook = std::shared_ptr<void>;

class EventStore {
public:
    /// Opens the store in folder `path`, making it where there is none (see Options::mode). Recovers by itself from
    /// a crash of whoever had it open.
    ///
    /// Throws StoreError: "not_found", "not_a_store" (another kind of file stands there), "format" (written by a
    /// newer Stele; the message names both format numbers), "aggregate_names" (an aggregate type is renamed, and
    /// the store has streams of both names), or what the disk said.
    ///        SchemaChanged: a schema of Options::event_types is another one than the store has recorded.
    ///        What EventTypes::check() throws.
    [[nodiscard]] static EventStore open(const std::string& path, const Options& options = {});

    /// A store in a new folder under the system's temporary folder, deleted when the object goes.
    [[nodiscard]] static EventStore temporary(const Options& options = {});

    EventStore(EventStore&&) noexcept;
    EventStore& operator=(EventStore&&) noexcept;
    ~EventStore();

    // ---- Writing

    /// Appends `events` to `stream` in the order given: all of them, or none.
    ///
    /// Appended: the events are durable, and visible to every read that starts from now on.
    /// VersionConflict: read the stream again, decide again, append again.
    ///
    /// Requires  `events` is not empty. It is read during the call and not kept.
    /// Throws    InvalidInput an event breaks a limit or a rule of the format.
    ///           SchemaViolationError  an event's data is not what its schema says (schema_mode()).
    ///           IdConflict  an id is in the store already with other content.
    ///           StoreBusy   the queue or another process kept us waiting past Options::deadline.
    ///           StoreError  the disk or the file failed; if it failed during commit, appending the same event ids
    ///                       again tells whether the events are there.
    /// Cost      a share of one transaction and one sync, however many events: batches are cheap.
    [[nodiscard]] AppendResult try_append(const StreamId& stream, ExpectedVersion expected,
                                          std::span<const NewEvent> events);
    [[nodiscard]] AppendResult try_append(const StreamId& stream, ExpectedVersion expected,
                                          std::initializer_list<NewEvent> events) {
        return try_append(stream, expected, std::span{events.begin(), events.size()});
    }
    /// Several streams, several conditions, one commit.
    [[nodiscard]] AppendResult try_append(const Append& append);

    /// The same, for callers who do not plan for a conflict: it is thrown as Conflict.
    Appended append(const StreamId& stream, ExpectedVersion expected, std::span<const NewEvent> events);
    Appended append(const StreamId& stream, ExpectedVersion expected, std::initializer_list<NewEvent> events) {
        return append(stream, expected, std::span{events.begin(), events.size()});
    }
    Appended append(const Append& append);

    /// Queues the append and returns at once, so that one thread can fill a commit. The future holds what
    /// try_append() would return or throw. Waits only while the queue is full. Appends queued by one thread are
    /// committed in that order. The first use starts a thread.
    [[nodiscard]] std::future<AppendResult> append_async(Append append);

    /// Calls `hook` after each commit of appends that were made through this object, before any of them returns (or
    /// its future is ready), as long as the CommitHook is held; a call that is under way then still ends.
    /// Repetitions (L6) count as appends; their events are not handed over.
    ///
    /// The hook must not throw, and must not append. Calls may overlap: as a rule the next commit does not wait for
    /// the hook of the one before it. It does where the log's WAL is to be copied back in between, which is done
    /// behind the hook; and where both are of append_async(), which has one thread.
    [[nodiscard]] CommitHook after_commit(std::function<void(const Committed&)> hook);

    /// How long the appends took that were made through this object and are over, whatever came of them; those of
    /// append_async() aside. For metrics.
    [[nodiscard]] DurationHistogram append_durations() const;

    /// Checks an event as an append to `stream` does, without appending it: for those who load much and have a
    /// thread to spare; see Append::checked(). Throws InvalidInput, SchemaViolationError.
    CheckedBy check(const StreamId& stream, const NewEvent& event) const;

    // ---- Schemas

    /// What is recorded, by type and version.
    [[nodiscard]] std::vector<RecordedSchema> schemas() const;
    /// Records those schemas of `types` that are not recorded yet, all in one commit, and returns them. Events that
    /// are in the log already are not looked at. Appends of every process are checked by them from then on.
    /// Throws SchemaChanged, StoreBusy, StoreError; then nothing is recorded.
    std::vector<RecordedSchema> record_schemas(const EventTypes& types);
    [[nodiscard]] SchemaMode schema_mode() const;
    /// For every appender of every process, from now on. Throws StoreBusy, StoreError.
    void set_schema_mode(SchemaMode mode);
    /// Options::event_types.
    [[nodiscard]] const std::shared_ptr<const EventTypes>& event_types() const noexcept;

    // ---- Reading
    //
    // What is read has gone through the upcasters of event_types(), unless the Read says raw(). An upcaster that
    // fails is thrown as UpcastError (upcaster.hpp) where its event would come; what stands before it comes first.

    /// The events of one stream, oldest first.
    [[nodiscard]] EventRange read(const StreamId& stream) const;
    /// The events that `read` selects. Throws InvalidInput when its parts do not go together.
    [[nodiscard]] EventRange read(const Read& read) const;
    /// The event with this id, if there is one: of an event in pieces, the piece that has it.
    [[nodiscard]] std::optional<Event> find(const EventId& id) const;
    /// The event that was appended with this id, as it is stored: no upcaster is asked.
    [[nodiscard]] std::optional<Event> find_stored(const EventId& id) const;
    /// The event at this position, if there is one: of an event in pieces, the first one. Empty where an upcaster
    /// makes nothing of what is stored there.
    [[nodiscard]] std::optional<Event> at(Position position) const;

    /// The position of the last event, 0 in an empty store.
    [[nodiscard]] Position head() const;
    /// Waits until the log goes beyond `position`, by this process or another, until `timeout` has passed or `stop`
    /// is requested; returns the head. Waiting costs what it does in a Subscription.
    Position wait_beyond(Position position, std::chrono::milliseconds timeout,
                         const std::stop_token& stop = {}) const;
    /// The version of the stream's last event; empty without events.
    [[nodiscard]] std::optional<Version> version(const StreamId& stream) const;
    /// The position of the last event recorded at or before `time`, 0 if there is none.
    [[nodiscard]] Position position_at(Timestamp time) const;
    /// How far `source` has been taken in.
    [[nodiscard]] std::optional<Tracking> tracked(const std::string& source) const;

    /// Events of `query` behind `after`, as they come.
    [[nodiscard]] Subscription subscribe(Query query = {}, Position after = {}) const;

    /// `query` by the names that aggregate types have today. Events that are read carry these, so whoever sorts
    /// them by Query::matches() asks this first: reads, conditions and subscriptions take any name there has been.
    [[nodiscard]] Query today(const Query& query) const;
    /// The stream that events of `stream` say they are of when they are read.
    [[nodiscard]] StreamId today(const StreamId& stream) const;

    /// Calls `visit` for each stream, ordered by tenant, type and id, until it returns false. Holds no more than a
    /// page in memory. Streams whose aggregate type is renamed come in the order of the stored names.
    void streams(const std::function<bool(const StreamInfo&)>& visit) const;
    /// The types that are stored, ordered by name; upcasters are not asked. Cost: one pass over the index of types.
    [[nodiscard]] std::vector<TypeInfo> types() const;
    [[nodiscard]] StoreInfo info() const;

    /// The folder (or URL) that the store was opened with.
    [[nodiscard]] const std::string& name() const noexcept;
    /// The folder that read models of this store live in, as an absolute path; not made by the store.
    [[nodiscard]] std::filesystem::path models_folder() const;

private:
    struct State;
    explicit EventStore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace stele
