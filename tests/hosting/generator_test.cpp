// The generator: the same bytes everywhere, and histories that could have happened.
#include "platform.hpp"

#include <stele/test/process.hpp>

#include <optional>
#include <set>

namespace hosting::test {
namespace {

Lines lines_of(const GeneratorOptions& options) {
    Lines lines;
    Generator generator{options};
    while (const auto line = generator.next()) lines.push_back(to_line(*line));
    return lines;
}

// FNV-1a, 64 bits.
std::uint64_t digest(const Lines& lines) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const auto& line : lines) {
        for (const char c : line + "\n") {
            hash ^= static_cast<unsigned char>(c);
            hash *= 0x100000001b3U;
        }
    }
    return hash;
}

// Whoever has these bytes from another machine, or another version, must get them again. Where the generator is
// changed on purpose, the numbers change with it.
TEST_CASE("the generator gives the same bytes on every machine", "[hosting][generator]") {
    CHECK(digest(lines_of({1'000, 1})) == 0xea479b07c752234d);
    CHECK(digest(lines_of({5'000, 42, 25})) == 0x5f9f365daffc17df);
}

TEST_CASE("fewer events are the first ones of more and another seed gives others", "[hosting][generator]") {
    const auto many = lines_of({2'000, 3, 10});
    CHECK(many.size() == 2'000);
    const auto few = lines_of({700, 3, 10});
    CHECK(few == Lines{many.begin(), many.begin() + 700});
    CHECK(lines_of({700, 4, 10}) != few);
    CHECK(lines_of({0, 3, 10}).empty());
}

TEST_CASE("a line of the generator is read back as the event that it was made of", "[hosting][generator]") {
    for (const auto& [stream, event] : generated({500, 5})) {
        const auto line = to_line({stream, event});
        const auto again = stele::parse_event_line(line);
        CHECK(again.stream == stream);
        CHECK(again.event.id == event.id);
        CHECK(again.event.occurred_at == event.occurred_at);
        CHECK(again.event.data == event.data);
        CHECK(again.event.metadata == event.metadata);
        CHECK(again.event.tags == event.tags);
        CHECK(to_line(again) == line);
    }
}

// What may follow upon what in one stream; "" is the beginning.
const std::map<std::string, std::set<std::string>> may_follow{
    {"", {"SiteCreated", "BackupCreated"}},
    {"SiteCreated", {"SiteProvisioned", "SiteProvisioningFailed"}},
    {"SiteProvisioningFailed", {"SiteProvisioned", "SiteProvisioningFailed", "SiteDeleted"}},
    {"SiteProvisioned", {"SiteDeleted"}},
    {"SiteDeleted", {}},
    {"BackupCreated", {"BackupCompleted", "BackupFailed"}},
    {"BackupCompleted", {}},
    {"BackupFailed", {}},
};

TEST_CASE("what happens to a site or a backup could have happened", "[hosting][generator]") {
    const auto seed = GENERATE(1, 2, 3, 4);
    CAPTURE(seed);
    std::map<std::string, std::string> last_type;
    std::map<std::string, std::string> last_time;
    std::map<std::string, std::string> request_of;  // by event id
    std::map<std::pair<std::string, std::string>, std::string> sites;
    std::set<std::string> sites_of_backups;

    const auto lines = generated({8'000, static_cast<std::uint64_t>(seed)});
    const auto facts = facts_of(lines);
    for (const auto& fact : facts) {
        const auto& line = lines[static_cast<std::size_t>(fact.position - 1)];
        const auto stream = line.stream.name();
        CAPTURE(fact.position, stream, fact.type);
        CHECK(may_follow.at(last_type[stream]).contains(fact.type));
        last_type[stream] = fact.type;
        CHECK(last_time[stream] <= fact.occurred_at);
        last_time[stream] = fact.occurred_at;

        auto& site = sites[{fact.tenant, fact.site_id()}];
        if (fact.type == "BackupCreated") CHECK(site == "SiteProvisioned");
        if (fact.aggregate_type == "Site") site = fact.type;

        // An event that was caused by another comes after it, and belongs to the same request.
        const auto id = line.event.id.to_string();
        const auto request = fact.metadata.at("correlation_id").get<std::string>();
        CHECK(request_of.emplace(id, request).second);
        if (fact.metadata.contains("causation_id")) {
            CHECK(request_of.at(fact.metadata.at("causation_id").get<std::string>()) == request);
        }
    }
}

TEST_CASE("a history has late reports and failures and ids that tenants share and tenants that leave",
          "[hosting][generator]") {
    const auto facts = facts_of(generated({20'000, 1}));
    std::map<std::string, int> types;
    std::map<std::string, int> reasons;
    std::map<std::string, std::set<std::string>> tenants_with;  // by site id
    std::map<std::string, int> sites_of;
    int late = 0;
    int tenants_gone = 0;
    std::string latest;
    for (const auto& fact : facts) {
        ++types[fact.type];
        ++reasons[fact.data.value("reason", std::string{"none"})];
        tenants_with[fact.site_id()].insert(fact.tenant);
        late += fact.occurred_at < latest ? 1 : 0;
        latest = std::max(latest, fact.occurred_at);
        sites_of[fact.tenant] += fact.type == "SiteCreated" ? 1 : fact.type == "SiteDeleted" ? -1 : 0;
        tenants_gone += fact.type == "SiteDeleted" && sites_of[fact.tenant] == 0 ? 1 : 0;
    }
    CHECK(types.size() == 7);
    for (const auto* const reason : {"account_closed", "customer_request", "site_deleted", "timeout"}) {
        CAPTURE(reason);
        CHECK(reasons[reason] > 0);
    }
    CHECK(sites_of.size() == 40);
    CHECK(tenants_with.at("site-1").size() == 40);
    CHECK(late > 200);
    CHECK(late < 4'000);
    CHECK(tenants_gone > 3);
}

Lines output_of(std::vector<std::string> arguments, int expected_status) {
    arguments.insert(arguments.begin(), HOSTING_EVENTS);
    stele::test::Process program{arguments};
    program.close_input();
    Lines lines;
    while (auto line = program.read_line()) lines.push_back(std::move(*line));
    CHECK(program.wait() == expected_status);
    return lines;
}

TEST_CASE("stele_hosting_events prints the generator's lines", "[hosting][generator]") {
    CHECK(output_of({"--events", "40", "--seed", "6"}, 0) == lines_of({40, 6}));
    CHECK(output_of({"--seed", "6", "--tenants", "9", "--events", "40"}, 0) == lines_of({40, 6, 9}));
    CHECK(output_of({"--help"}, 0).at(1) == "usage: stele_hosting_events --events N --seed S [--tenants T]");
}

TEST_CASE("stele_hosting_events refuses a command line that it does not understand", "[hosting][generator]") {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"--events", "4"},
                                               {"--seed", "4"},
                                               {"--events", "x", "--seed", "1"},
                                               {"--events", "-1", "--seed", "1"},
                                               {"--events", "5", "--seed"},
                                               {"--events", "5", "--seed", "1", "--tenants", "0"},
                                               {"--event", "5"}}) {
        CHECK(output_of(arguments, 2).empty());
    }
}

}  // namespace
}  // namespace hosting::test
