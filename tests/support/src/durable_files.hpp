// DurableFiles: what of a folder's files a power cut leaves. A model in memory; it knows nothing of SQLite.
//
// The rules are those of the header faulty_disk.hpp. A file is known by its inode, so that a file renamed outside
// of SQLite keeps its image. Not thread-safe: FaultyDisk calls it under its lock.
#pragma once

#include <stele/test/faulty_disk.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <list>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace stele::test {

class DurableFiles {
public:
    static constexpr std::int64_t sector = 512;

    class File;

    /// A file was opened. `contents` gives its bytes when the model does not know it and it was there before.
    template <class Contents>
    File* opened(const std::string& path, bool created, Contents&& contents) {
        File* file = created ? nullptr : find(path);
        if (file == nullptr) file = created ? add(path, {}, false) : add(path, contents(), true);
        ++file->handles;
        return file;
    }
    void closed(File* file) noexcept { --file->handles; }

    void wrote(File* file, std::int64_t offset, std::string_view bytes);
    void truncated(File* file, std::int64_t size);
    void synced(File* file);
    /// The names of a file's folder are durable: new ones are there, deleted ones stay away.
    void folder_synced(const std::string& path);
    /// A sync failed, and what was unsynced is no longer the kernel's business.
    void forgot(File* file);
    /// A file is about to be deleted; `durably` where its folder is synced as well.
    void removed(const std::string& path, bool durably);

    /// Everything is synced now.
    void settle();

    /// Writes the files that survive below `target` (which may be `root` itself), taking their names relative to
    /// `root`, and removes from `target` those that do not.
    void survivors_to(const std::filesystem::path& root, const std::filesystem::path& target, Unsynced unsynced,
                      std::uint64_t seed) const;
    void forget_all() { files_.clear(); }

    struct Change {
        std::uint64_t moment;  ///< order over all files
        std::int64_t offset;   ///< of a truncation: the new size
        std::optional<std::string> bytes;
    };

    class File {
        friend class DurableFiles;
        std::string path;
        ino_t inode = 0;
        std::string durable;
        std::vector<Change> unsynced;
        std::uint64_t born = 0;               ///< the moment of its creation
        bool named = false;                   ///< its name is durable
        std::optional<std::uint64_t> buried;  ///< the moment of its deletion, where that is not durable
        int handles = 0;
    };

private:
    struct Luck;

    File* find(const std::string& path);
    File* add(const std::string& path, std::string contents, bool durable);

    std::list<File> files_;
    std::uint64_t moment_ = 0;
};

}  // namespace stele::test
