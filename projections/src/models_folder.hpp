// ModelsFolder: the files of one projection, by name, and the step from one generation to the next.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele {

class ModelsFolder {
public:
    /// Throws InvalidInput where `name` may not name a projection.
    ModelsFolder(std::filesystem::path folder, std::string_view name);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    [[nodiscard]] std::filesystem::path link() const { return folder_ / (name_ + ".db"); }
    [[nodiscard]] std::filesystem::path lock() const { return folder_ / (name_ + ".lock"); }
    [[nodiscard]] std::filesystem::path file(std::int64_t generation) const;

    /// The generation that the link names; empty without a link.
    [[nodiscard]] std::optional<std::int64_t> current() const;

    /// Every generation that has a file, by number. Those above the current one are being built, or were when their
    /// builder died; or rollback() has gone back from them, and they are kept.
    [[nodiscard]] std::vector<std::int64_t> generations() const;

    /// Makes a generation the current one, in one step and for good. Its file is complete, and on disk. Throws
    /// std::filesystem::filesystem_error; then the old generation is still the current one.
    void switch_to(std::int64_t generation) const;

    /// There is no current generation from now on, for good. For whoever holds the lock, as the next ones.
    void remove_link() const;

    /// Removes the files of all generations; readers that have one open keep what they have.
    void remove_all() const;

    /// Removes the files of generations that are current no more, unless they are open in a reader somewhere, or
    /// `keep_kept` and marked as kept. Those that are still open are marked as retired, if they are not. What is
    /// being built is left alone. For whoever holds the lock. False where a file has to wait for its readers: then
    /// do it again some time.
    bool clean(bool keep_kept, const std::string& sqlite_vfs) const;

    /// Removes the file of one generation, if there is one.
    void discard(std::int64_t generation) const noexcept;

    /// The names of all projections that have a link in `folder`, in order.
    [[nodiscard]] static std::vector<std::string> names(const std::filesystem::path& folder);

private:
    std::filesystem::path folder_;
    std::string name_;
};

/// Removes the file of a database and those that SQLite keeps beside it. What cannot be removed stays.
void remove_database(const std::filesystem::path& file) noexcept;

/// Makes a database that nobody has open one file without others beside it, as any program reads it: no WAL. Throws
/// sql::SqlError.
void make_plain(const std::filesystem::path& file, const std::string& sqlite_vfs);

/// Gives a file a name that nothing has, for good; false where something has it. Throws
/// std::filesystem::filesystem_error.
[[nodiscard]] bool rename_if_absent(const std::filesystem::path& from, const std::filesystem::path& to);

/// Held by whoever builds, switches or drops generations of a projection; not by who advances one, which its token
/// and its position protect (generation_file.hpp). The system lets go of it when the process ends.
class ProjectionLock {
public:
    /// Makes the folder where there is none. Throws ProjectionError "projection_busy" where somebody else holds it
    /// for longer than a second.
    explicit ProjectionLock(const ModelsFolder& models);
    /// Empty where somebody else holds it. Waits for those who only clean up: they need a moment.
    [[nodiscard]] static std::optional<ProjectionLock> try_take(const ModelsFolder& models);
    /// For clean(): no reason for a builder to be refused. Empty where one is at work.
    [[nodiscard]] static std::optional<ProjectionLock> try_share(const ModelsFolder& models);

    ProjectionLock(ProjectionLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    ProjectionLock& operator=(ProjectionLock&&) = delete;
    ProjectionLock(const ProjectionLock&) = delete;
    ProjectionLock& operator=(const ProjectionLock&) = delete;
    ~ProjectionLock();

    /// The highest number that a generation was ever made current by; 0 before. It stands in the lock's file, which
    /// stays when the projection is dropped: a number means one generation for good.
    [[nodiscard]] std::int64_t highest_number() const;
    /// Remembers it. What cannot be written is found in the folder, while the generation is there.
    void remember_number(std::int64_t generation) noexcept;

private:
    [[nodiscard]] static ProjectionLock open(const ModelsFolder& models);
    [[nodiscard]] bool locks(int how, const ModelsFolder& models) const;
    explicit ProjectionLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace stele
