// ReadModel: a projection's tables, as everybody else sees them.
//
// On disk, in the store's folder for models:
//
//   NAME.db           a symbolic link to the current generation. Any SQLite reader may open it.
//   NAME.gN.db        generation N: one build of the projection, with -wal and -shm files while it is in use.
//                     One that is being built has its name from the start; until NAME.db leads to it, nobody reads
//                     it. What a rebuild left that was killed is gone on with by the next, or removed.
//   NAME.lock         held while somebody builds, switches or drops generations; advancing needs no lock.
//
// A rebuild ends by renaming a new link over the old one: readers that open NAME.db find the old generation or the
// new one, each complete (P2). A reader that has the old one open keeps it.
//
// In each generation's file, next to the projection's own tables: `stele_projection`, one row that says what this
// is and how far it has come, written in the same transactions as the rows (P1); and `stele_skipped`, the events
// that `on-error skip` passed over.
#pragma once

#include <stele/projections/rows.hpp>
#include <stele/schema/event_id.hpp>
#include <stele/schema/ordinal.hpp>
#include <stele/schema/sql/text.hpp>
#include <stele/schema/time.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

class EventStore;

/// What a generation says of itself.
struct Generation {
    std::string name;
    int version = 0;
    std::string fingerprint;
    std::int64_t number = 0;            ///< 1, 2, 3, … from rebuild to rebuild
    Position position;                  ///< the rows are the fold of the log up to here
    std::optional<EventId> event_id{};  ///< of the event at `position`; empty at 0, and before there were such
    /// "building" (nobody reads it yet), "live", "paused" (stays at its position until it is resumed), "failed"
    /// (stopped at an event), "retired" (another generation has taken its place)
    std::string state;
    Timestamp since{};         ///< when that state began
    std::string error;         ///< with "failed": the message of HandlerFailed
    std::string error_place;   ///< and the file and line of the handler, where it is SQL
    Timestamp updated_at{};    ///< when position was written
    double rate = 0;           ///< events a second that it took in, when it last took any
    std::int64_t token = 0;    ///< the fencing token of who may advance it: the last who claimed it
    bool kept = false;         ///< its file stays when another generation takes its place
    std::int64_t skipped = 0;  ///< events passed over

    friend bool operator==(const Generation&, const Generation&) = default;
};

/// A read-only handle on the generation that was current when it was opened. One thread at a time.
class ReadModel {
public:
    /// Opens the current generation of a projection of `store`. Throws NotFound where none was built,
    /// InvalidInput for a name that cannot be one, ProjectionError ("projection_file") where the file fails.
    [[nodiscard]] static ReadModel open(const EventStore& store, std::string_view name);

    /// The same by folder: EventStore::models_folder(). `sqlite_vfs` as in Options; empty: the system's.
    [[nodiscard]] static ReadModel open(const std::filesystem::path& models, std::string_view name,
                                        const std::string& sqlite_vfs = {});

    ReadModel(ReadModel&&) noexcept;
    ReadModel& operator=(ReadModel&&) noexcept;
    ~ReadModel();

    /// What the generation says of itself now.
    [[nodiscard]] Generation generation() const;

    /// The rows of one query, as of its start. Throws sql::DefinitionError (file "query") where SQLite cannot
    /// compile it, or it does anything but read.
    [[nodiscard]] Rows query(std::string_view sql) const;
    /// The same for a query that stands in a file.
    [[nodiscard]] Rows query(const sql::SqlText& sql) const;

private:
    struct State;
    explicit ReadModel(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace stele
