#include "../status_words.hpp"

#include <stele/projections/listeners/listener_status.hpp>

#include <sstream>

namespace stele {
namespace {

std::string by_cause(const std::map<std::string, std::int64_t>& counts) {
    std::string text;
    for (const auto& [cause, count] : counts) text += (text.empty() ? "" : ", ") + cause + " " + grouped(count);
    return text.empty() ? text : " (" + text + ")";
}

std::string deliveries(const ListenerCounts& counts) {
    std::string text = grouped(counts.delivered) + " delivered";
    if (counts.failed > 0)
        text += ", " + grouped(counts.failed) + " failed attempts" + by_cause(counts.failed_by_cause);
    if (counts.retried > 0) text += ", " + grouped(counts.retried) + " retried";
    if (counts.dead > 0) text += ", " + grouped(counts.dead) + " died" + by_cause(counts.dead_by_cause);
    if (counts.deduplicated > 0) text += ", " + grouped(counts.deduplicated) + " passed over as repetitions";
    return text;
}

std::string parked(const ListenerStatus& status) {
    std::string text = counted(status.parked, "event") + " of " + counted(status.parked_keys, "key");
    if (status.held_keys > 0) text += ", " + grouped(status.held_keys) + " held";
    if (status.next_retry) text += ", next retry at " + to_rfc3339(*status.next_retry);
    return text;
}

std::string breaker(const BreakerStatus& breaker) {
    std::string text = breaker.state;
    if (!breaker.target.empty()) text += ", to " + breaker.target;
    if (breaker.state != "closed" && breaker.until) text += ", until " + to_rfc3339(*breaker.until);
    if (breaker.failures > 0) text += ", " + counted(breaker.failures, "failure") + " in a row";
    return breaker.error.empty() ? text : text + ": " + breaker.error;
}

}  // namespace

std::string describe(const ListenerStatus& status) {
    std::ostringstream out;
    out << status.name << ": " << status.state;
    if (status.since != Timestamp{}) out << " since " << to_rfc3339(status.since);
    out << '\n';
    if (!status.sink.empty()) {
        const bool is_sync = status.mode == "sync";
        status_line(out, "sink", status.sink + (is_sync ? ", sync" : ", queue " + status.queue));
    }
    status_line(out, "position", grouped(status.position.value()) + " of " + grouped(status.head.value()));
    status_line(out, "behind",
                status.lag_events == 0 ? "nothing"
                                       : counted(status.lag_events, "event") + ", " + lasting(status.lag_seconds));
    if (status.under_way > 0) status_line(out, "under way", counted(status.under_way, "event"));
    status_line(out, "parked", status.parked == 0 ? "nothing" : parked(status));
    status_line(out, "dead", status.dead == 0 ? "nothing" : counted(status.dead, "dead letter"));
    if (status.breaker) status_line(out, "breaker", breaker(*status.breaker));
    if (status.counts.dispatched > 0 || status.counts.delivered > 0 || status.counts.failed > 0)
        status_line(out, "so far", deliveries(status.counts));
    status_line(out, "owner", status.owner.empty() ? "nobody" : status.owner);
    if (status.stored_at) status_line(out, "stored at", to_rfc3339(*status.stored_at));
    if (status.failed_position)
        status_line(out, "stopped at", "position " + grouped(status.failed_position->value()));
    if (!status.error.empty()) status_line(out, "error", status.error);
    if (!status.advice.empty()) status_line(out, "what now", status.advice);
    return out.str();
}

}  // namespace stele
