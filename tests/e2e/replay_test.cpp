// stele replay: the state of an aggregate, now, then, and step by step.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::Workplace;

namespace {

// Three events of Site/1, each in a commit of its own.
Workplace& seeded(Workplace& at) {
    const auto append = [&](const std::string& type, const std::string& data, const std::string& occurred_at) {
        REQUIRE(at.stele({"append", "Site/1", type, "--data", data, "--occurred-at", occurred_at}).status == 0);
    };
    append("SiteCreated", R"({"domain":"example.org","limits":{"disk":5}})", "2026-01-01T00:00:00Z");
    REQUIRE(at.stele({"append", "Site/2", "SiteCreated"}).status == 0);
    append("LimitsChanged", R"({"limits":{"disk":9}})", "2026-01-03T00:00:00Z");
    append("SiteDeleted", R"({"domain":null})", "2026-01-02T00:00:00Z");
    return at;
}

json state(const Workplace& at, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"replay", "Site/1", "--json"});
    const auto ran = at.stele(more);
    INFO(ran);
    REQUIRE(ran.status == 0);
    return ran.json();
}

const char* const site_file = R"(--@ aggregate Site version 1
--@ on SiteCreated
json_object('status', 'active', 'domain', $data(domain))
--@ on SiteDeleted
json_set($state, '$.status', 'deleted')
)";

}  // namespace

TEST_CASE("replay without an aggregate file merges all data", "[e2e][replay]") {
    Workplace at;
    seeded(at);
    CHECK(state(at) == json{{"stream", "Site/1"},
                            {"version", 3},
                            {"position", 4},
                            {"state", {{"limits", {{"disk", 9}}}, {"$type", "SiteDeleted"}}}});
}

TEST_CASE("replay as of a version, a position and either time", "[e2e][replay]") {
    Workplace at;
    seeded(at);
    CHECK(state(at, {"--at-version", "1"}).at("version") == 1);
    CHECK(state(at, {"--at-version", "2"}).at("state").at("limits").at("disk") == 9);
    CHECK(state(at, {"--at-position", "2"}).at("version") == 1);
    CHECK(state(at, {"--at-position", "3"}).at("version") == 2);
    const auto recorded = at.log().at(2).at("recorded_at").get<std::string>();
    CHECK(state(at, {"--at-time", recorded}).at("version") == 2);
    CHECK(state(at, {"--at-time", "2026-01-02", "--occurred"}).at("state") ==
          json{{"limits", {{"disk", 5}}}, {"$type", "SiteDeleted"}});
}

TEST_CASE("replay --steps says what each event changed", "[e2e][replay]") {
    Workplace at;
    seeded(at);
    const auto steps = at.stele({"replay", "Site/1", "--steps", "--json"}).json_lines();
    REQUIRE(steps.size() == 3);
    CHECK(steps.at(1).at("version") == 2);
    CHECK(steps.at(1).at("position") == 3);
    CHECK(steps.at(1).at("event").at("type") == "LimitsChanged");
    CHECK(steps.at(1).at("state").at("limits").at("disk") == 9);
    json before = json::object();
    for (const auto& step : steps) {
        before = before.patch(step.at("changes"));
        CHECK(before == step.at("state"));
    }

    const auto ran = at.stele({"replay", "Site/1", "--steps"});
    CHECK_THAT(ran.out, ContainsSubstring("version 2  position 3  2026-01-03T00:00:00Z  LimitsChanged\n"));
    CHECK_THAT(ran.out, ContainsSubstring("  ~ /limits/disk: 5 → 9\n"));
    CHECK_THAT(ran.out, ContainsSubstring("  - /domain: \"example.org\"\n"));
}

TEST_CASE("an aggregate file is found in the project, or named", "[e2e][replay]") {
    Workplace at;
    seeded(at);
    at.write("site.sql", site_file);
    CHECK(state(at, {"--aggregate", "site.sql"}).at("state") ==
          json{{"status", "deleted"}, {"domain", "example.org"}});
    at.write("stele.toml", "aggregates = \"folds\"\n");
    at.write("folds/Site.sql", site_file);
    CHECK(state(at, {"--at-version", "1"}).at("state") == json{{"status", "active"}, {"domain", "example.org"}});

    at.write("order.sql", "--@ aggregate Order version 1\n--@ on *\n$state\n");
    const auto other = at.stele({"replay", "Site/1", "--aggregate", "order.sql"});
    CHECK(other.status == 2);
    CHECK_THAT(other.err, ContainsSubstring("expected a file for Site, found one for Order"));
    CHECK(at.stele({"replay", "Site/1", "--aggregate", "nothing.sql"}).status == 4);
    at.write("folds/Site.sql", "--@ aggregate Site version 1\n--@ on A\nnot SQL at all\n");
    const auto broken = at.stele({"replay", "Site/1"});
    CHECK(broken.status == 1);
    CHECK_THAT(broken.err, ContainsSubstring("folds/Site.sql:3"));
    at.write("folds/Other.sql", site_file);
    CHECK(state(at, {"--at-version", "1"}).at("state").at("status") == "active");
}

TEST_CASE("for people, replay prints the state alone on standard output", "[e2e][replay]") {
    Workplace at;
    seeded(at);
    const auto ran = at.stele({"replay", "Site/1", "--at-version", "1"});
    CHECK(json::parse(ran.out).at("domain") == "example.org");
    CHECK_THAT(ran.err, ContainsSubstring("Site/1 at version 1, position 1"));
}

TEST_CASE("numbers of a state are printed as the aggregate file gave them", "[e2e][replay]") {
    const Workplace at;
    REQUIRE(at.stele({"append", "Site/1", "T", "--data", R"({"n":12345678901234567890123,"x":1.50})"}).status == 0);
    at.write("site.sql", "--@ aggregate Site version 1\n--@ on *\n$data\n");
    const auto ran = at.stele({"replay", "Site/1", "--aggregate", "site.sql"});
    INFO(ran);
    CHECK(ran.out == "{\n  \"n\": 12345678901234567890123,\n  \"x\": 1.50\n}\n");
    CHECK_THAT(at.stele({"replay", "Site/1", "--aggregate", "site.sql", "--json"}).out,
               ContainsSubstring(R"("state":{"n":12345678901234567890123,"x":1.50})"));
}

TEST_CASE("what was not there yet is not found", "[e2e][replay]") {
    Workplace at;
    seeded(at);
    CHECK(at.stele({"replay", "Site/3"}).status == 4);
    CHECK(at.stele({"replay", "Site/1", "--at-version", "9"}).status == 4);
    CHECK(at.stele({"replay", "Site/1", "--at-time", "2001-01-01"}).status == 4);
    CHECK(at.stele({"replay", "Site/1", "--at-version", "0"}).status == 2);
    CHECK(at.stele({"replay", "Site/1", "--occurred"}).status == 2);
}
