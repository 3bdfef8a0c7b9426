// Building read models from the log, keeping them up with it, and saying how far they are.
//
// The promises of projections:
//   P1  A projection's rows always equal a fold of the log up to its stored position, whatever crashed in between.
//   P2  A rebuild never takes the old generation away from its readers before the new one has caught up.
//
// Any number of projections of a store may be built at once, in several threads or processes, each by one of them
// at a time.
#pragma once

#include <stele/projections/projection.hpp>
#include <stele/projections/projection_error.hpp>
#include <stele/projections/projection_registry.hpp>
#include <stele/projections/projection_status.hpp>
#include <stele/projections/read_model.hpp>
#include <stele/store/event_store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace stele {

/// How far a fold has come.
struct FoldProgress {
    Position position;        ///< up to here, and committed
    Position target;          ///< where it ends, as far as is known now
    std::int64_t events = 0;  ///< that were taken in
};

struct RebuildOptions {
    /// Build the read model as it was at this position, and stay there (state "paused") until resume() or a rebuild
    /// without this.
    std::optional<Position> until{};
    /// The same by time: at the last event that was recorded then or before. Not together with `until`.
    std::optional<Timestamp> as_of{};
    /// Build into this file instead, as of `until` or `as_of`, else of the log's head: a plain SQLite file,
    /// complete when it gets its name, which nobody advances. The projection's own read model is not touched, nor
    /// anything else. The file must not be there yet, also where it was made by an earlier call. While it is being
    /// built it is called FILE.new.
    std::optional<std::filesystem::path> into{};
    /// Keep the file of the generation that is replaced (Generation::kept) until a rebuild without this. rollback()
    /// makes it current again.
    bool keep_old = false;
    /// When `stop` is requested, leave what was built for the next rebuild of the same definition to go on from, as
    /// a rebuild that is killed does.
    bool resumable = false;
    /// How long the old file outlives the switch. SQLite looks up where a link leads, and opens that file a moment
    /// later: this is the moment. (ReadModel::open() needs none.)
    std::chrono::milliseconds grace{50};
    /// The log is folded in a thread that is so many steps nicer (nice(2)) than the caller's, who waits for it:
    /// so appends and readers, of this process and others, get a core at once when they need one, and the rebuild
    /// what they leave, or a tenth of a core against each that never rests. 0: in the calling thread. What was
    /// appended meanwhile is folded likewise, and so on, as long as each time it is at most half as much as before;
    /// the calling thread folds the rest, and switches.
    int niceness = 10;
    /// Called after each transaction, by the thread that is at it.
    std::function<void(const FoldProgress&)> progress{};
    /// Looked at before each event. When it is requested, the old generation stays, and the new one goes.
    std::stop_token stop{};
    /// Events per transaction: what a crash loses is small, and so is the memory for it. Where states are folded in
    /// memory, four times as many.
    std::size_t batch = 50'000;
    /// The SQLite VFS for the read model's files; empty: the system's. The seam that fault tests use.
    std::string sqlite_vfs{};
};

/// A rebuild that ended well.
struct Rebuilt {
    Generation generation;
    std::int64_t events = 0;  ///< that were taken in
    Position began_at;        ///< above 0: it went on from what a rebuild that died had done
};

/// Builds the projection's next generation from the log, beside the current one, until it has caught up with the
/// log; then makes it the current one, in one step, and removes the old one's file (when its last reader is gone).
/// Others may advance the old one until then: at the switch, the new one is at least as far. How far it is can be
/// seen from other processes (projection_status()).
///
/// A rebuild that was killed is gone on with from its last transaction (after a power cut: the last one that is on
/// the disk), where the definition is the same and `until` is not before that. Else what it left is removed.
///
/// A paused projection is live again, unless `until` or `as_of` is given, or it was paused while this went on. One
/// that was dropped is wanted again.
///
/// Empty where `stop` was requested first: then nothing has changed.
///
/// Whoever advances the old generation lets the switch go first. What a disk or a lock kept from its end stays as
/// it is, as what a killed rebuild leaves does: the next one of the same definition goes on from there.
///
/// Throws HandlerFailed     at an event, unless the projection skips; the old generation stays.
///        InvalidInput      `until` is beyond the log's head; `into` is there.
///        ProjectionError   "projection_busy" (another rebuild of it is under way), "projection_setup",
///                          "projection_file".
///        StoreError        the log, or control.db, failed.
/// Cost   one pass over the events of its query, and what its statements cost. Little is synced before the end.
std::optional<Rebuilt> rebuild(const EventStore& store, const Projection& projection,
                               const RebuildOptions& options = {});

struct CatchUpOptions {
    /// Take in at most so many events.
    std::optional<std::size_t> limit{};
    std::function<void(const FoldProgress&)> progress{};
    /// Looked at before each event. When it is requested, what was taken in is committed, and the call returns.
    std::stop_token stop{};
    /// Events per transaction.
    std::size_t batch = 1'000;
    std::string sqlite_vfs{};
};

struct CaughtUp {
    Position position;         ///< of the read model now
    std::int64_t events = 0;   ///< that were taken in
    std::int64_t skipped = 0;  ///< of these: passed over by `on-error skip`
};

/// Takes the events into the current generation that were appended since; up to the head that the log has when
/// the call begins. Readers see every transaction as a whole, rows and position. A generation that is "paused" is
/// left as it is.
///
/// Events that the query does not select cost no write: the position passes over them with the next transaction,
/// and at the end of the call.
///
/// Throws HandlerFailed     at an event, unless the projection skips. What came before is committed, the state is
///                          "failed", and the next call tries the same event again.
///        NotFound          the projection was never built: rebuild() it.
///        ProjectionError   "projection_busy", "projection_changed", "projection_ahead", "projection_log",
///        "projection_file". StoreError        the log failed.
CaughtUp catch_up(const EventStore& store, const Projection& projection, const CatchUpOptions& options = {});

}  // namespace stele
