// ListenerConfig: the listeners of stele.toml, their queues, and what counts as healthy.
//
//     listeners_enabled = true
//
//     [[listener]]
//     name = "tell_owner"
//     types = ["BackupFailed"]                        # also: tags, aggregate_type, tenant
//     where = "$data(size) > 100"                     # SQL over the event
//     order = "stream"                                # "global", "none", or SQL such as "$data(customer)"
//     mode = "queued"                                 # or "sync"
//     queue = "default"
//     priority = 0
//     attempts = 10
//     delays = ["30s", "60s"]                         # or: retry = { first, factor, longest, jitter }
//     after_last = "dead_letter"                      # "hold" (the key), "stop" (the listener)
//     stop_after_dead = 100
//     breaker = { failures = 5, open = "30s", target = "billing" }
//     deduplicate = { by = "$data(site)", within = "10m" }
//     from = "beginning"                              # "now", a position, a time
//     sink = { type = "log" }                         # sink_settings.hpp
//
//     [[queue]]
//     name = "slow"
//     workers = 2
//     rate = 10.0                                     # deliveries a second
//     priority = 0
//
//     [health]
//     max_lag_events = 10000
//     max_lag_seconds = 60
//     stalled_after = "30s"
//     max_dead = 0
#pragma once

#include "sink_settings.hpp"

#include <stele/projections/health.hpp>
#include <stele/projections/listeners/listener.hpp>

#include <filesystem>
#include <memory>
#include <vector>

namespace stele::tool {

struct DeclaredListener {
    std::shared_ptr<const Listener> listener;
    DeclaredSink sink;
    Place place;
};

struct ListenerConfig {
    bool enabled = true;
    std::vector<DeclaredListener> listeners{};  ///< those that have no mistake, in the order of the file
    std::vector<QueueOptions> queues{};
    HealthLimits health{};
};

/// What the file says, whose folder is `folder`. Notes every mistake in what is about listeners; does not look up
/// secrets.
[[nodiscard]] ListenerConfig read_listener_config(const TomlValue& file, const std::filesystem::path& folder,
                                                  Mistakes& mistakes);

}  // namespace stele::tool
