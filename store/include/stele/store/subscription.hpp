// Subscription: the events of a query as they come, from any position on.
#pragma once

#include <stele/store/query.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

namespace stele {

class Backend;

/// Catches up with the log and then waits for what is appended, by this process or another.
///
/// Every event that the query selects comes exactly once, in position order, and none is skipped (L2). Waiting
/// neither reads nor writes the disk: appends of this process wake it at once, those of other processes within
/// milliseconds. A call that throws has handed nothing out; the next one tries the same again.
///
/// Threads  one thread calls next() and next_page(); stop() may be called from any thread and ends a wait at once.
/// Lifetime the EventStore that made it must stay open.
class Subscription {
public:
    Subscription(std::shared_ptr<Backend> backend, Query query, Position after);
    ~Subscription();
    Subscription(Subscription&&) noexcept;
    Subscription& operator=(Subscription&&) noexcept;

    /// The next event; waits for it. Null once stop() was called or `stop` was requested. The event is valid until
    /// the next call. Throws StoreError where the disk or the file fails.
    const Event* next(const std::stop_token& stop = {});

    /// The next events, as many as are there: waits at most `timeout` for the first one, and returns none when it
    /// passes or the subscription is stopped. Valid until the next call.
    std::span<const Event> next_page(std::chrono::milliseconds timeout, const std::stop_token& stop = {});

    /// Where to go on from: everything up to here has been handed out or was not selected. Store it once the events
    /// handed out last are dealt with, and subscribe after it.
    [[nodiscard]] Position position() const noexcept;

    /// Ends a wait, now and from now on. Any thread.
    void stop() noexcept;
    [[nodiscard]] bool stopped() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stele
