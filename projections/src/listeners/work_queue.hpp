// WorkQueue: the workers that some listeners share.
//
// What is ready comes as runs: events of one order key, to be delivered one after another. Of what is ready, runs
// of the listener with the highest priority go first, and among these the one that is ready longest.
#pragma once

#include <stele/projections/listeners/listener.hpp>
#include <stele/schema/event.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stele {

class Courier;

/// An event to be delivered. Where upcasters have split it, all of its pieces that the listener selects: they are
/// delivered one after another, and settled together.
struct RunItem {
    Event event;
    int attempts = 0;              ///< that were made and count
    int made = 0;                  ///< in all
    std::vector<Event> further{};  ///< pieces behind `event`
    std::size_t next_piece = 0;    ///< those before it are delivered

    [[nodiscard]] std::size_t pieces() const noexcept { return 1 + further.size(); }
    [[nodiscard]] const Event& piece(std::size_t place) const { return place == 0 ? event : further[place - 1]; }
};

/// Events of one key, for one worker.
struct Run {
    Courier* courier = nullptr;
    std::int64_t life = 0;  ///< of what the courier had in memory when it was made
    std::string key;
    std::vector<RunItem> items;
    bool is_parked = false;  ///< its rows stand in control.db's `parked`
    bool is_trial = false;   ///< one delivery, to see whether a target is back
};

/// Threads  any may call any member.
class WorkQueue {
public:
    explicit WorkQueue(QueueOptions options) : options_(std::move(options)) {}
    ~WorkQueue();
    WorkQueue(const WorkQueue&) = delete;
    WorkQueue& operator=(const WorkQueue&) = delete;

    [[nodiscard]] const QueueOptions& options() const noexcept { return options_; }

    /// Has workers from now on; without, run_one() does their work. `niceness` is how much they hold back where the
    /// processor is short, as of nice(1).
    void start(int niceness);
    void push(std::vector<Run>&& runs, int priority);
    /// Does one run in the calling thread; false where none is ready.
    bool run_one();

    /// Lets no further run begin, and gives what waits back to its courier.
    void close();
    /// Behind close(): whether the workers end within `wait`. They are joined when it goes, however long that
    /// takes.
    bool await_end(std::chrono::milliseconds wait);

    /// Runs that wait for a worker.
    [[nodiscard]] std::size_t depth() const;

private:
    bool take(Run& run);
    void work(int niceness);
    void keep_rate();

    const QueueOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::condition_variable ended_;
    std::map<int, std::deque<Run>, std::greater<>> runs_;  ///< by priority
    std::size_t waiting_ = 0;                              ///< runs
    std::size_t idle_ = 0;                                 ///< workers
    std::size_t running_ = 0;                              ///< workers that have not ended
    bool is_started_ = false;
    bool is_closed_ = false;
    int niceness_ = 0;
    std::chrono::steady_clock::time_point next_begin_{};  ///< where there is a rate
    std::vector<std::thread> threads_;
};

}  // namespace stele
