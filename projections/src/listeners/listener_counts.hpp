// What a listener's row in control.db says in JSON: what it has done, how its breaker is, and what is under way.
//
//   counts     {"dispatched":3,"delivered":2,"failed":1,"retried":0,"dead":0,"deduplicated":0,
//               "failed_by_cause":{"timeout":1},"dead_by_cause":{},
//               "durations":{"counts":[15 numbers],"sum":0.25}}
//   breaker    {"target":"crm","state":"open","failures":5,"until":1767607200000000,"error":"…"}; until:
//   microseconds
//              since 1970, left out where there is none; the whole is {} where the listener has no breaker
//   under_way  [90112,1,5]: the first position, then the distance to each next one
//
// What is missing counts as nothing, so that a row that another version wrote can be read. Text that is no such
// JSON is a StoreError "control_file".
#pragma once

#include <stele/projections/listeners/listener_status.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

[[nodiscard]] std::string counts_json(const ListenerCounts& counts);
[[nodiscard]] ListenerCounts counts_of(std::string_view json);

[[nodiscard]] std::string breaker_json(const std::optional<BreakerStatus>& breaker);
[[nodiscard]] std::optional<BreakerStatus> breaker_of(std::string_view json);

/// Requires  `positions` rise.
[[nodiscard]] std::string under_way_json(const std::vector<Position>& positions);
/// Ascending.
[[nodiscard]] std::vector<Position> under_way_of(std::string_view json);

}  // namespace stele
