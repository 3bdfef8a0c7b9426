// DiskVfs: SQLite's own VFS for Unix with a gate before every operation.
//
// It registers a sqlite3_vfs that hands every call on to the default "unix" VFS, after asking its owner. It decides
// nothing itself.
#pragma once

#include <stele/test/faulty_disk.hpp>

#include <sqlite3.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace stele::test {

class DurableFiles;

/// What the owner of a DiskVfs says to an operation.
struct Verdict {
    int code = SQLITE_OK;      ///< other than SQLITE_OK: the operation fails with it
    std::int64_t written = 0;  ///< of a failing write: how many bytes are written nevertheless
    bool forgets = false;      ///< of a failing sync: see Failure
};

/// Who decides. Every operation that can change the disk is done with `lock` held from the verdict to its end, so
/// that a power cut falls before or behind it, never within.
class DiskOwner {
public:
    using Lock = std::unique_lock<std::mutex>;

    virtual Lock lock() = 0;
    /// May wait, and give the lock up while it does. `grows`: how many bytes a write makes the file longer.
    virtual Verdict before(Lock& lock, Op op, std::string_view path, std::int64_t grows) = 0;
    /// Space that a truncation or a deletion gave back.
    virtual void freed(std::int64_t bytes) = 0;
    [[nodiscard]] virtual bool off(const Lock& lock) const = 0;
    /// Null where power cuts are not modelled.
    virtual DurableFiles* durable() = 0;
    /// A database, WAL or journal was opened (+1) or closed (-1).
    virtual void handles(int change) = 0;

protected:
    ~DiskOwner() = default;
};

class DiskVfs {
public:
    DiskVfs(DiskOwner& owner, bool is_default);
    ~DiskVfs();
    DiskVfs(const DiskVfs&) = delete;
    DiskVfs& operator=(const DiskVfs&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    sqlite3_vfs vfs_{};
};

}  // namespace stele::test
