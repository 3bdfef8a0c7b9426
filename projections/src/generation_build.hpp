// GenerationBuild: the next generation of a projection, from its first row to the switch.
//
//   begin    under the projection's lock. Where a build of the same definition died, it goes on from what that one
//            has committed; else from nothing.
//   run      folds the log into a file that nobody reads: one connection, in WAL mode, for itself alone.
//   adopt    lays most of the file on disk and folds what has come meanwhile. Then it takes the write lock of the
//            old generation, so that nobody advances that any more; folds up to where that one is, at least; lays
//            the rest on disk, closes the file and changes the link. So no reader, and nobody who waits for a
//            position, finds an earlier position behind the switch than before it (P2).
//   retire   the old generation is marked, in the transaction that held it: whoever advanced it finds out at his
//            next one. Its file goes when its last reader has.
//
// A build that is killed before the link has changed leaves a file that nobody reads, and that the next one goes on
// from; killed behind that, it leaves an old generation that is not marked, and that whoever looks finds not to be
// current any more.
//
// Why WAL, and not a journal in memory or none with copies of the file now and then: a file without a journal on
// disk is worth nothing when the process is killed while SQLite writes pages of it, so each mark would have to be a
// copy of all of it. In WAL mode each commit is a mark for whoever is killed, for nothing: measured over upserts of
// few and of many keys and over inserts, it takes as much CPU as a journal in memory does (0.64 s beside 0.63,
// 1.98 beside 1.93 and 1.47 beside 1.44 for 600,000 events), where the cache and the transactions are big enough
// for a page to be written about once: 50,000 events and tens of MB. A power cut leaves the commits that were on
// the disk by then, in order, as the WAL's checksums tell; at the latest, those up to the last checkpoint.
#pragma once

#include "fold.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"

#include <stele/projections/rebuild.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace stele {

class GenerationBuild {
public:
    using Progress = std::function<void(const FoldProgress&)>;

    /// Takes the lock and begins. `until` is where the read model shall stay; empty: it follows the log. All that
    /// is passed stays longer. Throws ProjectionError "projection_busy", "projection_file".
    GenerationBuild(const EventStore& store, const Projection& projection, const RebuildOptions& options,
                    std::optional<Position> until);
    /// Unless it was adopted, or is to be gone on from: its file goes.
    ~GenerationBuild();
    GenerationBuild(const GenerationBuild&) = delete;
    GenerationBuild& operator=(const GenerationBuild&) = delete;

    [[nodiscard]] std::int64_t number() const noexcept { return number_; }
    /// Where it begins: above 0 where it goes on from what another one has done.
    [[nodiscard]] Position begins_at() const noexcept { return begins_at_; }
    /// The file to fold into, and its tables. adopt() takes them away.
    [[nodiscard]] GenerationFile& file() noexcept { return *file_; }
    [[nodiscard]] Model& model() noexcept { return *model_; }

    /// So many events were folded into file() by others.
    void count(std::int64_t events) noexcept { events_ += events; }

    /// Folds until it has caught up, or reached `until`. False where a stop was requested first.
    /// Throws HandlerFailed.
    [[nodiscard]] bool run(const Progress& progress);

    /// Switches to it. `token` is the one that a new generation starts with where there is no old one. Empty where
    /// a stop was requested first. Waits for who advances the old generation, who lets it go first. Throws
    /// HandlerFailed; then the old generation is the current one.
    [[nodiscard]] std::optional<Rebuilt> adopt(const Progress& progress, std::int64_t token = 0);

    /// What was done so far stays, for the next build of the same definition to go on from.
    void stay_resumable() noexcept { discards_ = false; }
    /// From now on it goes unless it is adopted, or told to stay: also where another build has begun it, which
    /// until then stays as it was found.
    void take_charge() noexcept { discards_ = true; }

private:
    void begin();
    [[nodiscard]] bool fold(const std::stop_token& stop, const Progress& progress,
                            const std::function<Position()>& target);
    [[nodiscard]] std::optional<GenerationFile> open_old() const;
    [[nodiscard]] bool hold(sqlite3* db, std::optional<WriteTransaction>& holding) const;

    const EventStore& store_;
    const Projection& projection_;
    const RebuildOptions& options_;
    std::optional<Position> until_;
    ModelsFolder models_;
    ProjectionLock lock_;
    std::optional<std::int64_t> old_;
    std::optional<Generation> old_at_first_;
    std::int64_t number_ = 0;
    bool is_new_ = false;  ///< nobody began it before
    Position begins_at_;
    std::int64_t events_ = 0;
    bool discards_ = false;
    std::optional<GenerationFile> file_;
    std::unique_ptr<Model> model_;
};

/// Builds a read model into a file of its own at `options.into`; empty where it was stopped.
[[nodiscard]] std::optional<Rebuilt> build_into_file(const EventStore& store, const Projection& projection,
                                                     const RebuildOptions& options, Position until);

}  // namespace stele
