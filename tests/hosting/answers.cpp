#include "answers.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace hosting::test {
namespace {

std::string join(const Lines& columns) {
    std::string line;
    for (const auto& column : columns) line += (line.empty() ? "" : " ") + column;
    return line;
}

std::string text_or_null(const nlohmann::json& object, const char* member) {
    return object.contains(member) ? object.at(member).get<std::string>() : "NULL";
}

using SiteKey = std::pair<std::string, std::string>;

std::map<SiteKey, std::vector<const Fact*>> by_site(const std::vector<Fact>& facts) {
    std::map<SiteKey, std::vector<const Fact*>> sites;
    for (const auto& fact : facts) sites[{fact.tenant, fact.site_id()}].push_back(&fact);
    return sites;
}

// The event that makes up for a provisioning that failed: the next one that ends the story.
const Fact* maker_up_of_provisioning(const Fact& failed, const std::vector<const Fact*>& of_site) {
    for (const Fact* fact : of_site) {
        if (fact->position < failed.position) continue;
        if (fact->type == "SiteProvisioned" || fact->type == "SiteDeleted") return fact;
    }
    return nullptr;
}

// The event that makes up for a backup that failed. What was known before the failure was reported comes first.
const Fact* maker_up_of_backup(const Fact& failed, const std::vector<const Fact*>& of_site) {
    const Fact* newest_before = nullptr;
    for (const Fact* fact : of_site) {
        if (fact->position > failed.position) break;
        if (fact->type == "SiteDeleted") return fact;
        if (fact->type != "BackupCompleted" || fact->occurred_at < failed.occurred_at) continue;
        if (newest_before == nullptr || newest_before->occurred_at < fact->occurred_at) newest_before = fact;
    }
    if (newest_before != nullptr) return newest_before;
    for (const Fact* fact : of_site) {
        if (fact->position < failed.position) continue;
        if (fact->type == "SiteDeleted") return fact;
        if (fact->type == "BackupCompleted" && fact->occurred_at >= failed.occurred_at) return fact;
    }
    return nullptr;
}

}  // namespace

std::string Fact::site_id() const {
    return aggregate_type == "Site" ? aggregate_id : data.at("site_id").get<std::string>();
}

std::vector<Fact> facts_of(const std::vector<stele::EventLine>& lines) {
    std::vector<Fact> facts;
    facts.reserve(lines.size());
    for (const auto& [stream, event] : lines) {
        facts.push_back({static_cast<std::int64_t>(facts.size()) + 1, std::string{stream.tenant()},
                         std::string{stream.aggregate_type()}, std::string{stream.aggregate_id()}, event.type,
                         stele::to_rfc3339(event.occurred_at.value()), event.data.text(), event.data.value(),
                         event.metadata.value()});
    }
    return facts;
}

std::map<SiteKey, std::string> site_states(const std::vector<Fact>& facts) {
    static const std::map<std::string, std::string> state_after{{"SiteCreated", "creating"},
                                                                {"SiteProvisioned", "active"},
                                                                {"SiteProvisioningFailed", "failed"},
                                                                {"SiteDeleted", "deleted"}};
    std::map<SiteKey, std::string> states;
    for (const auto& fact : facts) {
        if (fact.aggregate_type == "Site") states[{fact.tenant, fact.aggregate_id}] = state_after.at(fact.type);
    }
    return states;
}

Lines tenant_stats(const std::vector<Fact>& facts) {
    struct Site {
        std::string state = "creating";
        std::int64_t disk_bytes = 0;
        std::vector<std::int64_t> backup_sizes;
        std::set<std::string> running;
        int failed = 0;
    };
    struct Tenant {
        std::map<std::string, Site> sites;
        std::string last_activity;
    };
    std::map<std::string, Tenant> tenants;
    for (const auto& fact : facts) {
        auto& tenant = tenants[fact.tenant];
        if (fact.type == "SiteCreated") tenant.sites.emplace(fact.aggregate_id, Site{});
        const auto found = tenant.sites.find(fact.site_id());
        if (found == tenant.sites.end()) continue;
        auto& site = found->second;
        tenant.last_activity = std::max(tenant.last_activity, fact.occurred_at);
        if (fact.type == "SiteProvisioned") {
            site.state = "active";
            site.disk_bytes = fact.data.at("disk_bytes").get<std::int64_t>();
        } else if (fact.type == "SiteProvisioningFailed") {
            site.state = "failed";
        } else if (fact.type == "BackupCreated") {
            site.running.insert(fact.aggregate_id);
        } else if (fact.type == "BackupCompleted") {
            site.running.erase(fact.aggregate_id);
            site.backup_sizes.push_back(fact.data.at("size_bytes").get<std::int64_t>());
        } else if (fact.type == "BackupFailed") {
            site.running.erase(fact.aggregate_id);
            ++site.failed;
        } else if (fact.type == "SiteDeleted") {
            tenant.sites.erase(found);
            if (tenant.sites.empty()) tenants.erase(fact.tenant);
        }
    }

    Lines lines;
    for (const auto& [name, tenant] : tenants) {
        if (tenant.sites.empty()) continue;  // only events about sites that are not there
        std::map<std::string, int> states;
        std::int64_t disk_bytes = 0, backup_bytes = 0;
        std::size_t running = 0, completed = 0;
        int failed = 0;
        for (const auto& [id, site] : tenant.sites) {
            ++states[site.state];
            disk_bytes += site.disk_bytes;
            for (const auto size : site.backup_sizes) backup_bytes += size;
            running += site.running.size();
            completed += site.backup_sizes.size();
            failed += site.failed;
        }
        lines.push_back(join({name, std::to_string(states["creating"]), std::to_string(states["active"]),
                              std::to_string(states["failed"]), std::to_string(disk_bytes),
                              std::to_string(backup_bytes), std::to_string(running), std::to_string(completed),
                              std::to_string(failed), tenant.last_activity}));
    }
    return lines;
}

Lines audit_log(const std::vector<Fact>& facts) {
    Lines lines;
    for (const auto& fact : facts) {
        lines.push_back(join({std::to_string(fact.position), fact.occurred_at, text_or_null(fact.metadata, "actor"),
                              text_or_null(fact.metadata, "ip"), text_or_null(fact.metadata, "client"), fact.type,
                              fact.tenant, fact.aggregate_type, fact.aggregate_id,
                              text_or_null(fact.metadata, "correlation_id"), fact.data_text}));
    }
    return lines;
}

Lines event_volume(const std::vector<Fact>& facts) {
    std::map<std::pair<std::string, std::string>, int> counts;
    for (const auto& fact : facts) ++counts[{fact.occurred_at.substr(0, 16) + "Z", fact.type}];
    Lines lines;
    for (const auto& [key, count] : counts) lines.push_back(join({key.first, key.second, std::to_string(count)}));
    return lines;
}

Lines failures(const std::vector<Fact>& facts) {
    const auto sites = by_site(facts);
    Lines lines;
    for (const auto& fact : facts) {
        const bool is_backup = fact.type == "BackupFailed";
        if (!is_backup && fact.type != "SiteProvisioningFailed") continue;
        const auto& of_site = sites.at({fact.tenant, fact.site_id()});
        const Fact* by = is_backup ? maker_up_of_backup(fact, of_site) : maker_up_of_provisioning(fact, of_site);
        lines.push_back(join({std::to_string(fact.position), is_backup ? "backup" : "provisioning", fact.tenant,
                              fact.site_id(), fact.aggregate_id, fact.data.at("reason").get<std::string>(),
                              fact.occurred_at, text_or_null(fact.metadata, "correlation_id"),
                              by == nullptr ? "NULL" : by->type, by == nullptr ? "NULL" : by->occurred_at}));
    }
    return lines;
}

}  // namespace hosting::test
