// The listeners of examples/hosting, run by the stele command, against a mail server and a receiver of hooks that
// fails, hangs, closes and recovers.
#include "record_metrics.hpp"
#include "workplace.hpp"

#include <stele/projections/runner.hpp>
#include <stele/test/http_receiver.hpp>
#include <stele/test/mail_server.hpp>

#include <fstream>
#include <set>
#include <sstream>

using namespace stele;
using namespace std::chrono_literals;
using nlohmann::json;
using test::HttpReceiver;
using test::HttpReply;
using test::MailServer;
using test::Workplace;

namespace {

constexpr const char* hook_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string text_of(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream{file}.rdbuf();
    return text.str();
}

std::string with(std::string text, const std::string& old, const std::string& instead) {
    const auto at = text.find(old);
    INFO("examples/hosting/listeners/stele.toml: expected " << old);
    REQUIRE(at != std::string::npos);
    return text.replace(at, old.size(), instead);
}

// The example's own file, but for where its servers are, and with retries that a test can wait for.
void write_project(const Workplace& at, const MailServer& mails) {
    auto text = text_of(std::string{HOSTING} + "/listeners/stele.toml");
    text = with(text, "../hosting.stele", "log.stele");
    for (const auto* folder : {"projections", "aggregates", "schemas"})
        text = with(text, std::string{"../"} + folder, std::string{HOSTING} + "/" + folder);
    for (int i = 0; i < 2; ++i) text = with(text, R"(["30s", "60s", "120s"])", R"(["20ms", "40ms", "80ms"])");
    text = with(text, "timeout = \"10s\"", "timeout = \"300ms\"\nallow_private = true");
    text = with(text, "smtp://mail.hosting.example:587", mails.url());
    text = with(text, "user = \"stele\"\npassword = \"env:HOSTING_MAIL_PASSWORD\"\n", "tls = \"none\"\n");
    at.write("stele.toml", text);
}

std::string line(const std::string& aggregate, const std::string& type, const json& data) {
    const auto slash = aggregate.find('/');
    return json{{"tenant", "acme"},
                {"aggregate_type", aggregate.substr(0, slash)},
                {"aggregate_id", aggregate.substr(slash + 1)},
                {"type", type},
                {"data", data},
                {"metadata", {{"actor", "kim@acme.example"}, {"ip", "198.51.100.7"}}}}
               .dump() +
           "\n";
}

std::string backup_failed(const std::string& id, const std::string& reason) {
    json data;
    data["site_id"] = "site-1";
    data["reason"] = reason;
    return line("Backup/" + id, "BackupFailed", data);
}

void import(const Workplace& at, const std::string& name, const std::string& lines) {
    at.write(name, lines);
    const auto ran = at.stele({"import", name});
    INFO(ran);
    REQUIRE(ran.status == 0);
}

test::Ran run(const Workplace& at, const HttpReceiver& hooks) {
    return at.stele({"run", "--until-caught-up"},
                    {.environment = {{"HOSTING_HOOK", hooks.url()}, {"HOSTING_HOOK_SECRET", hook_secret}}});
}

// Runs until nothing is parked any more; retries are due within a fraction of a second.
void deliver_all(const Workplace& at, const HttpReceiver& hooks) {
    for (int turn = 0; turn < 200; ++turn) {
        const auto ran = run(at, hooks);
        INFO(ran);
        REQUIRE(ran.status == 0);
        std::int64_t parked = 0;
        for (const auto& listener : at.stele({"listener", "list", "--json"}).json_lines())
            parked += listener.at("parked").get<std::int64_t>();
        if (parked == 0) return;
    }
    FAIL("deliveries are parked still");
}

}  // namespace

TEST_CASE("what fails is told by hook and by mail, once each, and who did what stands in the audit stream",
          "[hosting][listeners]") {
    Workplace at;
    MailServer mails;
    const HttpReceiver hooks;
    write_project(at, mails);
    import(at, "first.jsonl",
           line("Site/site-1", "SiteCreated",
                json::parse(R"({"domain": "www.acme.example", "plan": "pro", "region": "fra1"})")) +
               line("Site/site-1", "SiteProvisioned", json::parse(R"({"server": "web-1", "disk_bytes": 1000})")) +
               backup_failed("backup-1", "disk_full"));
    for (int i = 0; i < 2; ++i) deliver_all(at, hooks);  // the second time there is nothing to do

    REQUIRE(hooks.requests().size() == 1);
    const auto told = json::parse(hooks.requests().front().body);
    CHECK(told.at("type") == "BackupFailed");
    CHECK_FALSE(hooks.requests().front().header("webhook-signature").empty());

    const auto mail = mails.mail();
    CHECK(mail.at("rcpt_tos") == json{"ops@hosting.example", "acme@hosting.example"});
    CHECK(mail.at("headers").at("Subject") == "A backup failed: disk_full");

    const auto audited = at.stele({"read", "acme:AuditLog/site-1", "--json"}).json_lines();
    REQUIRE(audited.size() == 2);
    CHECK(audited[0].at("type") == "AuditEntryRecorded");
    CHECK(audited[0].at("data").at("what") == "SiteCreated");
    CHECK(audited[0].at("data").at("who") == "kim@acme.example");
    CHECK(audited[1].at("data").at("what") == "SiteProvisioned");

    const auto rows = at.stele({"projection", "query", "update_tenant_metrics",
                                "SELECT sum(sites_created) AS sites, sum(backups_failed) AS failed FROM "
                                "update_tenant_metrics WHERE tenant = 'acme'",
                                "--json"});
    CHECK(rows.json() == json{{"sites", 1}, {"failed", 1}});
}

TEST_CASE("a receiver that fails, hangs, closes and recovers gets everything, each with one delivery key",
          "[hosting][listeners]") {
    Workplace at;
    MailServer mails;
    HttpReceiver hooks;
    write_project(at, mails);
    hooks.next({HttpReply{503, "not now"}, test::hang(), test::close_connection()});
    std::string lines;
    for (int i = 1; i <= 5; ++i) {
        lines += backup_failed("backup-" + std::to_string(i), "timeout");
    }
    import(at, "failures.jsonl", lines);
    deliver_all(at, hooks);

    // In the order of the tenant, the first one at its fourth attempt; nothing is dead.
    std::vector<std::string> keys;
    std::vector<std::int64_t> positions;
    for (const auto& request : hooks.requests()) {
        const auto position = json::parse(request.body).at("position").get<std::int64_t>();
        if (!positions.empty() && positions.back() == position) {
            CHECK(keys.back() == request.header("webhook-id"));  // the same on every attempt
            continue;
        }
        positions.push_back(position);
        keys.push_back(request.header("webhook-id"));
    }
    CHECK(positions == std::vector<std::int64_t>{1, 2, 3, 4, 5});
    CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == 5);
    CHECK(hooks.requests().size() == 8);
    CHECK(at.stele({"dead-letter", "list", "--json"}).out.empty());

    // Mails were not held up by it, and of five failures for one reason within an hour, one is told.
    CHECK(mails.mail().at("headers").at("Subject") == "A backup failed: timeout");
    const auto mailed = at.stele({"listener", "status", "send_notification_mail", "--json"}).json();
    CHECK(mailed.at("lag_events") == 0);
    CHECK(mailed.at("dead") == 0);
}

TEST_CASE("a hook that is gone for good leaves dead letters, which an operator sends when it is back",
          "[hosting][listeners]") {
    Workplace at;
    MailServer mails;
    HttpReceiver hooks;
    write_project(at, mails);
    hooks.next({HttpReply{410, "moved away"}});
    import(at, "one.jsonl", backup_failed("backup-1", "timeout"));
    deliver_all(at, hooks);
    const auto dead = at.stele({"dead-letter", "list", "--json"}).json();
    CHECK(dead.at("listener") == "send_notification");
    CHECK(dead.at("attempts") == 1);
    CHECK_THAT(dead.at("error").get<std::string>(), ContainsSubstring("410") && ContainsSubstring("moved away"));

    REQUIRE(at.stele({"dead-letter", "retry", "--all"}).status == 0);
    deliver_all(at, hooks);
    CHECK(at.stele({"dead-letter", "list", "--json"}).out.empty());
    REQUIRE(hooks.requests().size() == 2);
    CHECK(hooks.requests()[0].header("webhook-id") == hooks.requests()[1].header("webhook-id"));
}

TEST_CASE("metrics of what a process appends are right when append returns", "[hosting][listeners]") {
    auto store = EventStore::temporary();
    const auto metrics = std::make_shared<hosting::Metrics>();
    Runner runner{store};
    runner.add(listener(hosting::RecordMetrics{metrics}));
    runner.start();
    const StreamId site{"acme", "Site", "site-1"};
    store.append(site, expect::any, {event("SiteCreated"), event("SiteProvisioned")});
    CHECK(metrics->by_type() == std::map<std::string, std::int64_t>{{"SiteCreated", 1}, {"SiteProvisioned", 1}});
    store.append(site, expect::any, {event("SiteDeleted")});
    CHECK(metrics->by_type().at("SiteDeleted") == 1);
}
