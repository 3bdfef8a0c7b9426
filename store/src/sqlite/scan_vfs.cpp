#include "scan_vfs.hpp"

#include "connection.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace stele::sqlite {

namespace {

// Larger ones save next to nothing; and where the kernel does not preempt itself, who wakes up waits until one is
// read.
constexpr std::int64_t chunk = 16 << 10;
constexpr std::int64_t gap = 4 << 10;  // a page of an index may stand between those of the log
constexpr int forward_reads = 8;       // so many, one behind the other, and a chunk is read

// A database's file. SQLite allocates it, with the base VFS's file behind it.
struct ScanFile : sqlite3_file {
    std::vector<char> ahead;
    std::int64_t begin = 0;
    std::int64_t size = 0;  // of what `ahead` holds from `begin` on; 0: nothing
    std::int64_t next = 0;  // where the last read ended
    int forward = 0;        // reads that went on from the one before

    [[nodiscard]] sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    [[nodiscard]] const sqlite3_io_methods& base() { return *real()->pMethods; }

    [[nodiscard]] bool holds(std::int64_t offset, int count) const {
        return offset >= begin && offset + count <= begin + size;
    }

    void follow(std::int64_t offset, int count) {
        forward = offset >= next && offset - next <= gap ? std::min(forward + 1, forward_reads) : 0;
        next = offset + count;
    }

    // Whatever goes wrong here shows when the page itself is read.
    bool fill(std::int64_t offset, int count) {
        sqlite3_int64 end = 0;
        if (base().xFileSize(real(), &end) != SQLITE_OK) return false;
        const auto wanted = std::min<std::int64_t>(chunk, end - offset);
        if (wanted <= count) return false;
        try {
            ahead.resize(chunk);
        } catch (const std::bad_alloc&) {
            return false;
        }
        size = 0;
        if (base().xRead(real(), ahead.data(), static_cast<int>(wanted), offset) != SQLITE_OK) return false;
        begin = offset;
        size = wanted;
        return true;
    }
};

ScanFile& ours(sqlite3_file* file) { return *static_cast<ScanFile*>(file); }

int close_file(sqlite3_file* file) {
    const int code = ours(file).base().xClose(ours(file).real());
    ours(file).~ScanFile();
    return code;
}

int read_file(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
    auto& self = ours(file);
    self.follow(offset, count);
    const bool is_there = self.holds(offset, count) || (self.forward == forward_reads && self.fill(offset, count));
    if (!is_there) return self.base().xRead(self.real(), to, count, offset);
    std::memcpy(to, self.ahead.data() + (offset - self.begin), static_cast<std::size_t>(count));
    return SQLITE_OK;
}

int write_file(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
    ours(file).size = 0;
    return ours(file).base().xWrite(ours(file).real(), from, count, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 to) {
    ours(file).size = 0;
    return ours(file).base().xTruncate(ours(file).real(), to);
}

int lock_file(sqlite3_file* file, int kind) {
    ours(file).size = 0;
    return ours(file).base().xLock(ours(file).real(), kind);
}

int lock_shared_memory(sqlite3_file* file, int at, int count, int flags) {
    if ((flags & SQLITE_SHM_LOCK) != 0) ours(file).size = 0;
    return ours(file).base().xShmLock(ours(file).real(), at, count, flags);
}

// What is passed on as it is.
template <auto Method>
struct PassOn;
template <class... Arguments, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Arguments...)>
struct PassOn<Method> {
    static int call(sqlite3_file* file, Arguments... arguments) {
        return (ours(file).base().*Method)(ours(file).real(), arguments...);
    }
};
void barrier(sqlite3_file* file) { ours(file).base().xShmBarrier(ours(file).real()); }

constexpr sqlite3_io_methods methods_of_version(int version) {
    return {version,
            close_file,
            read_file,
            write_file,
            truncate_file,
            PassOn<&sqlite3_io_methods::xSync>::call,
            PassOn<&sqlite3_io_methods::xFileSize>::call,
            lock_file,
            PassOn<&sqlite3_io_methods::xUnlock>::call,
            PassOn<&sqlite3_io_methods::xCheckReservedLock>::call,
            PassOn<&sqlite3_io_methods::xFileControl>::call,
            PassOn<&sqlite3_io_methods::xSectorSize>::call,
            PassOn<&sqlite3_io_methods::xDeviceCharacteristics>::call,
            PassOn<&sqlite3_io_methods::xShmMap>::call,
            lock_shared_memory,
            barrier,
            PassOn<&sqlite3_io_methods::xShmUnmap>::call,
            PassOn<&sqlite3_io_methods::xFetch>::call,
            PassOn<&sqlite3_io_methods::xUnfetch>::call};
}
constexpr int newest_version = 3;
constexpr sqlite3_io_methods methods[newest_version] = {methods_of_version(1), methods_of_version(2),
                                                        methods_of_version(3)};

// Without shared memory, of which a null xShmMap speaks in any version, SQLite keeps no WAL, and must not try.
int version_of(const sqlite3_io_methods& base) {
    return base.xShmMap == nullptr ? 1 : std::clamp(base.iVersion, 1, newest_version);
}

// ---- The VFS

sqlite3_vfs* base_of(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    auto* base = base_of(vfs);
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return base->xOpen(base, path, file, flags, flags_out);
    auto& self = *new (file) ScanFile{};
    self.real()->pMethods = nullptr;
    const int code = base->xOpen(base, path, self.real(), flags, flags_out);
    if (self.real()->pMethods == nullptr) {  // nothing to close
        self.~ScanFile();
        file->pMethods = nullptr;
        return code;
    }
    file->pMethods = &methods[version_of(self.base()) - 1];
    return code;
}

// What else it does the base does, which may have more behind its fields than SQLite knows of.
template <auto Method>
struct OfBase;
template <class Result, class... Arguments, Result (*sqlite3_vfs::*Method)(sqlite3_vfs*, Arguments...)>
struct OfBase<Method> {
    static Result call(sqlite3_vfs* vfs, Arguments... arguments) {
        return (base_of(vfs)->*Method)(base_of(vfs), arguments...);
    }
};
template <auto... Methods>
void take(sqlite3_vfs& vfs) {
    ((base_of(&vfs)->*Methods == nullptr ? void() : void(vfs.*Methods = OfBase<Methods>::call)), ...);
}

}  // namespace

// Named by its own address: one program may hold this library more than once, over one SQLite.
ScanVfs::ScanVfs(const std::string& base)
    : name_("stele-scan-" + std::to_string(reinterpret_cast<std::uintptr_t>(this))) {
    auto* found = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
    if (found == nullptr) throw StoreError{"sqlite_vfs", "no VFS of SQLite is named \"" + base + "\""};
    vfs_.iVersion = std::clamp(found->iVersion, 1, 3);
    vfs_.szOsFile = static_cast<int>(sizeof(ScanFile)) + found->szOsFile;
    vfs_.mxPathname = found->mxPathname;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = found;
    vfs_.xOpen = open_file;
    take<&sqlite3_vfs::xDelete, &sqlite3_vfs::xAccess, &sqlite3_vfs::xFullPathname, &sqlite3_vfs::xDlOpen,
         &sqlite3_vfs::xDlError, &sqlite3_vfs::xDlSym, &sqlite3_vfs::xDlClose, &sqlite3_vfs::xRandomness,
         &sqlite3_vfs::xSleep, &sqlite3_vfs::xCurrentTime, &sqlite3_vfs::xGetLastError>(vfs_);
    if (vfs_.iVersion >= 2) take<&sqlite3_vfs::xCurrentTimeInt64>(vfs_);
    if (vfs_.iVersion >= 3) {
        take<&sqlite3_vfs::xSetSystemCall, &sqlite3_vfs::xGetSystemCall, &sqlite3_vfs::xNextSystemCall>(vfs_);
    }
    sqlite3_vfs_register(&vfs_, 0);
}

ScanVfs::~ScanVfs() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace stele::sqlite
