// Is all well? What a status says, judged by limits.
//
// A status is read from what is on disk and from the log, so whoever hangs, or is gone, cannot look healthy: the
// head moves, and his position does not.
#pragma once

#include <stele/schema/time.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stele {

struct ListenerStatus;
struct ProjectionStatus;

struct HealthLimits {
    std::optional<std::int64_t> lag_events{};  ///< red beyond
    std::optional<double> lag_seconds{};       ///< red beyond
    /// Red when events wait, were recorded so long ago, and the position was not stored since. The same for a retry
    /// that was due so long ago.
    std::chrono::milliseconds stalled_after{30'000};
    std::int64_t dead = -1;  ///< red beyond so many dead letters; below 0: they are no reason
};

/// Why a listener is not healthy, one sentence each; empty: it is. One that is paused is healthy: somebody wanted
/// it. So is one that is retired.
[[nodiscard]] std::vector<std::string> what_ails(const ListenerStatus& status, const HealthLimits& limits,
                                                 Timestamp now);

/// The same of a projection. One that is paused, dropped or retired is healthy; one that was never built, or was
/// changed, stalls when nobody builds it.
[[nodiscard]] std::vector<std::string> what_ails(const ProjectionStatus& status, const HealthLimits& limits,
                                                 Timestamp now);

}  // namespace stele
