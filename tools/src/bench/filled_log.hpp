// Logs that are filled beforehand, the same on both sides.
#pragma once

#include "bare_log.hpp"
#include "workload.hpp"

#include <filesystem>
#include <memory>
#include <span>

namespace stele::bench {

/// Appends `events` in their order, 1,000 a commit. Not for measuring: it takes what is quickest.
void fill(EventStore& store, const Payloads& payloads, std::span<const PlannedEvent> events);
void fill(BareLog& log, std::span<const PlannedEvent> events);

/// A log whose streams have ten events each, as a store and as a bare database. The streams grow side by side, one
/// event at a time, so the events of one stream lie far apart.
class FilledLog {
public:
    static constexpr std::size_t events_per_stream = 10;

    /// `events` is rounded up to whole streams.
    FilledLog(std::shared_ptr<const std::filesystem::path> folder, std::size_t events,
              std::size_t events_a_stream = events_per_stream);

    [[nodiscard]] const Payloads& payloads() const { return payloads_; }
    [[nodiscard]] std::size_t events() const { return payloads_.streams().size() * events_a_stream_; }
    [[nodiscard]] std::string store() const { return *folder_ / "log.stele"; }
    [[nodiscard]] std::filesystem::path bare() const { return *folder_ / "bare.db"; }

private:
    std::shared_ptr<const std::filesystem::path> folder_;
    std::size_t events_a_stream_;
    Payloads payloads_;
};

/// Stream `i` of `streams` as the `i`-th in an order that looks drawn, and has each stream once.
[[nodiscard]] std::size_t scattered(std::size_t i, std::size_t streams);

}  // namespace stele::bench
