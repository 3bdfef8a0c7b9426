// ListenerHost: the listeners of a runner, their queues, and the threads that take care of them.
#pragma once

#include "courier.hpp"
#include "sync_listener.hpp"

#include <stele/projections/listeners/listener_registry.hpp>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace stele {

/// Threads  start(), step() and stop() by one at a time; the others by any.
class ListenerHost {
public:
    /// All of these stay longer. Throws StoreError "delivery_key", InvalidInput where two queues have one name.
    ListenerHost(EventStore& store, const RunnerOptions& options, ControlDb& control, const Member& member,
                 Leases& leases, const ListenerRegistry& registry, std::function<void(RunnerNews)> keep_news,
                 std::function<void()> tell_news);
    /// stop()s.
    ~ListenerHost();
    ListenerHost(const ListenerHost&) = delete;
    ListenerHost& operator=(const ListenerHost&) = delete;

    /// A thread for each listener, one that watches the log, and those of the queues.
    void start();
    /// Delivers in the calling thread; how much was done: 0 means that nothing is left for now.
    std::size_t step(std::size_t max, const std::stop_token& stop);
    /// Lets nothing further begin, waits for what is under way, for RunnerOptions::stop_within, then asks it to
    /// give up; settles what is done, and gives the leases back.
    void stop() noexcept;

    [[nodiscard]] WaitResult wait_for(std::string_view name, Position position,
                                      std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] std::map<std::string, std::size_t> queue_depths() const;

private:
    void watch(const std::stop_token& stop);
    void care(Courier& courier, const std::stop_token& stop);
    WorkQueue& queue_of(const Listener::Head& head);

    const RunnerOptions& options_;
    EventStore& store_;
    ControlDb& control_;
    const DeliveryKeys keys_;
    const CourierContext context_;
    const std::function<void()> tell_news_;
    Breakers breakers_;
    std::vector<std::unique_ptr<Courier>> couriers_;
    std::vector<std::shared_ptr<SyncListener>> sync_;
    std::map<std::string, std::unique_ptr<WorkQueue>> queues_;  ///< they go before the couriers
    CommitHook hook_;
    std::stop_source stop_;
    std::vector<std::thread> threads_;
    bool is_stopped_ = false;
};

}  // namespace stele
