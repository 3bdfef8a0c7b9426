#include "disk_vfs.hpp"

#include "durable_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <stdexcept>
#include <utility>

namespace stele::test {

namespace {

sqlite3_vfs* unix_vfs() {
    sqlite3_vfs* vfs = sqlite3_vfs_find("unix");
    if (vfs == nullptr) throw std::runtime_error{"SQLite: expected a VFS named \"unix\", found none"};
    return vfs;
}

DiskOwner& owner_of(sqlite3_vfs* vfs) { return *static_cast<DiskOwner*>(vfs->pAppData); }

// A file of ours. SQLite allocates it, with the file of the unix VFS behind it.
struct DiskFile {
    sqlite3_file base;
    DiskOwner* owner;
    const char* path;             // SQLite keeps it as long as the file is open; null for a temporary file
    DurableFiles::File* durable;  // null: not modelled
    bool syncs_folder;            // at its first sync
};

DiskFile& ours(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&ours(file) + 1); }
const sqlite3_io_methods& base(sqlite3_file* file) { return *real(file)->pMethods; }
std::string_view path_of(sqlite3_file* file) { return ours(file).path == nullptr ? "" : ours(file).path; }

std::int64_t size_of(sqlite3_file* file) {
    sqlite3_int64 size = 0;
    return base(file).xFileSize(real(file), &size) == SQLITE_OK ? size : 0;
}

std::string contents_of(sqlite3_file* file) {
    std::string bytes(static_cast<std::size_t>(size_of(file)), '\0');
    constexpr std::size_t step = 1 << 20;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::size_t n = std::min(step, bytes.size() - at);
        const int rc =
            base(file).xRead(real(file), bytes.data() + at, static_cast<int>(n), static_cast<sqlite3_int64>(at));
        if (rc != SQLITE_OK) throw std::runtime_error{std::string{path_of(file)} + ": cannot read the image"};
    }
    return bytes;
}

// ---- Files

int file_close(sqlite3_file* file) {
    DiskFile& self = ours(file);
    const auto lock = self.owner->lock();
    if (self.durable != nullptr) self.owner->durable()->closed(self.durable);
    self.owner->handles(-1);
    return base(file).xClose(real(file));
}

int file_read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
    {
        auto lock = ours(file).owner->lock();
        const Verdict verdict = ours(file).owner->before(lock, Op::read, path_of(file), 0);
        if (verdict.code != SQLITE_OK) return verdict.code;
    }
    return base(file).xRead(real(file), bytes, count, offset);
}

int file_write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    DiskFile& self = ours(file);
    auto lock = self.owner->lock();
    const std::int64_t grows = std::max<std::int64_t>(0, offset + count - size_of(file));
    const Verdict verdict = self.owner->before(lock, Op::write, path_of(file), grows);
    const auto n =
        verdict.code == SQLITE_OK ? count : static_cast<int>(std::min<std::int64_t>(count, verdict.written));
    if (n > 0) {
        const int rc = base(file).xWrite(real(file), bytes, n, offset);
        if (rc != SQLITE_OK) return rc;
        if (self.durable != nullptr) {
            self.owner->durable()->wrote(self.durable, offset,
                                         {static_cast<const char*>(bytes), static_cast<std::size_t>(n)});
        }
    }
    return verdict.code;
}

int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
    DiskFile& self = ours(file);
    auto lock = self.owner->lock();
    const Verdict verdict = self.owner->before(lock, Op::truncate, path_of(file), 0);
    if (verdict.code != SQLITE_OK) return verdict.code;
    const std::int64_t size_before = size_of(file);
    const int rc = base(file).xTruncate(real(file), size);
    if (rc != SQLITE_OK) return rc;
    self.owner->freed(size_before - size_of(file));
    if (self.durable != nullptr) self.owner->durable()->truncated(self.durable, size);
    return SQLITE_OK;
}

int file_sync(sqlite3_file* file, int) {
    DiskFile& self = ours(file);
    auto lock = self.owner->lock();
    const Verdict verdict = self.owner->before(lock, Op::sync, path_of(file), 0);
    if (self.durable == nullptr) return verdict.code;
    if (verdict.code == SQLITE_OK) {
        self.owner->durable()->synced(self.durable);
        if (std::exchange(self.syncs_folder, false)) self.owner->durable()->folder_synced(self.path);
    }
    if (verdict.forgets) self.owner->durable()->forgot(self.durable);
    return verdict.code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (ours(file).owner->off(ours(file).owner->lock())) return SQLITE_IOERR_FSTAT;
    return base(file).xFileSize(real(file), size);
}

int file_lock(sqlite3_file* file, int level) {
    {
        auto lock = ours(file).owner->lock();
        const Verdict verdict = ours(file).owner->before(lock, Op::lock, path_of(file), 0);
        if (verdict.code != SQLITE_OK) return verdict.code;
    }
    return base(file).xLock(real(file), level);
}

int file_unlock(sqlite3_file* file, int level) { return base(file).xUnlock(real(file), level); }

int file_check_reserved_lock(sqlite3_file* file, int* held) {
    if (ours(file).owner->off(ours(file).owner->lock())) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    return base(file).xCheckReservedLock(real(file), held);
}

int file_control(sqlite3_file* file, int what, void* argument) {
    // Growing in chunks would change a file's size past the model.
    if (what == SQLITE_FCNTL_CHUNK_SIZE || what == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
    return base(file).xFileControl(real(file), what, argument);
}

int file_sector_size(sqlite3_file* file) { return base(file).xSectorSize(real(file)); }
int file_device_characteristics(sqlite3_file* file) { return base(file).xDeviceCharacteristics(real(file)); }

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    auto lock = ours(file).owner->lock();
    const Verdict verdict = ours(file).owner->before(lock, Op::shm_map, path_of(file), 0);
    if (verdict.code != SQLITE_OK) return verdict.code;
    return base(file).xShmMap(real(file), region, size, extend, memory);
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    if ((flags & SQLITE_SHM_LOCK) != 0) {
        auto lock = ours(file).owner->lock();
        const Verdict verdict = ours(file).owner->before(lock, Op::lock, path_of(file), 0);
        if (verdict.code != SQLITE_OK) return verdict.code;
    }
    return base(file).xShmLock(real(file), offset, count, flags);
}

void shm_barrier(sqlite3_file* file) { base(file).xShmBarrier(real(file)); }
int shm_unmap(sqlite3_file* file, int remove) { return base(file).xShmUnmap(real(file), remove); }

// Version 2: without xFetch, so that nothing is read through a memory map.
const sqlite3_io_methods methods = {2,
                                    file_close,
                                    file_read,
                                    file_write,
                                    file_truncate,
                                    file_sync,
                                    file_size,
                                    file_lock,
                                    file_unlock,
                                    file_check_reserved_lock,
                                    file_control,
                                    file_sector_size,
                                    file_device_characteristics,
                                    shm_map,
                                    shm_lock,
                                    shm_barrier,
                                    shm_unmap,
                                    nullptr,
                                    nullptr};

// ---- The file system

int vfs_open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    DiskFile& self = *new (file) DiskFile{};
    self.owner = &owner_of(vfs);
    self.path = path;
    auto lock = self.owner->lock();
    const Verdict verdict = self.owner->before(lock, Op::open, path_of(file), 0);
    if (verdict.code != SQLITE_OK) return verdict.code;

    struct ::stat info {};
    const bool created = path != nullptr && ::stat(path, &info) != 0;
    const int rc = unix_vfs()->xOpen(unix_vfs(), path, real(file), flags, flags_out);
    if (rc != SQLITE_OK) return rc;
    self.base.pMethods = &methods;
    self.owner->handles(+1);
    const bool is_kept = path != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0;
    if (is_kept && self.owner->durable() != nullptr) {
        self.durable = self.owner->durable()->opened(path, created, [&] { return contents_of(file); });
        // As the VFS for Unix does it, at the first sync of a journal or WAL that it may have made.
        constexpr int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
        self.syncs_folder = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & journals) != 0;
    }
    return SQLITE_OK;
}

int vfs_delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    DiskOwner& owner = owner_of(vfs);
    auto lock = owner.lock();
    const Verdict verdict = owner.before(lock, Op::remove, path, 0);
    if (verdict.code != SQLITE_OK) return verdict.code;
    struct ::stat info {};
    const bool there = ::stat(path, &info) == 0;
    if (there && owner.durable() != nullptr) owner.durable()->removed(path, sync_folder != 0);
    if (there) owner.freed(info.st_size);
    return unix_vfs()->xDelete(unix_vfs(), path, 0);
}

int vfs_access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    if (owner_of(vfs).off(owner_of(vfs).lock())) return SQLITE_IOERR_ACCESS;
    return unix_vfs()->xAccess(unix_vfs(), path, flags, result);
}

int vfs_full_pathname(sqlite3_vfs*, const char* path, int size, char* out) {
    return unix_vfs()->xFullPathname(unix_vfs(), path, size, out);
}
void* vfs_dl_open(sqlite3_vfs*, const char* path) { return unix_vfs()->xDlOpen(unix_vfs(), path); }
void vfs_dl_error(sqlite3_vfs*, int size, char* message) { unix_vfs()->xDlError(unix_vfs(), size, message); }
auto vfs_dl_sym(sqlite3_vfs*, void* library, const char* symbol) -> void (*)() {
    return unix_vfs()->xDlSym(unix_vfs(), library, symbol);
}
void vfs_dl_close(sqlite3_vfs*, void* library) { unix_vfs()->xDlClose(unix_vfs(), library); }
int vfs_randomness(sqlite3_vfs*, int size, char* out) { return unix_vfs()->xRandomness(unix_vfs(), size, out); }
int vfs_sleep(sqlite3_vfs*, int microseconds) { return unix_vfs()->xSleep(unix_vfs(), microseconds); }
int vfs_current_time(sqlite3_vfs*, double* time) { return unix_vfs()->xCurrentTime(unix_vfs(), time); }
int vfs_last_error(sqlite3_vfs*, int size, char* out) { return unix_vfs()->xGetLastError(unix_vfs(), size, out); }
int vfs_current_time_64(sqlite3_vfs*, sqlite3_int64* time) {
    return unix_vfs()->xCurrentTimeInt64(unix_vfs(), time);
}

std::string unique_name() {
    static std::atomic<int> made{0};
    return "stele-faulty-disk-" + std::to_string(++made);
}

}  // namespace

DiskVfs::DiskVfs(DiskOwner& owner, bool is_default) : name_(unique_name()) {
    vfs_.iVersion = 2;
    vfs_.szOsFile = static_cast<int>(sizeof(DiskFile)) + unix_vfs()->szOsFile;
    vfs_.mxPathname = unix_vfs()->mxPathname;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = &owner;
    vfs_.xOpen = vfs_open;
    vfs_.xDelete = vfs_delete;
    vfs_.xAccess = vfs_access;
    vfs_.xFullPathname = vfs_full_pathname;
    vfs_.xDlOpen = vfs_dl_open;
    vfs_.xDlError = vfs_dl_error;
    vfs_.xDlSym = vfs_dl_sym;
    vfs_.xDlClose = vfs_dl_close;
    vfs_.xRandomness = vfs_randomness;
    vfs_.xSleep = vfs_sleep;
    vfs_.xCurrentTime = vfs_current_time;
    vfs_.xGetLastError = vfs_last_error;
    vfs_.xCurrentTimeInt64 = vfs_current_time_64;
    if (sqlite3_vfs_register(&vfs_, is_default ? 1 : 0) != SQLITE_OK) {
        throw std::runtime_error{name_ + ": SQLite refuses the VFS"};
    }
}

DiskVfs::~DiskVfs() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace stele::test
