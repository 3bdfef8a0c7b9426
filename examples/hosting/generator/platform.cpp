#include "platform.hpp"

#include <algorithm>
#include <array>
#include <utility>

// Every random number is drawn in a statement of its own: in which order a compiler evaluates the operands of one
// expression is its own affair, and would be in the events.

namespace hosting {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr Timestamp beginning = std::chrono::sys_days{std::chrono::year{2026} / 1 / 5} + 7h;  // a Monday

constexpr std::array first_words{"amber",  "birch",   "cedar",  "delta",  "ember", "fjord",  "grove", "harbor",
                                 "indigo", "juniper", "kite",   "lumen",  "maple", "north",  "ocean", "pine",
                                 "quill",  "river",   "silver", "timber", "umbra", "valley", "west",  "yarrow",
                                 "zephyr", "alder",   "bright", "copper", "dune",  "east",   "field", "granite",
                                 "hazel",  "iron",    "jade",   "keel",   "lake",  "mist",   "noble", "opal"};
constexpr std::array second_words{
    "press", "labs",  "bakery", "studio", "works",  "books",  "foods",   "media",   "garden", "travel",
    "tools", "music", "optics", "sports", "print",  "yoga",   "legal",   "dental",  "motors", "films",
    "farm",  "toys",  "pharma", "paints", "boats",  "wines",  "coffee",  "textile", "metal",  "glass",
    "stone", "radio", "health", "school", "energy", "bikes",  "watches", "shoes",   "lamps",  "maps",
    "games", "art",   "dance",  "dogs",   "bees",   "trains", "salt",    "roofs",   "doors",  "clay"};
constexpr std::array user_names{"ada",  "ben",   "carla", "dmitri", "elif", "farid", "greta", "hugo",
                                "ines", "jonas", "kim",   "lea",    "mara", "nils",  "olga",  "pablo"};
constexpr std::array clients{"dashboard", "dashboard", "dashboard", "api", "cli"};
constexpr std::array regions{"ams1", "fra1", "nyc1", "sgp1"};
constexpr std::array plans{"starter", "starter", "starter", "pro", "pro", "business"};
constexpr std::array provisioning_failures{"no_capacity", "dns_timeout", "image_missing", "quota_exceeded"};
constexpr std::array backup_failures{"timeout", "timeout", "connection_lost", "disk_full"};
constexpr int attempts_at_provisioning = 3;

// Each number up to 2,000 has a name of two words to itself.
std::string tenant_name(std::int64_t number) {
    if (number == 0) return "acme";
    const auto first = static_cast<std::size_t>(number % 40);
    const auto second = static_cast<std::size_t>((number * 7 + number / 40) % 50);
    std::string name = std::string{first_words[first]} + "-" + second_words[second];
    if (number >= 2'000) name += "-" + std::to_string(number / 2'000 + 1);
    return name;
}

std::string hex(std::uint64_t bits, int digits) {
    static constexpr auto symbols = "0123456789abcdef";
    std::string text;
    for (int digit = digits - 1; digit >= 0; --digit) text += symbols[(bits >> (4 * digit)) & 0xFU];
    return text;
}

bool is_weekend(Timestamp time) {
    const std::chrono::weekday day{std::chrono::floor<days>(time)};
    return day == std::chrono::Saturday || day == std::chrono::Sunday;
}

std::string by_machine(const std::string& actor, std::string_view ip, const Cause& cause) {
    std::string json = R"({"actor":")" + actor + R"(","ip":")";
    json.append(ip).append(R"(","client":"worker","correlation_id":")").append(cause.request);
    if (!cause.event.empty()) json.append(R"(","causation_id":")").append(cause.event);
    return json += "\"}";
}

std::string scheduler(const std::string& request) { return by_machine("scheduler", "10.0.0.2", {request, ""}); }

// Servers are numbered from 1 to 40 in each region.
std::string agent_of(const Site& site, const Cause& cause) {
    const auto* const region = std::find(regions.begin(), regions.end(), site.region);
    const auto ip = "10." + std::to_string(region - regions.begin() + 1) + ".1." + site.server.substr(9);
    return by_machine("agent@" + site.server, ip, cause);
}

}  // namespace

Platform::Platform(std::uint64_t seed, std::int64_t tenants) : random_(seed), now_(beginning) {
    for (std::int64_t number = 0; number < tenants; ++number) found_tenant(number);
}
Platform::~Platform() = default;

stele::EventLine Platform::next() {
    written_.reset();
    while (!written_) {
        std::pop_heap(planned_.begin(), planned_.end(), Later{});
        const Action action = std::move(planned_.back());
        planned_.pop_back();
        now_ = action.at;
        action.run();
    }
    return std::move(*written_);
}

// ---- Tenants and their users

void Platform::found_tenant(std::int64_t number) {
    auto& tenant = *tenants_.emplace_back(std::make_unique<Tenant>());
    tenant.name = tenant_name(number);

    // Addresses are from the ranges that are kept for documentation.
    static constexpr std::array networks{"203.0.113.", "198.51.100.", "192.0.2.", "2001:db8::"};
    auto name = static_cast<std::size_t>(random_.below(std::ssize(user_names)));
    for (auto left = random_.between(1, 5); left > 0; --left) {
        std::string ip = random_.one_of(networks);
        ip += std::to_string(random_.between(1, 254));
        tenant.users.push_back({std::string{user_names[name]} + "@" + tenant.name + ".example", std::move(ip)});
        name = (name + 1) % user_names.size();
    }

    // Most tenants are small, and a few are large.
    const auto size = random_.below(100);
    tenant.wanted = size < 60   ? random_.between(1, 3)
                    : size < 90 ? random_.between(4, 12)
                    : size < 99 ? random_.between(13, 40)
                                : random_.between(41, 120);
    plan(number == 0 ? beginning : in_working_hours(random_.below(7)), [this, &tenant] { visit(tenant); });
}

// Somebody of the tenant looks after their sites, and comes again.
void Platform::visit(Tenant& tenant) {
    const User& user = random_.one_of(tenant.users);
    const auto comes_again = [&](Timestamp at) { plan(at, [this, &tenant] { visit(tenant); }); };

    if (std::ssize(tenant.sites) < tenant.wanted || random_.one_in(8)) {
        order_site(tenant, user);
        const bool goes_on = std::ssize(tenant.sites) < tenant.wanted && !random_.one_in(4);
        return comes_again(goes_on ? in(2min, 40min) : in_working_hours(random_.between(1, 3)));
    }
    const SitePtr site = random_.one_of(tenant.sites);
    switch (random_.below(6)) {
        case 0:
            if (site->state != Site::State::creating) delete_site(site, "customer_request", user, new_request());
            break;
        case 1:
        case 2: {
            const auto request = new_request();
            start_backup(site, "manual", by_user(user, request), request);
            break;
        }
        case 3:
            if (!random_.one_in(5)) break;
            leave(tenant, user);
            return comes_again(in_working_hours(random_.between(5, 30)));
        default:
            break;
    }
    comes_again(in_working_hours(random_.between(1, 3)));
}

// Deletes all sites, in one request, a quarter of an hour after a last backup of some. Not while one is being set
// up.
void Platform::leave(Tenant& tenant, const User& user) {
    for (const auto& site : tenant.sites) {
        if (site->state == Site::State::creating) return;
    }
    const auto request = new_request();
    auto at = now_;
    for (const auto& site : tenant.sites) {
        at += 700ms;
        if (random_.one_in(2)) {
            plan(at, [=, this, &user] { start_backup(site, "manual", by_user(user, request), request); });
        }
        plan(at + 15min, [=, this, &user] { delete_site(site, "account_closed", user, request); });
    }
    tenant.wanted = random_.between(1, 6);
}

// ---- Sites

void Platform::order_site(Tenant& tenant, const User& user) {
    auto site = std::make_shared<Site>(Site{tenant, "site-" + std::to_string(++tenant.sites_so_far)});
    site->plan = random_.one_of(plans);
    site->region = random_.one_of(regions);
    site->backup_every_days = site->plan == "starter" ? 3 : 1;
    tenant.sites.push_back(site);

    static constexpr std::array hosts{"www", "shop", "blog", "docs", "status", "intranet"};
    const auto number = tenant.sites_so_far;
    const std::string host = hosts[static_cast<std::size_t>(number - 1) % hosts.size()];
    const auto domain = host + (number > std::ssize(hosts) ? std::to_string(number) : "") + "." + tenant.name;
    const auto request = new_request();
    const auto created =
        write(*site, "Site", site->id, "SiteCreated", now_,
              R"({"domain":")" + domain + R"(.example","plan":")" + site->plan + R"(","region":")" + site->region +
                  R"(","backup_every_days":)" + std::to_string(site->backup_every_days) + "}",
              by_user(user, request), 2);
    provision(site, 1, {request, created});
}

void Platform::provision(const SitePtr& site, int attempt, const Cause& cause) {
    const auto done = in(20s, 180s);
    plan(reported(done), [=, this] { end_provisioning(site, attempt, done, cause); });
}

void Platform::end_provisioning(const SitePtr& site, int attempt, Timestamp occurred, const Cause& cause) {
    if (site->state == Site::State::deleted) return;
    if (!random_.one_in(10)) return set_up(site, occurred, cause);

    site->state = Site::State::failed;
    const std::string reason = random_.one_of(provisioning_failures);
    const auto failed = write(*site, "Site", site->id, "SiteProvisioningFailed", occurred,
                              R"({"reason":")" + reason + R"(","attempt":)" + std::to_string(attempt) + "}",
                              by_machine("provisioner@" + site->region, "10.0.0.3", cause));
    if (attempt == attempts_at_provisioning) {
        return plan(in_working_hours(random_.between(1, 2)), [this, site] { give_up(site); });
    }
    plan(in(5min, 15min), [=, this] { provision(site, attempt + 1, {cause.request, failed}); });
}

void Platform::set_up(const SitePtr& site, Timestamp occurred, const Cause& cause) {
    constexpr std::int64_t block = 4'096;
    constexpr std::int64_t blocks_in_gib = (std::int64_t{1} << 30) / block;
    site->state = Site::State::active;
    const auto number = random_.between(1, 40);
    site->server = site->region + "-web-" + std::to_string(number);
    const auto [least, most] = site->plan == "starter" ? std::pair{1, 5}
                               : site->plan == "pro"   ? std::pair{5, 40}
                                                       : std::pair{20, 200};
    site->disk_bytes = random_.between(least * blocks_in_gib, most * blocks_in_gib) * block;
    write(*site, "Site", site->id, "SiteProvisioned", occurred,
          R"({"server":")" + site->server + R"(","disk_bytes":)" + std::to_string(site->disk_bytes) + "}",
          by_machine("provisioner@" + site->region, "10.0.0.3", cause));
    plan_nightly(site);
}

void Platform::give_up(const SitePtr& site) {
    const User& user = random_.one_of(site->tenant.users);
    delete_site(site, "never_provisioned", user, new_request());
}

void Platform::delete_site(const SitePtr& site, std::string_view reason, const User& user,
                           const std::string& request) {
    if (site->state == Site::State::deleted) return;
    site->state = Site::State::deleted;
    site->deleted_at = now_;
    std::erase(site->tenant.sites, site);
    write(*site, "Site", site->id, "SiteDeleted", now_, R"({"reason":")" + std::string{reason} + "\"}",
          by_user(user, request));
}

// ---- Backups

// The next one, as long as the site is there: between one and five in the night.
void Platform::plan_nightly(const SitePtr& site) {
    const days until{site->backup_every_days};
    const auto minute = std::chrono::minutes{random_.between(60, 299)};
    const auto second = random_.below(60'000'000);
    const auto night = std::chrono::floor<days>(now_) + until + minute + std::chrono::microseconds{second};
    plan(night, [this, site] {
        if (site->state != Site::State::active) return;
        const auto request = new_request();
        start_backup(site, "scheduled", scheduler(request), request);
        plan_nightly(site);
    });
}

void Platform::start_backup(const SitePtr& site, std::string_view kind, const std::string& metadata,
                            const std::string& request) {
    if (site->state != Site::State::active) return;
    const auto id = "backup-" + std::to_string(++site->tenant.backups_so_far);
    const auto begun = write(*site, "Backup", id, "BackupCreated", now_,
                             R"({"site_id":")" + site->id + R"(","kind":")" + std::string{kind} + "\"}", metadata);
    const auto end = in(8s, 25min);
    const bool may_retry = kind != "retry";
    plan(reported(end), [=, this, started = now_] {
        end_backup(site, id, may_retry, started, {request, begun}, end);
    });
}

void Platform::end_backup(const SitePtr& site, const std::string& id, bool may_retry, Timestamp started,
                          const Cause& cause, Timestamp occurred) {
    const bool site_went = site->state == Site::State::deleted && site->deleted_at <= occurred;
    const auto agent = agent_of(*site, cause);
    const auto of_site = R"({"site_id":")" + site->id + "\",";

    if (site_went || random_.one_in(25)) {
        const std::string reason = site_went ? "site_deleted" : random_.one_of(backup_failures);
        const auto failed =
            write(*site, "Backup", id, "BackupFailed", occurred, of_site + R"("reason":")" + reason + "\"}", agent);
        if (!may_retry) return;
        return plan(in(25min, 35min), [=, this] {
            start_backup(site, "retry", by_machine("scheduler", "10.0.0.2", {cause.request, failed}),
                         cause.request);
        });
    }
    const auto size = site->disk_bytes / 100 * random_.between(5, 60);
    const auto seconds = std::chrono::ceil<Seconds>(occurred - started).count();
    write(*site, "Backup", id, "BackupCompleted", occurred,
          of_site + R"("size_bytes":)" + std::to_string(size) + R"(,"seconds":)" + std::to_string(seconds) + "}",
          agent);
}

// ---- Writing

std::string Platform::write(const Site& site, std::string_view aggregate_type, const std::string& aggregate_id,
                            std::string_view type, Timestamp occurred, std::string data, std::string metadata,
                            int schema_version) {
    // Well-formed by construction, and looked at once more where it is read or appended.
    stele::NewEvent event;
    event.type = type;
    event.schema_version = schema_version;
    event.data = stele::JsonText::trusted(std::move(data));
    event.metadata = stele::JsonText::trusted(std::move(metadata));
    event.id = new_id(occurred);
    event.occurred_at = occurred;
    if (aggregate_type == "Backup") {
        event.tags = {"site:" + site.tenant.name + "/" + site.id};
    } else {
        event.tags = {"plan:" + site.plan, "region:" + site.region};
    }
    auto id = event.id.to_string();
    written_ = stele::EventLine{stele::StreamId{site.tenant.name, std::string{aggregate_type}, aggregate_id},
                                std::move(event)};
    return id;
}

std::string Platform::by_user(const User& user, const std::string& request) {
    const std::string client = random_.one_of(clients);
    return R"({"actor":")" + user.name + R"(","ip":")" + user.ip + R"(","client":")" + client +
           R"(","correlation_id":")" + request + "\"}";
}

// A UUID of version 7: the time in milliseconds, then random bits.
stele::EventId Platform::new_id(Timestamp time) {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
    const auto high = random_.next();
    const auto low = random_.next();
    std::array<unsigned char, 16> bytes{};
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(ms >> (8 * (5 - i)));
    for (std::size_t i = 6; i < 8; ++i) bytes[i] = static_cast<unsigned char>(high >> (8 * i));
    for (std::size_t i = 8; i < 16; ++i) bytes[i] = static_cast<unsigned char>(low >> (8 * (i - 8)));
    bytes[6] = static_cast<unsigned char>(0x70U | (bytes[6] & 0x0FU));
    bytes[8] = static_cast<unsigned char>(0x80U | (bytes[8] & 0x3FU));
    return stele::EventId::from_bytes(bytes);
}

std::string Platform::new_request() { return "req-" + hex(random_.next(), 12); }

// ---- Time

void Platform::plan(Timestamp at, std::function<void()> run) {
    planned_.push_back({at, ++planned_so_far_, std::move(run)});
    std::push_heap(planned_.begin(), planned_.end(), Later{});
}

Timestamp Platform::in(Seconds least, Seconds most) {
    constexpr std::int64_t second = 1'000'000;
    return now_ + std::chrono::microseconds{random_.between(least.count() * second, most.count() * second)};
}

// Between seven and seven, mostly around noon, so many days from today; of weekends, most are Mondays.
Timestamp Platform::in_working_hours(std::int64_t days_from_now) {
    constexpr std::int64_t six_hours = std::int64_t{6} * 3'600'000'000;
    auto day = std::chrono::floor<days>(now_) + days{days_from_now};
    while (is_weekend(day) && !random_.one_in(4)) day += days{1};
    const auto morning = random_.below(six_hours);
    const auto afternoon = random_.below(six_hours);
    return day + 7h + std::chrono::microseconds{morning + afternoon};
}

// When a server's report about something reaches the log: at once, or late.
Timestamp Platform::reported(Timestamp occurred) {
    const auto luck = random_.below(400);
    const auto delay = luck == 0   ? random_.between(6 * 3'600'000, 30 * 3'600'000)
                       : luck < 16 ? random_.between(5 * 60'000, 120 * 60'000)
                                   : random_.between(2, 1'500);
    return occurred + std::chrono::milliseconds{delay};
}

}  // namespace hosting
