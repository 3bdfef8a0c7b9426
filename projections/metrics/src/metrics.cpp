#include <stele/metrics/metrics.hpp>

#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/projection_status.hpp>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>
#include <vector>

namespace stele {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// Families in the order in which they were begun. Those without a value are left out.
class Families {
public:
    MetricFamily& begin(std::string name, std::string help, MetricType type) {
        families_.push_back({std::move(name), std::move(help), type, {}});
        return families_.back();
    }
    [[nodiscard]] std::string text() {
        std::erase_if(families_, [](const MetricFamily& family) { return family.metric.empty(); });
        return prometheus::TextSerializer{}.Serialize(families_);
    }

private:
    std::vector<MetricFamily> families_;
};

template <class Number>
void add(MetricFamily& family, Labels labels, Number number) {
    ClientMetric metric;
    metric.label = std::move(labels);
    const auto value = static_cast<double>(number);
    if (family.type == MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    family.metric.push_back(std::move(metric));
}

void add(MetricFamily& family, Labels labels, const DurationHistogram& durations) {
    ClientMetric metric;
    metric.label = std::move(labels);
    auto& histogram = metric.histogram;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < durations.counts.size(); ++i) {
        below += static_cast<std::uint64_t>(durations.counts[i]);
        const bool is_bounded = i < DurationHistogram::bounds.size();
        histogram.bucket.push_back(
            {below, is_bounded ? DurationHistogram::bounds[i] : std::numeric_limits<double>::infinity()});
    }
    histogram.sample_count = below;
    histogram.sample_sum = durations.sum;
    family.metric.push_back(std::move(metric));
}

double seconds_between(Timestamp from, Timestamp to) { return std::chrono::duration<double>(to - from).count(); }

double breaker_value(const BreakerStatus& breaker) {
    constexpr double trying = 0.5;
    if (breaker.state == "closed") return 0;
    return breaker.state == "trying" ? trying : 1;
}

// One family of one number a listener, or a projection.
template <class Status, class Of>
void each(Families& families, const std::vector<Status>& all, const char* label, const std::string& name,
          const std::string& help, MetricType type, const Of& of) {
    auto& family = families.begin(name, help, type);
    for (const auto& status : all) add(family, {{label, status.name}}, of(status));
}

// One number for each cause.
void by_cause(Families& families, const std::vector<ListenerStatus>& all, const std::string& name,
              const std::string& help, std::map<std::string, std::int64_t> ListenerCounts::*counts) {
    auto& family = families.begin(name, help, MetricType::Counter);
    for (const auto& status : all) {
        for (const auto& [cause, count] : status.counts.*counts)
            add(family, {{"listener", status.name}, {"cause", cause}}, count);
    }
}

void add_deliveries(Families& families, const std::vector<ListenerStatus>& all) {
    const auto counter = [&](const std::string& name, const std::string& help, const auto& of) {
        each(families, all, "listener", name, help, MetricType::Counter,
             [&](const ListenerStatus& status) { return of(status.counts); });
    };
    using Counts = ListenerCounts;
    counter("stele_events_dispatched_total", "Events that a listener has selected and taken up.",
            [](const Counts& counts) { return counts.dispatched; });
    counter("stele_deliveries_executed_total", "Attempts to deliver, whatever came of them.",
            [](const Counts& counts) { return counts.delivered + counts.failed; });
    counter("stele_deliveries_succeeded_total", "Attempts that succeeded.",
            [](const Counts& counts) { return counts.delivered; });
    by_cause(families, all, "stele_deliveries_failed_total", "Attempts that failed, by cause.",
             &Counts::failed_by_cause);
    counter("stele_deliveries_retried_total", "Attempts behind the first one of their event.",
            [](const Counts& counts) { return counts.retried; });
    by_cause(families, all, "stele_deliveries_dead_total", "Dead letters that were made, by cause.",
             &Counts::dead_by_cause);
    counter("stele_deliveries_deduplicated_total", "Events that were passed over as repetitions.",
            [](const Counts& counts) { return counts.deduplicated; });
    auto& durations = families.begin("stele_delivery_duration_seconds", "How long attempts to deliver took.",
                                     MetricType::Histogram);
    for (const auto& status : all) add(durations, {{"listener", status.name}}, status.counts.durations);
}

void add_listeners(Families& families, const std::vector<ListenerStatus>& all, const HealthLimits& limits,
                   Timestamp time) {
    const auto gauge = [&](const std::string& name, const std::string& help, const auto& of) {
        each(families, all, "listener", name, help, MetricType::Gauge, of);
    };
    using Status = ListenerStatus;
    gauge("stele_listener_lag_events", "Positions between a listener and the head of the log.",
          [](const Status& status) { return status.lag_events; });
    gauge("stele_listener_lag_seconds", "Age of the first event behind a listener's position.",
          [](const Status& status) { return status.lag_seconds; });
    gauge("stele_listener_under_way_events", "Events that were taken up and not settled when that was last stored.",
          [](const Status& status) { return status.under_way; });
    gauge("stele_listener_parked_events", "Events that wait for a retry, or behind one that does.",
          [](const Status& status) { return status.parked; });
    gauge("stele_listener_parked_keys", "Order keys with events that wait.",
          [](const Status& status) { return status.parked_keys; });
    gauge("stele_dead_letters", "Dead letters that are there now.",
          [](const Status& status) { return status.dead; });
    gauge("stele_listener_healthy", "Whether a listener is healthy, as `stele health` sees it.",
          [&](const Status& status) { return what_ails(status, limits, time).empty() ? 1 : 0; });

    auto& age = families.begin("stele_listener_position_age_seconds",
                               "Time since a listener's position was last stored.", MetricType::Gauge);
    auto& breaker = families.begin("stele_listener_breaker_open",
                                   "Whether the breaker of a listener's target is open: 1, 0.5 while it is tried.",
                                   MetricType::Gauge);
    auto& owner = families.begin("stele_listener_owner_info", "Who delivers for a listener.", MetricType::Gauge);
    for (const auto& status : all) {
        if (status.stored_at)
            add(age, {{"listener", status.name}}, std::max(0.0, seconds_between(*status.stored_at, time)));
        if (status.breaker)
            add(breaker, {{"listener", status.name}, {"target", status.breaker->target}},
                breaker_value(*status.breaker));
        if (!status.owner.empty()) add(owner, {{"listener", status.name}, {"owner", status.owner}}, 1);
    }
}

void add_projections(Families& families, const std::vector<ProjectionStatus>& all, const HealthLimits& limits,
                     Timestamp time) {
    const auto gauge = [&](const std::string& name, const std::string& help, const auto& of) {
        each(families, all, "projection", name, help, MetricType::Gauge, of);
    };
    using Status = ProjectionStatus;
    gauge("stele_projection_lag_events", "Positions between a projection and the head of the log.",
          [](const Status& status) { return status.lag_events; });
    gauge("stele_projection_lag_seconds", "Age of the first event behind a projection's position.",
          [](const Status& status) { return status.lag_seconds; });
    gauge("stele_projection_skipped_events", "Events that a projection's `on-error skip` has passed over.",
          [](const Status& status) { return status.skipped; });
    gauge("stele_projection_healthy", "Whether a projection is healthy, as `stele health` sees it.",
          [&](const Status& status) { return what_ails(status, limits, time).empty() ? 1 : 0; });
}

}  // namespace

std::string metrics_text(const EventStore& store, const ProjectionRegistry& projections,
                         const ListenerRegistry& listeners, const Runner* runner, const HealthLimits& limits) {
    const auto time = now();
    Families families;
    add(families.begin("stele_events_appended_total", "Events in the log.", MetricType::Counter), {},
        store.head().value());
    if (const auto appends = store.append_durations(); appends.count() > 0) {
        add(families.begin("stele_append_duration_seconds", "How long appends of this process took.",
                           MetricType::Histogram),
            {}, appends);
    }
    const auto listener_states = listener_status(store, listeners);
    add_deliveries(families, listener_states);
    add_listeners(families, listener_states, limits, time);
    if (runner != nullptr) {
        auto& depth = families.begin("stele_queue_depth", "Runs of events that wait for a worker of a queue.",
                                     MetricType::Gauge);
        for (const auto& [queue, runs] : runner->queue_depths()) add(depth, {{"queue", queue}}, runs);
    }
    add_projections(families, projection_status(store, projections), limits, time);
    return families.text();
}

}  // namespace stele
