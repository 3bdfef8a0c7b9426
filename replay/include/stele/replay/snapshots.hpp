// Snapshots: states of aggregates, kept apart from the log, so that a long stream need not be folded from its
// first event.
//
// They stand in `snapshots.db` in the store's folder, made when the first one is kept. Nothing depends on them: a
// file that is missing, damaged or of another kind is made anew, a snapshot that does not belong to the log as it
// is (a backup was restored, say) or to the fold as it is defined is passed over, and a file that is busy, on a
// disk that is full or fails, or of a newer Stele, is left alone. Delete it whenever no process uses it.
#pragma once

#include <stele/schema/event_id.hpp>
#include <stele/store/event_store.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

struct SnapshotOptions {
    /// A fold that went so many events beyond the newest snapshot keeps another one.
    std::int64_t every = 1'000;
    /// So many are kept of a stream: those of its highest versions.
    std::int64_t of_a_stream = 2;
};

/// What folds: snapshots of another definition are not looked at. `name` says whose they are, so that those of its
/// former definitions are cleared away; `text` is whatever tells two definitions apart, of any length.
struct FoldDefinition {
    std::string name;
    std::string text;
};

/// The state of a stream behind one of its events.
struct Snapshot {
    Version version;
    Position position;
    JsonText state;
};

struct SnapshotCounts {
    std::uint64_t found = 0;
    std::uint64_t missing = 0;
    std::uint64_t kept = 0;
    std::uint64_t passed_over = 0;  ///< were there and did not belong to the log, or could not be read
    std::uint64_t failures = 0;     ///< of the file; the last one's reason is in `failure`
    std::string failure{};
};

/// Threads  any. Any number of processes on one host. Must not outlive the store.
class Snapshots {
public:
    explicit Snapshots(const EventStore& store, SnapshotOptions options = {});
    ~Snapshots();
    Snapshots(Snapshots&&) noexcept;
    Snapshots& operator=(Snapshots&&) noexcept;

    [[nodiscard]] const SnapshotOptions& options() const noexcept;
    [[nodiscard]] const std::filesystem::path& file() const noexcept;

    /// The newest snapshot of `stream`, of those within the bounds, that belongs to the log. Never throws on
    /// account of the file; StoreError where the log cannot be read.
    [[nodiscard]] std::optional<Snapshot> find(const FoldDefinition& definition, const StreamId& stream,
                                               std::optional<Version> at_version = {},
                                               std::optional<Position> at_position = {});

    /// Keeps one. Where the file does not let it, nothing is kept. Throws StoreError as find() does.
    /// Cost: a transaction without a sync, the size of the state.
    void keep(const FoldDefinition& definition, const StreamId& stream, const Snapshot& snapshot);

    /// A snapshot that find() gave is of no use to the caller, whose reading of it failed: it is removed.
    void remove(const FoldDefinition& definition, const StreamId& stream, Version version);

    /// Removes all of them.
    void clear();

    [[nodiscard]] SnapshotCounts counts() const;

private:
    struct File;
    std::unique_ptr<File> file_;
};

}  // namespace stele
