// The read model of projections/tenant_stats.sql once more, in C++: the same tables, the same rows.
//
//   registry.add(stele::projection<hosting::TenantStats>());
//
// Take it as a pattern where SQL does not suffice: where handlers need your own types, functions and unit tests.
#pragma once

#include <stele/projections/cpp_projection.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hosting {

// The events, as far as this projection reads their data.
struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 2;
};
struct SiteProvisioned {
    static constexpr auto type = "SiteProvisioned";
    static constexpr int version = 1;
    std::int64_t disk_bytes = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteProvisioned, disk_bytes)
};
struct SiteProvisioningFailed {
    static constexpr auto type = "SiteProvisioningFailed";
    static constexpr int version = 1;
};
struct SiteDeleted {
    static constexpr auto type = "SiteDeleted";
    static constexpr int version = 1;
};
struct BackupCreated {
    static constexpr auto type = "BackupCreated";
    static constexpr int version = 1;
    std::string site_id;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(BackupCreated, site_id)
};
struct BackupCompleted {
    static constexpr auto type = "BackupCompleted";
    static constexpr int version = 1;
    std::string site_id;
    std::int64_t size_bytes = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(BackupCompleted, site_id, size_bytes)
};
struct BackupFailed {
    static constexpr auto type = "BackupFailed";
    static constexpr int version = 1;
    std::string site_id;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(BackupFailed, site_id)
};

/// What each tenant has: a row sums up the sites that are there and their backups, and goes with the last site.
class TenantStats {
public:
    static constexpr auto name = "tenant_stats_cpp";
    static constexpr int version = 1;
    stele::ProjectionMode mode = stele::ProjectionMode::async;

    using events = stele::Events<SiteCreated, SiteProvisioned, SiteProvisioningFailed, SiteDeleted, BackupCreated,
                                 BackupCompleted, BackupFailed>;

    static void setup(stele::Model& model) {
        constexpr std::string_view counts =
            "disk_bytes INTEGER NOT NULL DEFAULT 0, backup_bytes INTEGER NOT NULL DEFAULT 0,"
            "backups_running INTEGER NOT NULL DEFAULT 0, backups_completed INTEGER NOT NULL DEFAULT 0,"
            "backups_failed INTEGER NOT NULL DEFAULT 0,";
        model.exec(
            "CREATE TABLE tenant_stats (tenant TEXT PRIMARY KEY, sites_creating INTEGER NOT NULL DEFAULT 0,"
            "sites_active INTEGER NOT NULL DEFAULT 0, sites_failed INTEGER NOT NULL DEFAULT 0," +
            std::string{counts} + "last_activity TEXT NOT NULL) WITHOUT ROWID");
        model.exec("CREATE TABLE sites (tenant TEXT NOT NULL, site_id TEXT NOT NULL, state TEXT NOT NULL," +
                   std::string{counts} + "PRIMARY KEY (tenant, site_id)) WITHOUT ROWID");
    }

    static void on(const SiteCreated&, const stele::Envelope& e, stele::Model& model) {
        model.exec("INSERT INTO sites (tenant, site_id, state) VALUES (?1, ?2, 'creating')", e.stream.tenant(),
                   e.stream.aggregate_id());
        model.exec(
            "INSERT INTO tenant_stats (tenant, sites_creating, last_activity) VALUES (?1, 1, ?2) "
            "ON CONFLICT (tenant) DO UPDATE SET sites_creating = sites_creating + 1, "
            "last_activity = max(last_activity, excluded.last_activity)",
            e.stream.tenant(), e.occurred_at);
    }
    static void on(const SiteProvisioned& site, const stele::Envelope& e, stele::Model& model) {
        change(e.stream.aggregate_id(), e, model, [&](Site& s) {
            s.state = "active";
            s.disk_bytes = site.disk_bytes;
        });
    }
    static void on(const SiteProvisioningFailed&, const stele::Envelope& e, stele::Model& model) {
        change(e.stream.aggregate_id(), e, model, [](Site& s) { s.state = "failed"; });
    }
    static void on(const SiteDeleted&, const stele::Envelope& e, stele::Model& model) {
        change(e.stream.aggregate_id(), e, model, [](Site& s) { s = Site{}; });
    }
    static void on(const BackupCreated& backup, const stele::Envelope& e, stele::Model& model) {
        change(backup.site_id, e, model, [](Site& s) { ++s.backups_running; });
    }
    static void on(const BackupCompleted& backup, const stele::Envelope& e, stele::Model& model) {
        change(backup.site_id, e, model, [&](Site& s) {
            --s.backups_running;
            ++s.backups_completed;
            s.backup_bytes += backup.size_bytes;
        });
    }
    static void on(const BackupFailed& backup, const stele::Envelope& e, stele::Model& model) {
        change(backup.site_id, e, model, [](Site& s) {
            --s.backups_running;
            ++s.backups_failed;
        });
    }

private:
    // A row of `sites`; without a state, there is none.
    struct Site {
        std::string state{};
        std::int64_t disk_bytes = 0;
        std::int64_t backup_bytes = 0;
        std::int64_t backups_running = 0;
        std::int64_t backups_completed = 0;
        std::int64_t backups_failed = 0;

        [[nodiscard]] int is(std::string_view s) const { return state == s ? 1 : 0; }
    };

    // Changes the site, and its tenant's row by the difference. An event about a site that is not there any more,
    // as a backup that ended while its site was being deleted, changes nothing.
    template <class Change>
    static void change(std::string_view site_id, const stele::Envelope& e, stele::Model& model,
                       const Change& change_site) {
        const auto tenant = e.stream.tenant();
        const auto found = find(tenant, site_id, model);
        if (!found) return;
        const Site& before = *found;
        Site after = before;
        change_site(after);

        if (after.state.empty()) {
            model.exec("DELETE FROM sites WHERE tenant = ?1 AND site_id = ?2", tenant, site_id);
        } else {
            model.exec(
                "UPDATE sites SET state = ?3, disk_bytes = ?4, backup_bytes = ?5, backups_running = ?6, "
                "backups_completed = ?7, backups_failed = ?8 WHERE tenant = ?1 AND site_id = ?2",
                tenant, site_id, after.state, after.disk_bytes, after.backup_bytes, after.backups_running,
                after.backups_completed, after.backups_failed);
        }
        model.exec(
            "UPDATE tenant_stats SET sites_creating = sites_creating + ?2, sites_active = sites_active + ?3, "
            "sites_failed = sites_failed + ?4, disk_bytes = disk_bytes + ?5, backup_bytes = backup_bytes + ?6, "
            "backups_running = backups_running + ?7, backups_completed = backups_completed + ?8, "
            "backups_failed = backups_failed + ?9, last_activity = max(last_activity, ?10) WHERE tenant = ?1",
            tenant, after.is("creating") - before.is("creating"), after.is("active") - before.is("active"),
            after.is("failed") - before.is("failed"), after.disk_bytes - before.disk_bytes,
            after.backup_bytes - before.backup_bytes, after.backups_running - before.backups_running,
            after.backups_completed - before.backups_completed, after.backups_failed - before.backups_failed,
            e.occurred_at);
        if (after.state.empty()) {
            model.exec(
                "DELETE FROM tenant_stats WHERE tenant = ?1 AND sites_creating + sites_active + sites_failed = 0",
                tenant);
        }
    }

    static std::optional<Site> find(std::string_view tenant, std::string_view site_id, stele::Model& model) {
        for (const stele::Row& row : model.query(
                 "SELECT state, disk_bytes, backup_bytes, backups_running, backups_completed, backups_failed "
                 "FROM sites WHERE tenant = ?1 AND site_id = ?2",
                 tenant, site_id)) {
            return Site{std::string{row.text(0)}, row.integer(1), row.integer(2),
                        row.integer(3),           row.integer(4), row.integer(5)};
        }
        return std::nullopt;
    }
};

}  // namespace hosting
