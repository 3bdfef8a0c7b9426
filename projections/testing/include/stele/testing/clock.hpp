// FakeClock: time that stands still until a test moves it.
//
//   FakeClock clock;                                   // 2026-01-05T10:00:00Z
//   auto store = EventStore::temporary({.clock = clock});
//   clock.advance(std::chrono::minutes{5});
#pragma once

#include <stele/schema/time.hpp>

#include <atomic>
#include <chrono>
#include <memory>

namespace stele::testing {

/// Copies show the same time. Any thread.
class FakeClock {
public:
    explicit FakeClock(Timestamp start = parse_rfc3339("2026-01-05T10:00:00Z"))
        : microseconds_(std::make_shared<std::atomic<std::int64_t>>(start.time_since_epoch().count())) {}

    [[nodiscard]] Timestamp now() const { return Timestamp{std::chrono::microseconds{microseconds_->load()}}; }
    [[nodiscard]] Timestamp operator()() const { return now(); }

    void advance(std::chrono::microseconds by) { *microseconds_ += by.count(); }
    void set(Timestamp time) { *microseconds_ = time.time_since_epoch().count(); }

private:
    std::shared_ptr<std::atomic<std::int64_t>> microseconds_;
};

}  // namespace stele::testing
