// GenerationFile: one generation of a read model, open for writing.
//
// Several processes may have it open. Who may advance it is decided in the file itself, in the transaction that
// holds the rows: progress is written only where the writer's token is the file's, the position is the one that the
// writer started from, and the state is one that advances. So neither an owner that was replaced while it slept,
// nor one that somebody has paused meanwhile, changes anything (P1).
//
// SQLite's own checkpoints are off: several may write here, and on SQLite up to 3.51.2 a checkpoint that runs
// beside another connection's commit can corrupt the file (the WAL-reset race). Whoever has committed the
// thousandth page copies the WAL back while a second connection of his holds the write lock. The last one to close
// the file has it for himself, and may do what he likes.
#pragma once

#include "database.hpp"

#include <stele/projections/projection.hpp>
#include <stele/projections/read_model.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace stele {

/// What the generation in `db` says of itself. Reads files of earlier builds of Stele too, which say less. Throws
/// sql::SqlError, also where there is no such table.
[[nodiscard]] Generation read_generation(sqlite3* db);

/// What became of a step of a generation.
enum class Advance {
    done,
    paused,   ///< it was paused meanwhile: nothing is to be written
    retired,  ///< another generation has taken its place: open that one
};

class GenerationFile {
public:
    GenerationFile(GenerationFile&&) noexcept;
    GenerationFile& operator=(GenerationFile&&) noexcept;
    ~GenerationFile();

    /// A new file for a build that nobody reads yet, with the projection's tables set up. It is this object's
    /// alone, and every transaction is a mark to go on from: see generation_build.hpp.
    [[nodiscard]] static GenerationFile create(const std::filesystem::path& path, const Projection& projection,
                                               std::int64_t generation, const std::string& sqlite_vfs);

    /// What create() made and a build that died has left. Throws sql::SqlError, at once where somebody has it open.
    [[nodiscard]] static GenerationFile open_build(const std::filesystem::path& path,
                                                   const std::string& sqlite_vfs);

    /// A generation that is in use. One that was built before there were tokens gets the columns it lacks.
    /// The token it goes by is the file's, until claim().
    [[nodiscard]] static GenerationFile open(const std::filesystem::path& path, const std::string& sqlite_vfs);

    [[nodiscard]] sqlite3* db() const noexcept { return db_.get(); }
    [[nodiscard]] TransactionStatements& transactions() noexcept { return *transactions_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] Generation generation() const { return read_generation(db_.get()); }
    [[nodiscard]] std::int64_t token() const noexcept { return token_; }

    /// The file will be removed: from now on nothing is synced for its sake, and what is in its WAL stays there.
    /// Before anything was written by this object.
    void forgo_durability();

    /// From now on, who holds a lower token advances this generation no more. A transaction of its own.
    /// Throws ProjectionError "projection_fenced" where a higher token has claimed it.
    void claim(std::int64_t token);

    // Within a transaction of the caller:

    struct Progress {
        Position from;                      ///< where the transaction started: the position in the file
        Position to;                        ///< the rows are folded up to here
        std::optional<EventId> event_id{};  ///< of the event there
        std::string_view state = "live";
        std::string_view error = {};
        std::string_view error_place = {};  ///< of the handler that failed
        double rate = 0;                    ///< events a second
    };
    /// Writes how far the rows are folded, and the state that goes with it. Anything but Advance::done: nothing was
    /// written, and the caller rolls its transaction back.
    /// Throws ProjectionError "projection_fenced" where the token is another's, "projection_busy" where somebody
    /// has advanced it by the same token; roll back then too.
    [[nodiscard]] Advance write_progress(const Progress& progress);
    /// An event that was passed over.
    void write_skipped(const Event& event, std::string_view place, std::string_view reason);
    /// Another state; the position stays. No questions asked: for whoever holds the projection's lock, or has
    /// looked at the state within the same transaction.
    void write_state(std::string_view state);
    void write_kept(bool kept);

    /// Of a build: where more than a little of it is in the WAL, that is copied into the file. Throws
    /// sql::SqlError.
    void checkpoint();
    /// Ends a build: when it returns, all of the file is on disk, and it is closed. Throws sql::SqlError.
    void finish() &&;

private:
    class Checkpoints;
    GenerationFile(std::filesystem::path path, Database db, std::unique_ptr<Checkpoints> checkpoints);
    [[nodiscard]] ProjectionError fenced(std::int64_t ours, std::int64_t found) const;
    [[nodiscard]] Advance why_not_written(const Progress& progress) const;

    std::filesystem::path path_;
    std::unique_ptr<Checkpoints> checkpoints_;  // called by the connection until it is closed
    Database db_;
    std::int64_t token_;
    std::optional<TransactionStatements> transactions_;
    sql::Statement progress_;
    sql::Statement skipped_;
};

}  // namespace stele
