#include <stele/projections/health.hpp>

#include "status_words.hpp"

#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/projection_status.hpp>

#include <algorithm>

namespace stele {
namespace {

using Reasons = std::vector<std::string>;

double seconds_between(Timestamp from, Timestamp to) { return std::chrono::duration<double>(to - from).count(); }

template <class Status>
void add_lag(Reasons& reasons, const Status& status, const HealthLimits& limits) {
    if (limits.lag_events && status.lag_events > *limits.lag_events) {
        reasons.push_back("is " + counted(status.lag_events, "event") + " behind, the limit is " +
                          grouped(*limits.lag_events));
    }
    if (limits.lag_seconds && status.lag_seconds > *limits.lag_seconds) {
        reasons.push_back("is " + lasting(status.lag_seconds) + " behind, the limit is " +
                          lasting(*limits.lag_seconds));
    }
}

// Whether the position was not stored for as long as makes a stall. What was never stored stalls from the start.
bool stands_still(const std::optional<Timestamp>& stored_at, const HealthLimits& limits, Timestamp now) {
    return !stored_at || now - *stored_at > limits.stalled_after;
}

// Events wait, and the position stays where it is. `verb`: what nobody does.
template <class Status>
void add_stall(Reasons& reasons, const Status& status, const char* verb, const HealthLimits& limits,
               Timestamp now) {
    const std::chrono::duration<double> patience = limits.stalled_after;
    if (status.lag_events == 0 || status.lag_seconds <= patience.count()) return;
    if (!stands_still(status.stored_at, limits, now)) return;
    auto reason = counted(status.lag_events, "event") + (status.lag_events == 1 ? " waits" : " wait") +
                  ", the first for " + lasting(status.lag_seconds) + ", and ";
    if (status.owner.empty()) {
        reason += std::string{"nobody "} + verb;
    } else if (status.stored_at) {
        reason += status.owner + " has stored no position for " + lasting(seconds_between(*status.stored_at, now));
    } else {
        reason += status.owner + " has stored no position";
    }
    reasons.push_back(std::move(reason));
}

// A consumer that has nothing but retries to make, and does not make them, has no lag to give it away.
void add_late_retry(Reasons& reasons, const ListenerStatus& status, const HealthLimits& limits, Timestamp now) {
    if (!status.next_retry || now - *status.next_retry <= limits.stalled_after) return;
    if (!stands_still(status.stored_at, limits, now)) return;
    // While the breaker is open, nothing is sent on purpose.
    if (status.breaker && status.breaker->until && now - *status.breaker->until <= limits.stalled_after) return;
    reasons.push_back("a retry was due " + lasting(seconds_between(*status.next_retry, now)) + " ago, and " +
                      (status.owner.empty() ? "nobody delivers" : status.owner + " does not make it"));
}

}  // namespace

std::vector<std::string> what_ails(const ListenerStatus& status, const HealthLimits& limits, Timestamp now) {
    Reasons reasons;
    if (status.state == "paused" || status.state == "retired") return reasons;
    if (status.state == "failed") {
        reasons.push_back(
            "has stopped" +
            (status.failed_position ? " at position " + grouped(status.failed_position->value()) : std::string{}) +
            (status.error.empty() ? "" : ": " + status.error));
    }
    if (status.position > status.head) {
        reasons.push_back("is at position " + grouped(status.position.value()) + ", the log ends at " +
                          grouped(status.head.value()) + ": the log lost events");
    }
    add_lag(reasons, status, limits);
    if (status.state != "failed") {
        add_stall(reasons, status, "delivers", limits, now);
        add_late_retry(reasons, status, limits, now);
    }
    if (limits.dead >= 0 && status.dead > limits.dead) {
        reasons.push_back("has " + counted(status.dead, "dead letter") + ", the limit is " + grouped(limits.dead));
    }
    return reasons;
}

std::vector<std::string> what_ails(const ProjectionStatus& status, const HealthLimits& limits, Timestamp now) {
    Reasons reasons;
    if (status.state == "paused" || status.state == "dropped" || status.state == "retired") return reasons;
    if (status.state == "failed") {
        reasons.push_back(
            "has stopped" +
            (status.failure ? " at position " + grouped(status.failure->position.value()) : std::string{}) +
            (status.error.empty() ? "" : ": " + status.error));
    } else if (status.state == "broken") {
        reasons.push_back("cannot be read: " + status.error);
        return reasons;
    }
    add_lag(reasons, status, limits);
    // A build says itself how it goes, and readers have the old generation until then.
    if (status.state == "failed" || status.building) return reasons;
    add_stall(reasons, status, status.state == "live" ? "advances it" : "builds it", limits, now);
    return reasons;
}

}  // namespace stele
