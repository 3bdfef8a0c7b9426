// The projection of failures where reports arrive late: what makes up for what goes by when things happened.
#include "platform.hpp"

namespace hosting::test {
namespace {

using stele::event;

struct Reports {
    EventStore store = new_store();
    std::vector<EventLine> lines;
    int backups = 0;

    Reports() {
        add({"acme", "Site", "site-1"}, event("SiteCreated", {{"domain", "www.example"}}), "08:00");
        rebuild_all(store);
    }

    void add(const stele::StreamId& stream, stele::NewEvent event, const std::string& time) {
        event.at(stele::parse_rfc3339("2026-01-05T" + time + ":00Z"));
        lines.push_back({stream, std::move(event)});
        append(store, {lines.back()});
    }
    void failed(const std::string& time) {
        add(new_backup(), event("BackupFailed", {{"site_id", "site-1"}, {"reason", "timeout"}}), time);
    }
    void completed(const std::string& time) {
        add(new_backup(), event("BackupCompleted", {{"site_id", "site-1"}, {"size_bytes", 1}, {"seconds", 1}}),
            time);
    }
    stele::StreamId new_backup() { return {"acme", "Backup", "backup-" + std::to_string(++backups)}; }

    // Hours and minutes of each failure and of what made up for it.
    Lines failures() {
        catch_up_all(store);
        CHECK(rows(store, "failures", failures_query) == hosting::test::failures(facts_of(lines)));
        return rows(store, "failures",
                    "SELECT substr(occurred_at, 12, 5), ifnull(resolved_by, 'open'), "
                    "ifnull(substr(resolved_at, 12, 5), '-') FROM failures ORDER BY position");
    }
};

TEST_CASE("a backup that was completed before another one failed does not make up for it", "[hosting][failures]") {
    Reports reports;
    reports.failed("10:00");
    reports.completed("09:00");
    CHECK(reports.failures() == Lines{"10:00 open -"});
    reports.completed("11:00");
    CHECK(reports.failures() == Lines{"10:00 BackupCompleted 11:00"});
    reports.completed("12:00");
    CHECK(reports.failures() == Lines{"10:00 BackupCompleted 11:00"});
}

TEST_CASE("a failure that is reported late is made up for by the newest backup since", "[hosting][failures]") {
    Reports reports;
    reports.completed("12:00");
    reports.completed("11:30");
    reports.failed("10:00");
    reports.failed("11:45");
    reports.failed("12:30");
    CHECK(reports.failures() ==
          Lines{"10:00 BackupCompleted 12:00", "11:45 BackupCompleted 12:00", "12:30 open -"});
}

TEST_CASE("a site that goes takes its failures along and also those that are reported later",
          "[hosting][failures]") {
    Reports reports;
    reports.failed("10:00");
    reports.add({"acme", "Site", "site-1"}, event("SiteDeleted", {{"reason", "customer_request"}}), "11:00");
    reports.failed("10:30");
    CHECK(reports.failures() == Lines{"10:00 SiteDeleted 11:00", "10:30 SiteDeleted 11:00"});
}

}  // namespace
}  // namespace hosting::test
