// AppendQueue: group commit by leader and followers.
//
// Appends queue up in the order they come. The caller at the head of the queue leads: it commits its own append and
// all that wait behind it, also those that arrive while it is at work, as one transaction; the others sleep until
// they are done or their turn to lead has come. One sync pays for all, a lone caller pays no thread switch, and no
// thread exists for it but one for append_async(), from its first use on.
//
// The scheme is leveldb's (db/db_impl.cc, DBImpl::Write), with one difference: the transaction stays open while
// more appends come, and where callers of the last commit can be expected back, the leader waits for them a moment
// (see patience.hpp). Otherwise many callers fall into two halves, one of which is committed while the other is
// woken, and each half pays for a sync.
#pragma once

#include "backend.hpp"
#include "patience.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

namespace stele {

class AppendQueue {
public:
    /// `backend` outlives the queue. `store` is its name, for messages. `reads_as_written`: it gives events back
    /// as they were appended.
    AppendQueue(Backend& backend, std::string store, std::size_t limit, std::chrono::milliseconds deadline,
                bool reads_as_written);
    /// Waits for the appends that were queued asynchronously.
    ~AppendQueue();
    AppendQueue(const AppendQueue&) = delete;
    AppendQueue& operator=(const AppendQueue&) = delete;

    /// Commits `append` and returns its answer, or throws what went wrong.
    AppendResult run(PendingAppend& append);

    /// What was found out about an append before it queued up, and who sees its answer before the caller does.
    struct AsyncExtras {
        std::uint64_t checked_by = 0;
        std::exception_ptr violation{};
        std::function<void(AppendResult&)> finish{};
    };
    /// Queues `append`; the future holds what run() would return or throw.
    std::future<AppendResult> run_async(Append append, AsyncExtras extras);

    /// Calls `hook` as EventStore::after_commit() says, as long as what it returns is held.
    [[nodiscard]] CommitHook add_hook(std::function<void(const Committed&)> hook);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Waiter;
    struct AsyncWaiter;
    class Group;

    void enqueue(Waiter& waiter, std::unique_lock<std::mutex>& lock);
    void lead();
    void hand_over();
    void run_hooks(const std::vector<Waiter*>& done) noexcept;
    [[nodiscard]] std::vector<Event> events_at_hand(const std::vector<Waiter*>& done) const;
    void finish(std::vector<Waiter*>& done, const Waiter* self);
    void lead_async_appends();

    Backend& backend_;
    const std::string store_;
    const std::size_t limit_;
    const std::chrono::milliseconds deadline_;
    const bool reads_as_written_;

    std::mutex mutex_;  ///< guards what follows
    std::deque<Waiter*> queue_;
    bool led_ = false;         ///< someone leads, or has been told to
    bool lead_async_ = false;  ///< it is the turn of the thread for asynchronous appends
    bool closing_ = false;
    std::size_t waiting_for_place_ = 0;
    std::condition_variable place_;
    Patience patience_;        ///< the leader's
    std::size_t awaited_ = 0;  ///< the leader sleeps until so many are in the queue; 0: it does not
    std::condition_variable arrival_;
    std::condition_variable async_turn_;
    std::thread async_thread_;

    using Hook = std::function<void(const Committed&)>;
    std::atomic<bool> has_hooks_{false};
    std::mutex hooks_mutex_;  ///< guards what follows
    std::vector<std::weak_ptr<const Hook>> hooks_;
};

}  // namespace stele
