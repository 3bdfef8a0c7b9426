// The site of examples/hosting as a decider: what it decides, and that it folds the generator's history to the
// states that aggregates/Site.sql gives.
#include <generator.hpp>
#include <site_decider.hpp>
#include <stele/replay/replay.hpp>
#include <stele/testing/decider_scenario.hpp>
#include <stele/testing/temporary_store.hpp>

namespace {

using namespace hosting::site;
using stele::testing::given;

const SiteCreated created{"example.org", "pro", "fra1", 1};
const SiteProvisioned provisioned{"web-7", 1'000};

SiteProvisioningFailed failed(int attempt) { return {"no_capacity", attempt}; }

TEST_CASE("a site is ordered once under an id", "[hosting][decider]") {
    given<Site>().when(Order{"example.org", "pro", "fra1"}).then(created);
    given<Site>().when(Order{"a.example", "starter", "fra1"}).then(SiteCreated{"a.example", "starter", "fra1", 3});
    given<Site>(created).when(Order{"b.example", "pro", "fra1"}).then_error<Refused>("used for example.org");
    given<Site>(created, SiteDeleted{"customer_request"})
        .when(Order{"b.example", "pro", "fra1"})
        .then_error<Refused>();
}

TEST_CASE("a provisioner that reports twice is heard once", "[hosting][decider]") {
    given<Site>(created).when(ReportReady{"web-7", 1'000}).then(provisioned);
    given<Site>(created, failed(1)).when(ReportReady{"web-7", 1'000}).then(provisioned);
    given<Site>(created, provisioned).when(ReportReady{"web-7", 1'000}).then_nothing();
    given<Site>().when(ReportReady{"web-7", 1'000}).then_error<Refused>("the site is none");
}

TEST_CASE("a site that fails for the third time is given up", "[hosting][decider]") {
    given<Site>(created).when(ReportFailure{"no_capacity"}).then(failed(1));
    given<Site>(created, failed(1), failed(2))
        .when(ReportFailure{"no_capacity"})
        .then(failed(3), SiteDeleted{"never_provisioned"});
    given<Site>(created, provisioned).when(ReportFailure{"no_capacity"}).then_error<Refused>("the site is active");
}

TEST_CASE("a site is deleted once", "[hosting][decider]") {
    given<Site>(created, provisioned).when(Delete{"customer_request"}).then(SiteDeleted{"customer_request"});
    given<Site>(created, SiteDeleted{"customer_request"}).when(Delete{"customer_request"}).then_nothing();
    given<Site>().when(Delete{"customer_request"}).then_error<Refused>("no such site");
}

TEST_CASE("commands write a history that the aggregate file understands", "[hosting][decider]") {
    stele::testing::TemporaryStore store;
    stele::CommandHandler<Site> sites{store};
    const stele::StreamId site{"acme", "Site", "site-1"};
    sites.handle(site, Order{"example.org", "pro", "fra1"}, {.by = "ann"});
    sites.handle(site, ReportFailure{"no_capacity"}, {.by = "provisioner"});
    sites.handle(site, ReportReady{"web-7", 1'000}, {.by = "provisioner"});

    const auto aggregates = stele::AggregateRegistry::load(HOSTING "/aggregates");
    const auto state = stele::replay(store, site, aggregates).json.value();
    CHECK(state.at("state") == "active");
    CHECK(state.at("created_by") == "ann");
    CHECK(state.at("failed_attempts") == sites.load(site).state.failed_attempts);
}

TEST_CASE("decider and aggregate file fold a generated history alike", "[hosting][decider]") {
    stele::testing::TemporaryStore store;
    for (const auto& line : hosting::generate({.events = 2'000, .seed = 5, .tenants = 10}))
        store->append(line.stream, stele::expect::any, {line.event});
    const auto aggregates = stele::AggregateRegistry::load(HOSTING "/aggregates");
    stele::CommandHandler<Site> sites{store};
    int compared = 0;
    store->streams([&](const stele::StreamInfo& info) {
        if (info.stream.aggregate_type() != "Site") return true;
        const auto by_file = stele::replay(store, info.stream, aggregates).json.value();
        const auto by_decider = sites.load(info.stream).state;
        CAPTURE(info.stream);
        CHECK(by_decider.state == by_file.at("state"));
        CHECK(by_decider.domain == by_file.at("domain"));
        CHECK(by_decider.backup_every_days == by_file.at("backup_every_days"));
        CHECK(by_decider.failed_attempts == by_file.at("failed_attempts"));
        ++compared;
        return true;
    });
    CHECK(compared > 50);
}

}  // namespace
