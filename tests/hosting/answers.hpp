// What the projections of examples/hosting have to hold, computed from the events by plain loops and maps. Nothing
// here goes through a store, SQL, or the code of the example.
#pragma once

#include <stele/schema/event_json.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace hosting::test {

using Lines = std::vector<std::string>;

/// An event as the answers need it.
struct Fact {
    std::int64_t position = 0;
    std::string tenant;
    std::string aggregate_type;
    std::string aggregate_id;
    std::string type;
    std::string occurred_at;
    std::string data_text;
    nlohmann::json data;
    nlohmann::json metadata;

    /// The site that it is about.
    [[nodiscard]] std::string site_id() const;
};

/// The events at positions 1, 2, 3, …
[[nodiscard]] std::vector<Fact> facts_of(const std::vector<stele::EventLine>& lines);

// The rows of each projection, their columns joined by blanks as stele::test::rows() does it, in the order of the
// query beside them.

inline constexpr auto tenant_stats_query =
    "SELECT tenant, sites_creating, sites_active, sites_failed, disk_bytes, backup_bytes, backups_running, "
    "backups_completed, backups_failed, last_activity FROM tenant_stats ORDER BY tenant";
[[nodiscard]] Lines tenant_stats(const std::vector<Fact>& facts);

inline constexpr auto audit_log_query =
    "SELECT position, occurred_at, actor, ip, client, type, tenant, aggregate_type, aggregate_id, correlation_id, "
    "data "
    "FROM audit_log ORDER BY position";
[[nodiscard]] Lines audit_log(const std::vector<Fact>& facts);

inline constexpr auto event_volume_query = "SELECT minute, type, events FROM event_volume ORDER BY minute, type";
[[nodiscard]] Lines event_volume(const std::vector<Fact>& facts);

inline constexpr auto failures_query =
    "SELECT position, kind, tenant, site_id, aggregate_id, reason, occurred_at, correlation_id, resolved_by, "
    "resolved_at "
    "FROM failures ORDER BY position";
[[nodiscard]] Lines failures(const std::vector<Fact>& facts);

/// The state in which each site is at the end: creating, active, failed or deleted; by tenant and site id.
[[nodiscard]] std::map<std::pair<std::string, std::string>, std::string> site_states(
    const std::vector<Fact>& facts);

}  // namespace hosting::test
