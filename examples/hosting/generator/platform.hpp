// Platform: the simulation behind the generator. A queue of what is going to happen, by the time at which it
// reaches the log; each thing that happens writes an event or none, and puts what follows from it into the queue.
#pragma once

#include "random.hpp"

#include <stele/schema/event_json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hosting {

using stele::Timestamp;

struct User {
    std::string name;
    std::string ip;
};

struct Site;

struct Tenant {
    std::string name;
    std::vector<User> users;
    std::vector<std::shared_ptr<Site>> sites;  ///< that are there
    std::int64_t wanted = 0;                   ///< how many it means to have
    std::int64_t sites_so_far = 0;
    std::int64_t backups_so_far = 0;
};

/// Kept as long as it is there or something is going to happen to it.
struct Site {
    enum class State { creating, active, failed, deleted };

    Tenant& tenant;
    std::string id;
    std::string plan{};
    std::string region{};
    std::int64_t backup_every_days = 1;
    std::string server{};
    std::int64_t disk_bytes = 0;
    State state = State::creating;
    Timestamp deleted_at{};
};

/// What an event comes of: the members of metadata that tie events together.
struct Cause {
    std::string request;  ///< correlation_id: the same for all that comes of one request
    std::string event;    ///< causation_id; empty: somebody from outside, or a clock
};

class Platform {
public:
    Platform(std::uint64_t seed, std::int64_t tenants);
    ~Platform();
    Platform(const Platform&) = delete;  // what is planned refers to this
    Platform& operator=(const Platform&) = delete;

    /// Never ends.
    [[nodiscard]] stele::EventLine next();

private:
    using Seconds = std::chrono::seconds;
    using SitePtr = std::shared_ptr<Site>;

    struct Action {
        Timestamp at;
        std::int64_t number;  ///< of two at the same time, the one that was planned first
        std::function<void()> run;
    };
    struct Later {
        bool operator()(const Action& a, const Action& b) const noexcept {
            return a.at != b.at ? a.at > b.at : a.number > b.number;
        }
    };

    // Tenants and their users.
    void found_tenant(std::int64_t number);
    void visit(Tenant& tenant);
    void leave(Tenant& tenant, const User& user);

    // Sites.
    void order_site(Tenant& tenant, const User& user);
    void provision(const SitePtr& site, int attempt, const Cause& cause);
    void end_provisioning(const SitePtr& site, int attempt, Timestamp occurred, const Cause& cause);
    void set_up(const SitePtr& site, Timestamp occurred, const Cause& cause);
    void give_up(const SitePtr& site);
    void delete_site(const SitePtr& site, std::string_view reason, const User& user, const std::string& request);

    // Backups.
    void plan_nightly(const SitePtr& site);
    void start_backup(const SitePtr& site, std::string_view kind, const std::string& metadata,
                      const std::string& request);
    void end_backup(const SitePtr& site, const std::string& id, bool may_retry, Timestamp started,
                    const Cause& cause, Timestamp occurred);

    // Writing. Returns the event's id, as text: what comes of the event names it.
    std::string write(const Site& site, std::string_view aggregate_type, const std::string& aggregate_id,
                      std::string_view type, Timestamp occurred, std::string data, std::string metadata,
                      int schema_version = 1);
    [[nodiscard]] std::string by_user(const User& user, const std::string& request);
    [[nodiscard]] stele::EventId new_id(Timestamp time);
    [[nodiscard]] std::string new_request();

    // Time.
    void plan(Timestamp at, std::function<void()> run);
    [[nodiscard]] Timestamp in(Seconds least, Seconds most);
    [[nodiscard]] Timestamp in_working_hours(std::int64_t days);
    [[nodiscard]] Timestamp reported(Timestamp occurred);

    Random random_;
    std::vector<std::unique_ptr<Tenant>> tenants_;
    std::vector<Action> planned_;  ///< a heap, the next one first
    std::int64_t planned_so_far_ = 0;
    Timestamp now_;
    std::optional<stele::EventLine> written_;  ///< by the action that runs
};

}  // namespace hosting
