// Tenants are apart from each other, and a tenant that leaves is gone.
#include "platform.hpp"

#include <set>

namespace hosting::test {
namespace {

using stele::event;
using stele::StreamId;

EventLine line(const StreamId& stream, stele::NewEvent event, std::int64_t minute) {
    event.at(stele::Timestamp{std::chrono::minutes{minute}});
    return {stream, std::move(event)};
}

// Each tenant of `tenants` deletes every site that it has.
std::vector<EventLine> departures(const std::vector<Fact>& facts, const std::set<std::string>& tenants) {
    const auto last = stele::parse_rfc3339(facts.back().occurred_at);
    std::vector<EventLine> lines;
    for (const auto& [site, state] : site_states(facts)) {
        if (state == "deleted" || !tenants.contains(site.first)) continue;
        lines.push_back({StreamId{site.first, "Site", site.second},
                         event("SiteDeleted", {{"reason", "account_closed"}}).by("ada").at(last)});
    }
    return lines;
}

TEST_CASE("tenants that delete all of their sites are gone and the others are as they were", "[hosting][tenants]") {
    const auto seed = GENERATE(21, 22, 23);
    CAPTURE(seed);
    auto store = new_store();
    auto lines = generated({4'000, static_cast<std::uint64_t>(seed), 30});
    append(store, lines);
    rebuild_all(store);
    const auto before = rows(store, "tenant_stats", tenant_stats_query);
    REQUIRE(before.size() > 10);

    std::set<std::string> leaving;
    Lines staying;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (i % 2 == 0) {
            leaving.insert(before[i].substr(0, before[i].find(' ')));
        } else {
            staying.push_back(before[i]);
        }
    }
    const auto deletions = departures(facts_of(lines), leaving);
    append(store, deletions);
    lines.insert(lines.end(), deletions.begin(), deletions.end());
    catch_up_all(store);

    CHECK(rows(store, "tenant_stats", tenant_stats_query) == staying);
    CHECK(rows(store, "tenant_stats",
               "SELECT count(*) FROM sites WHERE tenant NOT IN "
               "(SELECT tenant FROM tenant_stats)") == Lines{"0"});
    check_rows(store, lines);
    rebuild_all(store);
    check_rows(store, lines);

    // And the rest as well.
    std::set<std::string> rest;
    for (const auto& row : staying) rest.insert(row.substr(0, row.find(' ')));
    const auto last_deletions = departures(facts_of(lines), rest);
    append(store, last_deletions);
    lines.insert(lines.end(), last_deletions.begin(), last_deletions.end());
    catch_up_all(store);
    CHECK(rows(store, "tenant_stats", tenant_stats_query).empty());
    CHECK(rows(store, "tenant_stats_cpp", tenant_stats_query).empty());
    CHECK(rows(store, "failures", "SELECT count(*) FROM open_failures") == Lines{"0"});
    check_rows(store, lines);
}

// Site and backup ids are unique within a tenant alone.
TEST_CASE("what happens to one tenant's site leaves another tenant's site of the same id alone",
          "[hosting][tenants]") {
    auto store = new_store();
    std::vector<EventLine> lines;
    for (const auto* const tenant : {"acme", "zephyr"}) {
        const StreamId site{tenant, "Site", "site-1"};
        const StreamId backup{tenant, "Backup", "backup-1"};
        lines.push_back(line(site, event("SiteCreated", {{"domain", "www.example"}}).by("ada"), 1));
        lines.push_back(
            line(site, event("SiteProvisioningFailed", {{"reason", "no_capacity"}, {"attempt", 1}}), 2));
        lines.push_back(line(backup, event("BackupCreated", {{"site_id", "site-1"}, {"kind", "manual"}}), 4));
        lines.push_back(line(backup, event("BackupFailed", {{"site_id", "site-1"}, {"reason", "timeout"}}), 5));
    }
    append(store, lines);
    rebuild_all(store);
    const std::string zephyrs_stats = "zephyr 0 0 1 0 0 0 0 1 1970-01-01T00:05:00.000000Z";
    const Lines zephyrs_failures{"6 provisioning zephyr site-1", "8 backup zephyr site-1"};
    const auto zephyr_is_as_it_was = [&] {
        for (const auto* const name : {"tenant_stats", "tenant_stats_cpp"}) {
            CAPTURE(name);
            const auto stats = rows(store, name, tenant_stats_query);
            CHECK(stats.back() == zephyrs_stats);
            CHECK(rows(store, name, "SELECT state FROM sites WHERE tenant = 'zephyr'") == Lines{"failed"});
        }
        CHECK(rows(store, "failures",
                   "SELECT position, kind, tenant, site_id FROM open_failures WHERE tenant = 'zephyr' "
                   "ORDER BY position") == zephyrs_failures);
        check_rows(store, lines);
    };
    zephyr_is_as_it_was();

    const auto to_acme = [&](const char* type, const char* id, stele::NewEvent event, std::int64_t minute) {
        const std::vector<EventLine> one{line(StreamId{"acme", type, id}, std::move(event), minute)};
        append(store, one);
        lines.push_back(one.front());
        catch_up_all(store);
        zephyr_is_as_it_was();
    };
    to_acme("Site", "site-1", event("SiteProvisioned", {{"server", "fra1-web-1"}, {"disk_bytes", 4096}}), 10);
    to_acme("Backup", "backup-2", event("BackupCreated", {{"site_id", "site-1"}, {"kind", "retry"}}), 11);
    to_acme("Backup", "backup-2",
            event("BackupCompleted", {{"site_id", "site-1"}, {"size_bytes", 512}, {"seconds", 3}}), 12);
    CHECK(rows(store, "tenant_stats", tenant_stats_query).front() ==
          "acme 0 1 0 4096 512 0 1 1 1970-01-01T00:12:00.000000Z");
    CHECK(rows(store, "failures", "SELECT count(*) FROM open_failures WHERE tenant = 'acme'") == Lines{"0"});

    to_acme("Site", "site-1", event("SiteDeleted", {{"reason", "customer_request"}}), 20);
    CHECK(rows(store, "tenant_stats", tenant_stats_query) == Lines{zephyrs_stats});
}

TEST_CASE("a report about a site that is gone brings no row back", "[hosting][tenants]") {
    auto store = new_store();
    const StreamId site{"acme", "Site", "site-1"};
    const StreamId backup{"acme", "Backup", "backup-1"};
    const std::vector<EventLine> lines{
        line(site, event("SiteCreated", {{"domain", "www.example"}}), 1),
        line(site, event("SiteProvisioned", {{"server", "fra1-web-1"}, {"disk_bytes", 4096}}), 2),
        line(backup, event("BackupCreated", {{"site_id", "site-1"}, {"kind", "manual"}}), 3),
        line(site, event("SiteDeleted", {{"reason", "customer_request"}}), 4),
        line(backup, event("BackupFailed", {{"site_id", "site-1"}, {"reason", "timeout"}}), 3),
        line({"acme", "Backup", "backup-2"}, event("BackupCreated", {{"site_id", "site-1"}, {"kind", "retry"}}), 5),
    };
    append(store, lines);
    rebuild_all(store);
    CHECK(rows(store, "tenant_stats", tenant_stats_query).empty());
    CHECK(rows(store, "failures", "SELECT resolved_by FROM failures") == Lines{"SiteDeleted"});
    check_rows(store, lines);
}

TEST_CASE("a tenant that comes back begins anew", "[hosting][tenants]") {
    auto store = new_store();
    const std::vector<EventLine> lines{
        line({"acme", "Site", "site-1"}, event("SiteCreated", {{"domain", "www.example"}}), 9),
        line({"acme", "Site", "site-1"}, event("SiteDeleted", {{"reason", "customer_request"}}), 9),
        line({"acme", "Site", "site-2"}, event("SiteCreated", {{"domain", "www.example"}}), 5),
    };
    append(store, lines);
    rebuild_all(store);
    // The last activity is that of the sites since, although an event of the time before is later.
    CHECK(rows(store, "tenant_stats", tenant_stats_query) ==
          Lines{"acme 1 0 0 0 0 0 0 0 1970-01-01T00:05:00.000000Z"});
    check_rows(store, lines);
}

}  // namespace
}  // namespace hosting::test
