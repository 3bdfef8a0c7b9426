#include "work_queue.hpp"

#include "courier.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace stele {

WorkQueue::~WorkQueue() {
    close();
    for (auto& thread : threads_) thread.join();
}

void WorkQueue::start(int niceness) {
    const std::lock_guard lock{mutex_};
    is_started_ = true;
    niceness_ = niceness;
}

void WorkQueue::push(std::vector<Run>&& runs, int priority) {
    if (runs.empty()) return;
    std::unique_lock lock{mutex_};
    if (is_closed_) {
        lock.unlock();
        for (auto& run : runs) run.courier->take_back(std::move(run));
        return;
    }
    auto& ready = runs_[priority];
    for (auto& run : runs) ready.push_back(std::move(run));
    waiting_ += runs.size();
    // Workers begin as they are needed, and stay.
    while (is_started_ && idle_ < waiting_ && threads_.size() < static_cast<std::size_t>(options_.workers)) {
        try {
            threads_.emplace_back([this, niceness = niceness_] { work(niceness); });
        } catch (const std::system_error&) {
            if (threads_.empty()) throw;  // else those that are there do it
            break;
        }
        ++running_;
        ++idle_;
    }
    const auto wake = std::min(idle_, waiting_);
    lock.unlock();
    for (std::size_t i = 0; i < wake; ++i) ready_.notify_one();
}

// With the mutex locked.
bool WorkQueue::take(Run& run) {
    for (auto& [priority, ready] : runs_) {
        if (ready.empty()) continue;
        run = std::move(ready.front());
        ready.pop_front();
        --waiting_;
        return true;
    }
    return false;
}

void WorkQueue::work(int niceness) {
    // Of this thread alone; to hold back needs no privilege.
    if (niceness > 0) (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), niceness);

    std::unique_lock lock{mutex_};
    for (;;) {
        ready_.wait(lock, [&] { return waiting_ > 0 || is_closed_; });
        if (is_closed_) break;
        Run run;
        if (!take(run)) continue;
        --idle_;
        lock.unlock();
        run.courier->carry(std::move(run), [this] { keep_rate(); });
        lock.lock();
        ++idle_;
    }
    --idle_;
    --running_;
    ended_.notify_all();
}

bool WorkQueue::run_one() {
    Run run;
    {
        const std::lock_guard lock{mutex_};
        if (!take(run)) return false;
    }
    run.courier->carry(std::move(run), [this] { keep_rate(); });
    return true;
}

// Deliveries begin at even distances; time in which none was wanted is not made up for.
void WorkQueue::keep_rate() {
    if (options_.rate <= 0) return;
    // What the clock can add, though a thousand workers wait one behind another.
    constexpr std::chrono::duration<double> longest = std::chrono::hours{24 * 30};
    const auto distance = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::min(longest, std::chrono::duration<double>{1 / options_.rate}));
    std::unique_lock lock{mutex_};
    const auto now = std::chrono::steady_clock::now();
    const auto turn = std::max(next_begin_, now);
    next_begin_ = turn + distance;
    ended_.wait_until(lock, turn, [&] { return is_closed_; });
}

void WorkQueue::close() {
    std::vector<Run> left;
    {
        const std::lock_guard lock{mutex_};
        if (std::exchange(is_closed_, true)) return;
        for (Run run; take(run);) left.push_back(std::move(run));
    }
    ready_.notify_all();
    ended_.notify_all();
    for (auto& run : left) run.courier->take_back(std::move(run));
}

bool WorkQueue::await_end(std::chrono::milliseconds wait) {
    std::unique_lock lock{mutex_};
    return ended_.wait_for(lock, wait, [&] { return running_ == 0; });
}

std::size_t WorkQueue::depth() const {
    const std::lock_guard lock{mutex_};
    return waiting_;
}

}  // namespace stele
