// Metrics: what a store, its projections and its listeners do, in the text format of Prometheus
// (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4).
//
// Nearly all of it is read from what is on disk, so that any process can say it of all others: positions, lags,
// counts of deliveries, dead letters. What only the process itself knows is there where it asks for itself: how
// long its appends took, and how much waits in the queues of its runner.
//
//   stele_events_appended_total                                   the log's head
//   stele_append_duration_seconds                                 histogram; of this process
//   stele_events_dispatched_total           {listener}            events taken up
//   stele_deliveries_executed_total         {listener}            attempts, whatever came of them
//   stele_deliveries_succeeded_total        {listener}
//   stele_deliveries_failed_total           {listener, cause}
//   stele_deliveries_retried_total          {listener}
//   stele_deliveries_dead_total             {listener, cause}     dead letters made
//   stele_deliveries_deduplicated_total     {listener}
//   stele_delivery_duration_seconds         {listener}            histogram, of attempts
//   stele_listener_lag_events, _seconds     {listener}
//   stele_listener_parked_events, _keys, stele_listener_under_way_events, stele_dead_letters  {listener}
//   stele_listener_position_age_seconds     {listener}            since the position was last stored
//   stele_listener_healthy                  {listener}            1 or 0
//   stele_listener_breaker_open             {listener, target}    0 closed, 1 open, 0.5 trying
//   stele_listener_owner_info               {listener, owner}     1
//   stele_queue_depth                       {queue}               runs that wait for a worker; of this process
//   stele_projection_lag_events, _seconds, stele_projection_healthy, stele_projection_skipped_events  {projection}
#pragma once

#include <stele/projections/health.hpp>
#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/projections/projection_registry.hpp>
#include <stele/projections/runner.hpp>
#include <stele/store/event_store.hpp>

#include <string>

namespace stele {

/// The text of all metrics. `runner`, where there is one, is asked for its queues; `limits` say what is healthy.
/// Disturbs nobody and writes nothing. Threads: any. Throws StoreError where the log or control.db cannot be read.
[[nodiscard]] std::string metrics_text(const EventStore& store, const ProjectionRegistry& projections,
                                       const ListenerRegistry& listeners, const Runner* runner = nullptr,
                                       const HealthLimits& limits = {});

}  // namespace stele
