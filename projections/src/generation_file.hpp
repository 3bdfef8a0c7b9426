// GenerationFile: one generation of a read model, open for writing.
#pragma once

#include "database.hpp"

#include <stele/projections/projection.hpp>
#include <stele/projections/read_model.hpp>

#include <filesystem>
#include <string>

namespace stele {

/// What the generation in `db` says of itself. Throws sql::SqlError, also where there is no such table.
[[nodiscard]] Generation read_generation(sqlite3* db);

class GenerationFile {
public:
    /// A new file for a build that nobody reads yet: nothing is synced, and a crash may leave anything behind.
    [[nodiscard]] static GenerationFile create(const std::filesystem::path& path, const Projection& projection,
                                               std::int64_t generation, const std::string& sqlite_vfs);

    /// A generation that is in use.
    [[nodiscard]] static GenerationFile open(const std::filesystem::path& path, const std::string& sqlite_vfs);

    [[nodiscard]] sqlite3* db() const noexcept { return db_.get(); }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] Generation generation() const { return read_generation(db_.get()); }

    // Within a transaction of the caller:

    /// Up to where the rows are folded, and the state that goes with it.
    void write_progress(Position position, std::string_view state, std::string_view error = {});
    /// An event that was passed over.
    void write_skipped(const Event& event, std::string_view place, std::string_view reason);

    /// Ends a build: when it returns, the file is on disk, complete, and as generations in use are (in WAL mode),
    /// and is closed.
    void finish(Position position, std::string_view state, const std::string& sqlite_vfs) &&;

private:
    GenerationFile(std::filesystem::path path, Database db);
    std::filesystem::path path_;
    Database db_;
    sql::Statement progress_;
    sql::Statement skipped_;
};

}  // namespace stele
