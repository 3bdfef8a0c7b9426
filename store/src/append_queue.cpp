#include "append_queue.hpp"

#include "parker.hpp"

#include <algorithm>
#include <new>

namespace stele {

namespace {

// What wakes a parked caller.
constexpr std::uint32_t must_lead = 1;
constexpr std::uint32_t is_done = 2;

// A commit closes when it holds so much, so that those who wait for it do not wait for ever.
constexpr std::size_t appends_a_commit = 512;
constexpr std::size_t events_a_commit = 8192;
constexpr std::size_t bytes_a_commit = std::size_t{64} << 20;

// Of what is handed to hooks: more is read again for less than copies of all of it cost.
constexpr std::size_t most_events_at_hand = 16;
constexpr std::size_t most_bytes_at_hand = std::size_t{64} << 10;

AppendResult take_answer(PendingAppend& append) {
    if (auto* error = std::get_if<std::exception_ptr>(&append.outcome)) std::rethrow_exception(*error);
    return std::get<AppendResult>(std::move(append.outcome));
}

const Appended* appended_of(const PendingAppend& append) {
    const auto* result = std::get_if<AppendResult>(&append.outcome);
    return result == nullptr ? nullptr : std::get_if<Appended>(result);
}

}  // namespace

struct AppendQueue::Waiter {
    PendingAppend* pending;
    Time deadline;
    bool async = false;
    Parker parker;
};

struct AppendQueue::AsyncWaiter : Waiter {
    Append append;
    std::vector<PartView> parts;
    PendingAppend own;
    std::promise<AppendResult> promise;
    std::function<void(AppendResult&)> finish;
};

/// What one commit takes from the queue.
class AppendQueue::Group final : public PendingSource {
public:
    Group(AppendQueue& queue, const Waiter* self, std::size_t expected)
        : queue_(queue), self_(self), expected_(expected) {
        taken.reserve(appends_a_commit);
    }

    PendingAppend* next() override {
        std::unique_lock lock{queue_.mutex_};
        if (taken.size() == appends_a_commit || events_ >= events_a_commit || bytes_ >= bytes_a_commit)
            return nullptr;
        if (queue_.queue_.empty()) wait_for_more(lock);
        if (queue_.queue_.empty()) return nullptr;
        auto* waiter = queue_.queue_.front();
        if (queue_.waiting_for_place_ != 0) queue_.place_.notify_one();
        taken.push_back(waiter);  // first: where there is no memory for it, it stays in the queue
        queue_.queue_.pop_front();
        ++appends;
        for (const auto& part : waiter->pending->parts) {
            events_ += part.events.size();
            for (const auto& event : part.events) bytes_ += event.data.text().size() + event.metadata.text().size();
        }
        return waiter->pending;
    }

    void settled() override {
        queue_.backend_.wake();
        queue_.run_hooks(taken);
        queue_.finish(taken, self_);
        taken.clear();
    }

    std::vector<Waiter*> taken;
    std::size_t appends = 0;  ///< taken, also those that are settled
    Patience::Duration waited{};
    Patience::Wait wait = Patience::Wait::none;

private:
    // Sleeps until half of those who are still expected have come: to wake for each of them would cost more than it
    // gains, and to wake for all of them at once would leave them to be applied one after another at the end.
    void wait_for_more(std::unique_lock<std::mutex>& lock) {
        const auto most = queue_.patience_.longest_wait();
        if (appends == 0 || appends >= expected_ || waited >= most) return;
        const auto start = std::chrono::steady_clock::now();
        queue_.awaited_ = (expected_ - appends + 1) / 2;
        const bool came = queue_.arrival_.wait_until(lock, start + (most - waited),
                                                     [&] { return queue_.queue_.size() >= queue_.awaited_; });
        wait = came ? Patience::Wait::all_came : Patience::Wait::in_vain;
        queue_.awaited_ = 0;
        waited += std::chrono::steady_clock::now() - start;
    }

    AppendQueue& queue_;
    const Waiter* self_;
    std::size_t expected_;
    std::size_t events_ = 0;
    std::size_t bytes_ = 0;
};

AppendQueue::AppendQueue(Backend& backend, std::string store, std::size_t limit, std::chrono::milliseconds deadline,
                         bool reads_as_written)
    : backend_(backend),
      store_(std::move(store)),
      limit_(std::max<std::size_t>(limit, 1)),
      deadline_(deadline),
      reads_as_written_(reads_as_written) {}

AppendQueue::~AppendQueue() {
    {
        const std::lock_guard lock{mutex_};
        closing_ = true;
    }
    async_turn_.notify_all();
    if (async_thread_.joinable()) async_thread_.join();
}

AppendResult AppendQueue::run(PendingAppend& append) {
    append.deadline = std::chrono::steady_clock::now() + deadline_;
    Waiter waiter{.pending = &append, .deadline = append.deadline, .parker = {}};
    std::unique_lock lock{mutex_};
    enqueue(waiter, lock);
    if (!led_) {
        led_ = true;
        lock.unlock();
        lead();
    } else {
        lock.unlock();
        if (waiter.parker.park() == must_lead) lead();
    }
    return take_answer(append);
}

std::future<AppendResult> AppendQueue::run_async(Append append, AsyncExtras extras) {
    auto waiter = std::make_unique<AsyncWaiter>();
    waiter->finish = std::move(extras.finish);
    waiter->own.checked_by = extras.checked_by;
    waiter->own.violation = std::move(extras.violation);
    waiter->async = true;
    waiter->deadline = std::chrono::steady_clock::now() + deadline_;
    waiter->append = std::move(append);
    for (const auto& part : waiter->append.parts()) {
        waiter->parts.push_back({&part.stream, part.expected, part.events});
    }
    waiter->own.parts = waiter->parts;
    waiter->own.conditions = waiter->append.conditions();
    waiter->own.tracking = waiter->append.tracking() ? &*waiter->append.tracking() : nullptr;
    waiter->own.deadline = waiter->deadline;
    waiter->pending = &waiter->own;
    auto future = waiter->promise.get_future();

    std::unique_lock lock{mutex_};
    if (!async_thread_.joinable()) async_thread_ = std::thread{[this] { lead_async_appends(); }};
    enqueue(*waiter, lock);
    (void)waiter.release();  // the queue owns it now; finish() deletes it
    if (!led_) {
        led_ = true;
        lead_async_ = true;
        async_turn_.notify_one();
    }
    return future;
}

void AppendQueue::enqueue(Waiter& waiter, std::unique_lock<std::mutex>& lock) {
    if (queue_.size() >= limit_) {
        ++waiting_for_place_;
        const bool free = place_.wait_until(lock, waiter.deadline, [&] { return queue_.size() < limit_; });
        --waiting_for_place_;
        if (!free) {
            throw StoreBusy{store_, "a place in the queue of " + std::to_string(limit_) + " appends", deadline_};
        }
    }
    queue_.push_back(&waiter);
    if (awaited_ != 0 && queue_.size() >= awaited_) arrival_.notify_one();
}

// Called by the thread whose append is at the head of the queue (or, for asynchronous ones, their thread).
void AppendQueue::lead() {
    Waiter* self = nullptr;
    std::size_t expected = 0;
    {
        const std::lock_guard lock{mutex_};
        self = queue_.front();
        expected = patience_.begin_commit();
    }
    Group group{*this, self, expected};
    const auto start = std::chrono::steady_clock::now();
    bool grew = false;
    std::exception_ptr failure;
    bool busy = false;
    try {
        grew = backend_.commit(group, self->deadline);
    } catch (const StoreBusy&) {
        failure = std::current_exception();
        busy = true;
    } catch (...) {
        failure = std::current_exception();
    }

    std::unique_lock lock{mutex_};
    if (failure) {
        // Nothing was handed out, or the backend broke its word. The head of the queue gets the error, and with
        // StoreBusy everyone whose time has passed as well, who would only wait for the same thing again: they
        // stand in front, since all wait equally long.
        const auto now = std::chrono::steady_clock::now();
        const auto gives_up = [&](const Waiter* waiter) {
            return waiter == self || (busy && waiter->deadline <= now);
        };
        while (!queue_.empty() && gives_up(queue_.front()) && group.taken.size() < group.taken.capacity()) {
            group.taken.push_back(queue_.front());
            queue_.pop_front();
        }
        if (waiting_for_place_ != 0) place_.notify_all();
        for (auto* waiter : group.taken) {
            if (std::holds_alternative<std::monostate>(waiter->pending->outcome))
                waiter->pending->outcome = failure;
        }
    }
    patience_.end_commit(group.appends, queue_.size(), std::chrono::steady_clock::now() - start - group.waited,
                         group.wait);
    hand_over();
    lock.unlock();

    if (grew) backend_.wake();
    run_hooks(group.taken);
    finish(group.taken, self);
}

// The next leader is woken before the followers of this commit: it works while they are still being told.
void AppendQueue::hand_over() {
    if (queue_.empty()) {
        led_ = false;
        if (closing_) async_turn_.notify_all();
    } else if (queue_.front()->async) {
        lead_async_ = true;
        async_turn_.notify_one();
    } else {
        queue_.front()->parker.unpark(must_lead);
    }
}

CommitHook AppendQueue::add_hook(Hook hook) {
    auto added = std::make_shared<const Hook>(std::move(hook));
    const std::lock_guard lock{hooks_mutex_};
    std::erase_if(hooks_, [](const auto& known) { return known.expired(); });
    hooks_.push_back(added);
    has_hooks_ = true;
    return std::const_pointer_cast<Hook>(std::move(added));
}

// Between a commit and the answers to its appends, repetitions among them: for the callers it is part of the
// commit.
void AppendQueue::run_hooks(const std::vector<Waiter*>& done) noexcept {
    if (!has_hooks_) return;
    Position last;
    for (const auto* waiter : done) {
        if (const auto* appended = appended_of(*waiter->pending)) last = std::max(last, appended->last_position);
    }
    if (last == Position{}) return;

    std::vector<std::shared_ptr<const Hook>> hooks;
    {
        const std::lock_guard lock{hooks_mutex_};
        for (const auto& known : hooks_) {
            if (auto hook = known.lock()) hooks.push_back(std::move(hook));
        }
    }
    if (hooks.empty()) return;
    std::vector<Event> events;
    try {
        events = events_at_hand(done);
    } catch (const std::bad_alloc&) {
        // They are read.
    }
    for (const auto& hook : hooks) (*hook)({last, events});
}

/// Committed::events.
std::vector<Event> AppendQueue::events_at_hand(const std::vector<Waiter*>& done) const {
    if (!reads_as_written_ || done.size() != 1) return {};
    const auto& pending = *done.front()->pending;
    const auto* appended = appended_of(pending);
    if (appended == nullptr || appended->duplicate || pending.parts.size() != 1) return {};
    const auto& part = pending.parts.front();
    if (part.events.size() > most_events_at_hand) return {};
    std::size_t bytes = 0;
    for (const auto& event : part.events) bytes += event.data.text().size() + event.metadata.text().size();
    if (bytes > most_bytes_at_hand) return {};

    std::vector<Event> events;
    events.reserve(part.events.size());
    auto position = appended->first_position;
    Version version{appended->version.value() - static_cast<std::int64_t>(part.events.size()) + 1};
    for (const auto& event : part.events) {
        events.push_back({.position = position,
                          .version = version,
                          .stream = *part.stream,
                          .type = event.type,
                          .schema_version = event.schema_version,
                          .id = event.id,
                          .occurred_at = event.occurred_at.value_or(appended->recorded_at),
                          .recorded_at = appended->recorded_at,
                          .data = JsonText::trusted(event.data.text()),
                          .metadata = JsonText::trusted(event.metadata.text()),
                          .tags = event.tags});
        position = position.next();
        version = version.next();
    }
    return events;
}

void AppendQueue::finish(std::vector<Waiter*>& done, const Waiter* self) {
    for (auto* waiter : done) {
        if (waiter->async) {
            const std::unique_ptr<AsyncWaiter> owned{static_cast<AsyncWaiter*>(waiter)};
            try {
                auto answer = take_answer(owned->own);
                if (owned->finish) owned->finish(answer);
                owned->promise.set_value(std::move(answer));
            } catch (...) {
                owned->promise.set_exception(std::current_exception());
            }
        } else if (waiter != self) {
            waiter->parker.unpark(is_done);
        }
    }
}

void AppendQueue::lead_async_appends() {
    std::unique_lock lock{mutex_};
    for (;;) {
        async_turn_.wait(lock, [&] { return lead_async_ || (closing_ && queue_.empty() && !led_); });
        if (!lead_async_) return;
        lead_async_ = false;
        lock.unlock();
        lead();
        lock.lock();
    }
}

}  // namespace stele
