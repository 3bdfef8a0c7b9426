// ControlDb: who does what in a store: the database control.db in the store's folder.
//
//   leases       who owns what: who may advance a projection (leases.hpp)
//   projections  which projections were given up by a drop, and are not to be built again by themselves
//   builds       how far rebuilds that are under way have come, and why the last one failed (build_progress.hpp)
//   troubles     what stands in the way of runners (troubles.hpp)
//   listeners    how far each has delivered; with parked, attempts, dead_letters and deduplicated
//   (listeners/ledger.hpp)
//
// It is made when there is first something to write. For projections nothing is lost for good with it: with
// control.db gone, every projection has no owner, and the next runner takes it. Listeners begin anew without it,
// and send again what they have sent, so it belongs into every backup.
#pragma once

#include "database.hpp"

#include <stele/store/append.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stele {

/// Threads    any may call any member.
/// Processes  any number; SQLite's locks keep them apart, and each call waits for others up to five seconds.
class ControlDb {
public:
    static constexpr int format = 3;

    /// Opens control.db in `folder` (EventStore::name()), making it where there is none.
    /// Throws StoreError "control_file" (it cannot be opened, or is something else), "format" (a newer Stele's).
    explicit ControlDb(const std::filesystem::path& folder, const std::string& sqlite_vfs = {});

    /// The same for those who only look: null where there is none, and none is made.
    [[nodiscard]] static std::unique_ptr<ControlDb> open_existing(const std::filesystem::path& folder,
                                                                  const std::string& sqlite_vfs = {});
    ~ControlDb();
    ControlDb(const ControlDb&) = delete;
    ControlDb& operator=(const ControlDb&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

    /// Calls `look(sqlite3*)`, which reads.
    template <class Look>
    auto read(const Look& look) {
        const std::lock_guard lock{mutex_};
        return naming([&] { return look(db_.get()); });
    }

    /// How much is done before write() returns.
    enum class Sync {
        full,  ///< the change survives a power cut
        none,  ///< a power cut may take it
    };

    /// Calls `change(sqlite3*)` in a transaction, which nobody else's comes in between of. All of it is committed,
    /// or, where it throws, nothing.
    template <class Change>
    auto write(Sync sync, const Change& change) {
        const std::lock_guard lock{mutex_};
        return naming([&] {
            Writing writing{*this, sync};
            if constexpr (std::is_void_v<decltype(change(db_.get()))>) {
                change(db_.get());
                writing.commit();
            } else {
                auto result = change(db_.get());
                writing.commit();
                return result;
            }
        });
    }

    // ---- Which projections are wanted

    /// Whether the projection was dropped: a runner then leaves it alone, whatever its registry says.
    [[nodiscard]] bool is_dropped(std::string_view projection);
    /// Says so, or takes it back (a rebuild by command does). Writes nothing where it is so already.
    void set_dropped(std::string_view projection, bool dropped);

private:
    class Writing {
    public:
        Writing(ControlDb& control, Sync sync);
        Writing(const Writing&) = delete;
        Writing& operator=(const Writing&) = delete;
        ~Writing();
        void commit();

    private:
        ControlDb& control_;
    };

    template <class Work>
    auto naming(const Work& work) {
        try {
            return work();
        } catch (const sql::SqlError& error) {
            throw StoreError{"control_file", file().string() + ": " + error.what(), error.facts()};
        }
    }

    [[nodiscard]] std::filesystem::path file() const { return folder_ / "control.db"; }
    void prepare();
    void upgrade();
    void checkpoint();
    static int on_commit(void* self, sqlite3*, const char*, int pages);

    std::filesystem::path folder_;
    std::string sqlite_vfs_;
    std::mutex mutex_;
    Database db_;
    int wal_pages_ = 0;
};

}  // namespace stele
