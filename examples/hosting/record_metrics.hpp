// RecordMetrics: counts what this process appends, as it appends it: numbers for a monitoring page that are right
// when append() has returned, and cost no disk.
//
//   auto metrics = std::make_shared<hosting::Metrics>();
//   runner.add(stele::listener(hosting::RecordMetrics{metrics}));
#pragma once

#include <stele/projections/listeners/cpp_listener.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace hosting {

/// Threads  any may call any member.
class Metrics {
public:
    void add(const stele::Event& event) {
        const std::lock_guard lock{mutex_};
        ++by_type_[event.type];
    }
    [[nodiscard]] std::map<std::string, std::int64_t> by_type() const {
        const std::lock_guard lock{mutex_};
        return by_type_;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::int64_t> by_type_;
};

struct RecordMetrics {
    static constexpr auto name = "record_metrics";
    static stele::ListenerOptions options() {
        stele::ListenerOptions options;
        options.mode = stele::ListenerMode::sync;
        return options;
    }

    void on(const stele::Event& event, const stele::Delivery&) { metrics->add(event); }

    std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
};

}  // namespace hosting
