// FaultyDisk: a disk that fails when a test says so, as a SQLite VFS.
//
// It is a folder and the name of a VFS. Databases opened through the VFS live in real files of that folder, with
// real locks, so other processes may take part; every operation passes through the disk, which counts it and may
// refuse it, tear it, hold it, end the process at it, or lose the power at it.
//
//     FaultyDisk disk;
//     disk.cut_power({.op = Op::write, .nth = 3});
//     … open databases in disk / "x.stele" with VFS disk.vfs(), work until it fails, close them …
//     disk.power_on();
//     … open again: only what was synced is there …
//
// What survives a power cut. Each file has a durable image: its contents at its last successful sync. Writes and
// truncations since then are unsynced. With Unsynced::lost, power_on() leaves the durable images. With
// Unsynced::random it draws, from the seed, one of three kinds of luck:
//   in order   everything up to some moment survives, of all files, nothing after it;
//   by write   each unsynced write survives whole or not at all, whatever came before it;
//   by sector  each 512-byte sector is as it was at some moment since the sync, and so is the file's size.
// Names: a new file may be gone, and a deleted one back, until the folder is synced. SQLite syncs the folder at the
// first sync of a journal or WAL that it opened to create, and on some deletions. What is done to names behind
// SQLite's back (renames, links, std::filesystem::remove) counts as done for good at once; the contents of a
// renamed file are still only what was synced. A file that was there before the disk first saw it counts as synced.
// -shm files are memory, and are always gone. Files that no VFS call wrote are left alone.
//
// A sync costs nothing here: it makes the image durable, and leaves the real disk in peace.
//
// Threads: every member may be called from any thread; the disk does one operation at a time.
// Processes: the model knows only what its own process writes. Counting, failing, holding and killing work in any
// process (see disk_from_environment()); power cuts are for databases that one process has open.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::test {

/// What SQLite asks of a disk. Kinds can be joined: Op::write | Op::sync.
enum class Op : unsigned {
    open = 1,
    read = 2,
    write = 4,
    sync = 8,
    truncate = 16,
    remove = 32,
    shm_map = 64,  ///< maps (and may grow) the WAL's index
    lock = 128,    ///< takes a lock on a database or on its WAL's index
};
[[nodiscard]] constexpr Op operator|(Op a, Op b) noexcept {
    return static_cast<Op>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr bool operator&(Op a, Op b) noexcept {
    return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0;
}

/// All that can change what is on the disk: the steps to fail one after another.
inline constexpr Op changes = Op::open | Op::write | Op::sync | Op::truncate | Op::remove | Op::shm_map;

/// The n-th operation of a kind, counted from the moment it was asked for.
struct When {
    Op op = changes;
    int nth = 1;
    std::string file;  ///< only on files whose path ends so ("events.db", "events.db-wal"); empty: on any
};

/// How an operation fails.
struct Failure {
    int code = 0;             ///< SQLite's; 0: SQLITE_IOERR_WRITE for a write, SQLITE_IOERR_FSYNC for a sync, …
    bool for_good = false;    ///< all later ones of the kind fail too, until heal()
    std::size_t written = 0;  ///< of a write, so many bytes get onto the disk before it fails
    bool forgets = false;     ///< of a sync: what was unsynced can never be synced any more, as Linux does it
};

enum class Unsynced { lost, kept, random };

class FaultyDisk {
public:
    struct Setup {
        bool models_power = true;    ///< false: cut_power() is not used; saves the memory of the images
        bool is_default = false;     ///< SQLite's default VFS while the disk lives
        std::filesystem::path root;  ///< empty: a new folder in memory(), gone with the disk
    };

    FaultyDisk();
    explicit FaultyDisk(const Setup& setup);
    /// Requires every database that was opened through the disk to be closed.
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    /// The name to open databases with; no other disk has it.
    [[nodiscard]] const std::string& vfs() const noexcept;
    [[nodiscard]] const std::filesystem::path& folder() const noexcept;
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return folder() / name; }

    // ---- Plans. Each counts for itself from the call on; any number may stand at once.

    void fail(When when, Failure how = {});
    /// The power goes at that operation; of a write, `written` bytes were in the disk's cache by then.
    void cut_power(When when, std::size_t written = 0);
    /// The process ends by SIGKILL before that operation.
    void kill_process(When when);
    /// The process stops by SIGSTOP before that operation, until another sends SIGCONT.
    void stop_process(When when);

    /// Holds the thread that comes to one operation.
    class Pause {
    public:
        Pause(Pause&&) noexcept;
        Pause& operator=(Pause&&) = delete;
        ~Pause();  ///< releases
        /// Waits until a thread stands there. False: none came in time.
        [[nodiscard]] bool reached(std::chrono::milliseconds timeout = std::chrono::seconds{20}) const;
        /// Lets it go on; nothing is held any more. Harmless when repeated, or before any thread came.
        void release();

    private:
        friend class FaultyDisk;
        struct Hold;
        Pause(FaultyDisk& disk, std::shared_ptr<Hold> hold);
        FaultyDisk* disk_;
        std::shared_ptr<Hold> hold_;
    };
    [[nodiscard]] Pause pause(When when);

    /// The disk is sound again: forgets every plan, and the limit on space. Held threads go on.
    void heal();
    /// Whether a planned fault has happened since the last heal().
    [[nodiscard]] bool hit() const;
    /// How many operations of these kinds came to the disk, on files whose path ends in `file`.
    [[nodiscard]] int seen(Op ops, std::string_view file = {}) const;

    // ---- Space

    /// Files may grow by so many bytes in all; a write that needs more writes what fits and fails with SQLITE_FULL.
    /// What is truncated or deleted is free again. Empty: as many as you like.
    void limit_space(std::optional<std::int64_t> bytes);

    // ---- Power

    /// From now on every operation fails; only closing and unlocking work.
    void cut_power();
    [[nodiscard]] bool is_off() const;
    /// Leaves in the folder what survived, and works again, without plans. Requires every database to be closed.
    void power_on(Unsynced unsynced = Unsynced::lost, std::uint64_t seed = 0);
    /// Puts what would survive a power cut now into another folder; the disk stays as it is. For trying many seeds
    /// on one cut. Files that no VFS call wrote are not copied.
    void survivors_to(const std::filesystem::path& target, Unsynced unsynced, std::uint64_t seed = 0) const;
    /// Everything in the folder counts as synced from now on, as after a quiet minute. Call it, with all databases
    /// closed, after files were changed other than through the disk.
    void settle();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// For helper programs: the disk that the environment variable STELE_TEST_DISK asks for, as SQLite's default VFS;
/// null where it is not set. Its value is "sound", or "ACTION KINDS N [FILE]", such as
/// "kill write|sync 17 events.db-wal"; actions are kill and stop, kinds are those of Op, or "changes".
/// Throws std::invalid_argument for any other value.
[[nodiscard]] std::unique_ptr<FaultyDisk> disk_from_environment();

/// The value of STELE_TEST_DISK that kills (or stops) a process at `when`.
[[nodiscard]] std::string kill_at(const When& when);
[[nodiscard]] std::string stop_at(const When& when);
/// The one for a disk without faults, whose syncs cost nothing.
[[nodiscard]] std::string on_sound_disk();

}  // namespace stele::test
