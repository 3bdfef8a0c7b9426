#include "listener_host.hpp"

#include <algorithm>
#include <set>

namespace stele {
namespace {

using namespace std::chrono_literals;

// How long deliveries that were asked to give up have for it, before the leases go back without them.
constexpr auto give_up_within = 1'000ms;

// The queues with the highest priority hold back in nothing, each next lower priority does a little more.
std::map<std::string, int> niceness_of(const std::map<std::string, std::unique_ptr<WorkQueue>>& queues) {
    constexpr int step = 5;
    constexpr int most = 19;
    std::set<int, std::greater<>> priorities;
    for (const auto& [name, queue] : queues) priorities.insert(queue->options().priority);
    std::map<std::string, int> niceness;
    for (const auto& [name, queue] : queues) {
        const auto rank = std::distance(priorities.begin(), priorities.find(queue->options().priority));
        niceness[name] = std::min(most, step * static_cast<int>(rank));
    }
    return niceness;
}

}  // namespace

ListenerHost::ListenerHost(EventStore& store, const RunnerOptions& options, ControlDb& control,
                           const Member& member, Leases& leases, const ListenerRegistry& registry,
                           std::function<void(RunnerNews)> keep_news, std::function<void()> tell_news)
    : options_(options),
      store_(store),
      control_(control),
      keys_(control.folder()),
      context_{store, options, control, member, leases, keys_, std::move(keep_news)},
      tell_news_(std::move(tell_news)) {
    for (const auto& queue : options.queues) {
        constexpr int most_workers = 1'000;
        if (queue.workers < 1 || queue.workers > most_workers) {
            throw InvalidInput{"workers of queue \"" + queue.name + "\"", "1 to 1000",
                               std::to_string(queue.workers)};
        }
        if (!(queue.rate >= 0)) {
            throw InvalidInput{"rate of queue \"" + queue.name + "\"", "0 or more", std::to_string(queue.rate)};
        }
        if (!queues_.emplace(queue.name, std::make_unique<WorkQueue>(queue)).second)
            throw InvalidInput{"queue \"" + queue.name + "\"", "one definition", "two"};
    }
    for (const auto& listener : registry.all()) {
        const auto& head = listener->head();
        if (head.mode == ListenerMode::sync) {
            sync_.push_back(std::make_shared<SyncListener>(context_, listener));
        } else {
            couriers_.push_back(std::make_unique<Courier>(context_, listener, queue_of(head), breakers_.of(head)));
        }
    }
    for (const auto& listener : sync_) listener->begin();
    if (!sync_.empty()) {
        hook_ = store.after_commit([sync = sync_](const Committed& committed) {
            for (const auto& listener : sync) listener->keep_up(committed.last);
        });
    }
}

ListenerHost::~ListenerHost() { stop(); }

// A queue that no options speak of has those that stand by default. Listeners that name none share one only where
// the options speak of it; else each has its own, so that one that is slow holds up no other.
WorkQueue& ListenerHost::queue_of(const Listener::Head& head) {
    const bool has_its_own = head.queue == QueueOptions{}.name && !queues_.contains(head.queue);
    auto& queue = queues_[has_its_own ? head.queue + "/" + head.name : head.queue];
    if (!queue) {
        QueueOptions options;
        options.name = head.queue;
        queue = std::make_unique<WorkQueue>(options);
    }
    return *queue;
}

void ListenerHost::start() {
    if (!threads_.empty() || (couriers_.empty() && sync_.empty())) return;
    const auto niceness = niceness_of(queues_);
    for (const auto& [name, queue] : queues_) queue->start(niceness.at(name));
    threads_.emplace_back([this, stop = stop_.get_token()] { watch(stop); });
    for (const auto& courier : couriers_) {
        threads_.emplace_back([this, &courier = *courier, stop = stop_.get_token()] { care(courier, stop); });
    }
}

// Listeners wait for deliveries as well as for the log, so one thread watches the log for all of them.
void ListenerHost::watch(const std::stop_token& stop) {
    Position seen;
    while (!stop.stop_requested()) {
        try {
            const auto head = store_.wait_beyond(seen, options_.look_every, stop);
            tell_news_();  // of sync listeners, which have no thread that could
            if (head == seen) continue;
            seen = head;
            for (const auto& courier : couriers_) courier->wake();
        } catch (const std::exception&) {
            // The listeners meet the same and tell it as trouble.
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock{mutex};
            never.wait_for(lock, stop, options_.look_every, [] { return false; });
        }
    }
}

void ListenerHost::care(Courier& courier, const std::stop_token& stop) {
    // A turn is short, so that what was delivered meanwhile is settled soon.
    constexpr std::size_t events_a_turn = 2'000;
    while (!stop.stop_requested()) {
        const auto turn = courier.turn(events_a_turn);
        tell_news_();
        if (!turn.has_more) courier.await(turn.wait, stop);
    }
}

std::size_t ListenerHost::step(std::size_t max, const std::stop_token& stop) {
    std::size_t done = 0;
    for (const auto& courier : couriers_) {
        if (done >= max || stop.stop_requested()) break;
        courier->look_now();
        done += courier->turn(max - done).events;
        tell_news_();
    }
    for (bool has_run = true; has_run && !stop.stop_requested();) {
        has_run = false;
        for (const auto& [name, queue] : queues_) {
            while (!stop.stop_requested() && queue->run_one()) {
                has_run = true;
                ++done;
            }
        }
        for (const auto& courier : couriers_) (void)courier->turn(0);
        tell_news_();
    }
    tell_news_();  // of sync listeners, too
    return done;
}

void ListenerHost::stop() noexcept {
    if (is_stopped_) return;
    is_stopped_ = true;
    hook_.reset();
    for (const auto& courier : couriers_) courier->hold();
    for (const auto& [name, queue] : queues_) queue->close();
    const auto deadline = std::chrono::steady_clock::now() + options_.stop_within;
    const auto await_end = [&](std::chrono::steady_clock::time_point until) {
        bool all = true;
        for (const auto& [name, queue] : queues_) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            all = queue->await_end(std::max(left, 0ms)) && all;
        }
        return all;
    };
    if (!await_end(deadline)) {
        for (const auto& courier : couriers_) courier->abort();
        (void)await_end(deadline + give_up_within);
    }
    stop_.request_stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    for (const auto& courier : couriers_) courier->close();
    for (const auto& listener : sync_) listener->close();
    // Workers that did not give up are waited for here; what they deliver is nobody's any more.
    queues_.clear();
}

WaitResult ListenerHost::wait_for(std::string_view name, Position position,
                                  std::chrono::steady_clock::time_point deadline) {
    for (const auto& listener : sync_) {
        if (listener->listener().name() == name) {
            listener->keep_up(std::min(position, store_.head()));
            return listener->position() >= position ? WaitResult::reached : WaitResult::timed_out;
        }
    }
    const auto found = std::find_if(couriers_.begin(), couriers_.end(),
                                    [&](const auto& courier) { return courier->listener().name() == name; });
    if (found == couriers_.end()) throw NotFound{"no listener \"" + std::string{name} + "\" here"};
    for (;;) {
        const auto time = std::chrono::steady_clock::now();
        const auto result = (*found)->wait_for(position, std::min(deadline, time + 20ms));
        if (result != WaitResult::timed_out) return result;
        // Another runner's, perhaps.
        const auto place = Ledger{control_, std::string{name}}.place();
        if (place && place->state == "failed") return WaitResult::failed;
        if (place && place->position >= position) return WaitResult::reached;
        if (place && place->state == "paused") return WaitResult::paused;
        if (time >= deadline) return WaitResult::timed_out;
    }
}

std::map<std::string, std::size_t> ListenerHost::queue_depths() const {
    std::map<std::string, std::size_t> depths;
    for (const auto& [name, queue] : queues_) depths[name] = queue->depth();
    return depths;
}

}  // namespace stele
