// SyncListener: a listener that runs within appends, by the thread that appends, before append() returns.
//
// It sees what this process appends, and what others have appended in between, in the order of the log, from the
// time on that its runner began. It is tried once. What fails is a dead letter, which no append waits for.
#pragma once

#include "courier.hpp"

#include <mutex>

namespace stele {

class SyncListener {
public:
    SyncListener(const CourierContext& context, std::shared_ptr<const Listener> listener);

    /// Begins behind the log's head.
    void begin();
    /// Delivers up to `position`.
    void keep_up(Position position) noexcept;
    /// Writes down what it has done.
    void close() noexcept;

    [[nodiscard]] const Listener& listener() const noexcept { return *listener_; }
    [[nodiscard]] ListenerCounts counts() const;
    [[nodiscard]] Position position() const;

private:
    void deliver(const Event& event);
    void bury(const Event& event, Timestamp at, std::chrono::microseconds duration, std::string cause,
              std::string error);

    const CourierContext context_;
    const std::shared_ptr<const Listener> listener_;
    mutable std::mutex mutex_;  ///< guards what follows
    Ledger ledger_;
    Selection selection_;
    std::unique_ptr<ListenerHandler> handler_;
    Position position_;
    Position dead_;  ///< of the last event that was buried
    ListenerCounts counts_;
    std::stop_source never_;
};

}  // namespace stele
