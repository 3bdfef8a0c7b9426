#include "durable_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <stdexcept>
#include <utility>

namespace fs = std::filesystem;

namespace stele::test {

namespace {

std::optional<ino_t> inode_of(const std::string& path) {
    struct ::stat info {};
    if (::stat(path.c_str(), &info) != 0) return std::nullopt;
    return info.st_ino;
}

std::size_t index(std::int64_t offset) { return static_cast<std::size_t>(offset); }
std::int64_t length(std::string_view bytes) { return static_cast<std::int64_t>(bytes.size()); }

// Puts bytes at an offset, with zeros between where there was nothing.
void put(std::string& image, std::int64_t offset, std::string_view bytes) {
    const std::size_t at = index(offset);
    if (image.size() < at + bytes.size()) image.resize(at + bytes.size(), '\0');
    std::copy(bytes.begin(), bytes.end(), image.begin() + offset);
}

void apply(std::string& image, const DurableFiles::Change& change) {
    if (change.bytes) {
        put(image, change.offset, *change.bytes);
    } else {
        image.resize(index(change.offset), '\0');
    }
}

// The part of a change that falls into [begin, begin + sector): a truncation leaves zeros behind the new size.
void apply_within(std::string& image, const DurableFiles::Change& change, std::int64_t begin) {
    const std::int64_t end = begin + DurableFiles::sector;
    const std::int64_t from = std::max(begin, change.offset);
    const std::int64_t to = change.bytes ? std::min(end, change.offset + length(*change.bytes))
                                         : std::min<std::int64_t>(end, length(image));
    if (from >= to) return;
    if (change.bytes) {
        put(image, from, std::string_view{*change.bytes}.substr(index(from - change.offset), index(to - from)));
    } else {
        std::fill(image.begin() + from, image.begin() + to, '\0');
    }
}

void write_file(const fs::path& path, const std::string& contents) {
    fs::create_directories(path.parent_path());
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    if (!out.flush()) throw std::runtime_error{path.string() + ": cannot write what survived the power cut"};
}

// Where the files of a folder are now, by inode.
std::map<ino_t, fs::path> files_below(const fs::path& root) {
    std::map<ino_t, fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator{root}) {
        if (!entry.is_regular_file() || entry.is_symlink()) continue;
        if (const auto inode = inode_of(entry.path().string())) found.emplace(*inode, entry.path());
    }
    return found;
}

}  // namespace

// What of the unsynced makes it, drawn once per power cut.
struct DurableFiles::Luck {
    enum class Kind { lost, kept, in_order, by_write, by_sector };

    std::mt19937_64 random;
    Kind kind;
    std::uint64_t last_moment = 0;  // with in_order
    double chance = 0.5;            // of a write, with by_write; of a name

    Luck(Unsynced unsynced, std::uint64_t seed, std::uint64_t moments)
        : random(seed), kind(unsynced == Unsynced::kept ? Kind::kept : Kind::lost) {
        if (unsynced != Unsynced::random) return;
        kind = std::array{Kind::in_order, Kind::by_write, Kind::by_sector}[below(3)];
        last_moment = below(moments + 1);
        chance = std::array{0.1, 0.5, 0.9}[below(3)];
    }

    std::uint64_t below(std::uint64_t end) {
        return std::uniform_int_distribution<std::uint64_t>{0, end - 1}(random);
    }
    // Whether something that happened at `moment` made it onto the disk.
    bool made_it(std::uint64_t moment) {
        switch (kind) {
            case Kind::lost:
                return false;
            case Kind::kept:
                return true;
            case Kind::in_order:
                return moment <= last_moment;
            case Kind::by_write:
            case Kind::by_sector:
                return std::bernoulli_distribution{chance}(random);
        }
        return false;
    }

    std::string image(const File& file) {
        std::string image = file.durable;
        if (kind == Kind::by_sector) return by_sector(file);
        for (const Change& change : file.unsynced) {
            if (made_it(change.moment)) apply(image, change);
        }
        return image;
    }

    std::string by_sector(const File& file) {
        std::vector<std::int64_t> sizes{length(file.durable)};
        std::int64_t largest = sizes.back();
        for (const Change& change : file.unsynced) {
            sizes.push_back(change.bytes ? std::max(sizes.back(), change.offset + length(*change.bytes))
                                         : change.offset);
            largest = std::max(largest, sizes.back());
        }
        std::string image = file.durable;
        image.resize(index(largest), '\0');
        for (std::int64_t begin = 0; begin < largest; begin += sector) {
            std::vector<const Change*> touching;
            for (const Change& change : file.unsynced) {
                const bool behind = change.bytes && change.offset + length(*change.bytes) <= begin;
                if (!behind && change.offset < begin + sector) touching.push_back(&change);
            }
            touching.resize(below(touching.size() + 1));
            for (const Change* change : touching) apply_within(image, *change, begin);
        }
        image.resize(index(sizes[below(sizes.size())]), '\0');
        return image;
    }
};

DurableFiles::File* DurableFiles::find(const std::string& path) {
    const auto inode = inode_of(path);
    const auto it = std::ranges::find_if(
        files_, [&](const File& file) { return inode && file.inode == *inode && !file.buried; });
    return it == files_.end() ? nullptr : &*it;
}

DurableFiles::File* DurableFiles::add(const std::string& path, std::string contents, bool durable) {
    const auto inode = inode_of(path);
    if (!inode) throw std::logic_error{path + ": the file was opened and is not there"};
    // A number that is used again belongs to a file that was deleted outside of SQLite.
    std::erase_if(files_, [&](const File& file) { return file.inode == *inode && !file.buried && !file.handles; });
    File& file = files_.emplace_back();
    file.path = path;
    file.inode = *inode;
    file.durable = std::move(contents);
    file.born = ++moment_;
    file.named = durable;
    return &file;
}

void DurableFiles::wrote(File* file, std::int64_t offset, std::string_view bytes) {
    file->unsynced.push_back({++moment_, offset, std::string{bytes}});
}

void DurableFiles::truncated(File* file, std::int64_t size) {
    file->unsynced.push_back({++moment_, size, std::nullopt});
}

void DurableFiles::synced(File* file) {
    for (const Change& change : file->unsynced) apply(file->durable, change);
    file->unsynced.clear();
}

void DurableFiles::folder_synced(const std::string& path) {
    const fs::path folder = fs::path{path}.parent_path();
    for (File& file : files_) {
        if (fs::path{file.path}.parent_path() == folder) file.named = !file.buried;
    }
}

void DurableFiles::forgot(File* file) { file->unsynced.clear(); }

void DurableFiles::removed(const std::string& path, bool durably) {
    File* file = find(path);
    if (file == nullptr) return;
    file->buried = ++moment_;
    if (durably) folder_synced(path);
}

void DurableFiles::settle() {
    for (File& file : files_) {
        synced(&file);
        file.named = !file.buried;
    }
    std::erase_if(files_, [](const File& file) { return file.handles == 0; });
}

void DurableFiles::survivors_to(const fs::path& root, const fs::path& target, Unsynced unsynced,
                                std::uint64_t seed) const {
    Luck luck{unsynced, seed, moment_};
    const auto present = files_below(root);
    std::map<fs::path, std::string> survivors;
    std::vector<fs::path> victims;
    for (const File& file : files_) {  // in order of birth: a later file of one name wins
        const std::string image = luck.image(file);
        if (file.buried) {
            const fs::path path = fs::path{file.path}.lexically_relative(root);
            if (file.named && !luck.made_it(*file.buried)) survivors.emplace(path, image);
            continue;
        }
        const auto at = present.find(file.inode);
        if (at == present.end()) continue;  // removed outside of SQLite
        const fs::path path = at->second.lexically_relative(root);
        if (file.named || luck.made_it(file.born)) {
            survivors.insert_or_assign(path, image);
        } else {
            victims.push_back(path);
        }
    }
    for (const auto& [inode, path] : present) {
        if (path.native().ends_with("-shm")) victims.push_back(path.lexically_relative(root));
    }
    for (const fs::path& path : victims) {
        if (!survivors.contains(path)) fs::remove(target / path);
    }
    for (const auto& [path, contents] : survivors) write_file(target / path, contents);
}

}  // namespace stele::test
