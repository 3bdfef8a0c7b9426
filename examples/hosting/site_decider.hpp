// A site as a decider: which commands may do what to it, and what it is after each event.
//
//   stele::CommandHandler<hosting::site::Site> sites{store};
//   sites.handle(stele::StreamId{"acme", "Site", "site-1"}, hosting::site::Order{"example.org", "pro", "fra1"});
//
// Take it as a pattern: plain structs for events and commands, static functions for what follows from what. Its
// tests are in tests/hosting/site_decider_test.cpp.
#pragma once

#include <stele/replay/command_handler.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hosting::site {

// ---- What happens: the events of schemas/, each in its newest version. Those of before become these when they are
// read: schemas/SiteCreated.v1-v2.sql.

struct SiteCreated {
    static constexpr auto type = "SiteCreated";
    static constexpr int version = 2;
    std::string domain;
    std::string plan;
    std::string region;
    int backup_every_days = 1;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteCreated, domain, plan, region, backup_every_days)
};
struct SiteProvisioned {
    static constexpr auto type = "SiteProvisioned";
    static constexpr int version = 1;
    std::string server;
    std::int64_t disk_bytes = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteProvisioned, server, disk_bytes)
};
struct SiteProvisioningFailed {
    static constexpr auto type = "SiteProvisioningFailed";
    static constexpr int version = 1;
    std::string reason;
    int attempt = 1;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteProvisioningFailed, reason, attempt)
};
struct SiteDeleted {
    static constexpr auto type = "SiteDeleted";
    static constexpr int version = 1;
    std::string reason;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(SiteDeleted, reason)
};

// ---- What is asked

struct Order {
    std::string domain;
    std::string plan;
    std::string region;
};
/// The provisioner reports.
struct ReportReady {
    std::string server;
    std::int64_t disk_bytes = 0;
};
struct ReportFailure {
    std::string reason;
};
struct Delete {
    std::string reason;
};

/// The site is not in a state in which this can be.
struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// ---- What follows from what

struct Site {
    static constexpr auto name = "Site";
    static constexpr int version = 2;  // 1: without backup_every_days
    static constexpr auto aggregate_type = "Site";
    using events = stele::Events<SiteCreated, SiteProvisioned, SiteProvisioningFailed, SiteDeleted>;

    static constexpr int most_attempts = 3;

    struct State {
        std::string state = "none";  // creating, active, failed, deleted
        std::string domain;
        int backup_every_days = 0;
        int failed_attempts = 0;
        friend bool operator==(const State&, const State&) = default;
        NLOHMANN_DEFINE_TYPE_INTRUSIVE(State, state, domain, backup_every_days, failed_attempts)
    };

    static State evolve(State, const SiteCreated& created) {
        return {"creating", created.domain, created.backup_every_days, 0};
    }
    static State evolve(State site, const SiteProvisioned&) {
        site.state = "active";
        return site;
    }
    static State evolve(State site, const SiteProvisioningFailed&) {
        site.state = "failed";
        ++site.failed_attempts;
        return site;
    }
    static State evolve(State site, const SiteDeleted&) {
        site.state = "deleted";
        return site;
    }

    static SiteCreated decide(const State& site, const Order& order) {
        if (site.state != "none") throw Refused{"the id was used for " + site.domain};
        return {order.domain, order.plan, order.region, order.plan == "starter" ? 3 : 1};
    }

    /// A provisioner that reports twice is heard once.
    static std::optional<SiteProvisioned> decide(const State& site, const ReportReady& ready) {
        if (site.state == "active") return std::nullopt;
        require_being_made(site);
        return SiteProvisioned{ready.server, ready.disk_bytes};
    }

    /// After so many attempts the site is given up.
    static std::vector<stele::NewEvent> decide(const State& site, const ReportFailure& failure) {
        require_being_made(site);
        const int attempt = site.failed_attempts + 1;
        std::vector<stele::NewEvent> events{stele::event(SiteProvisioningFailed{failure.reason, attempt})};
        if (attempt == most_attempts) events.push_back(stele::event(SiteDeleted{"never_provisioned"}));
        return events;
    }

    static std::optional<SiteDeleted> decide(const State& site, const Delete& deletion) {
        if (site.state == "none") throw Refused{"there is no such site"};
        if (site.state == "deleted") return std::nullopt;
        return SiteDeleted{deletion.reason};
    }

private:
    static void require_being_made(const State& site) {
        if (site.state != "creating" && site.state != "failed") throw Refused{"the site is " + site.state};
    }
};

}  // namespace hosting::site
