// stele check-config: every mistake of a project, with its place, and what would run.
#include "workplace.hpp"

#include <algorithm>

using namespace stele;
using nlohmann::json;
using test::Workplace;

namespace {

std::vector<json> of_kind(const test::Ran& ran, const std::string& what) {
    std::vector<json> all;
    for (auto& line : ran.json_lines())
        if (line.at("what") == what) all.push_back(std::move(line));
    return all;
}

// "line:column message" of each mistake.
std::vector<std::string> places(const std::vector<json>& mistakes) {
    std::vector<std::string> all;
    for (const auto& mistake : mistakes)
        all.push_back(mistake.at("line").dump() + ":" + mistake.at("column").dump() + " " +
                      mistake.at("message").get<std::string>());
    return all;
}

}  // namespace

TEST_CASE("check-config names every mistake of stele.toml with line and column", "[e2e][config]") {
    Workplace at;
    at.write("stele.toml", R"toml(store = "log.stele"
listener_enabled = true

[[listener]]
name = "billing"
where = "$data(size >"
attempts = "three"
delays = ["30 s"]
breaker = { failures = 3, opne = "1m" }
deduplicate = { by = "$data(site)" }
from = "yesterday"
sink = { type = "webhook", url = "ftp://example.com", secrets = ["whsec_c2VjcmV0"] }

[[listener]]
name = "billing"
types = []
[listener.sink]
type = "stream"
stream = "Log/{{ $tenant }}"
data = """
json_object('what',
  nonsense($type))
"""

[[listener]]
name = "mails"
sink = { type = "emial" }

[[queue]]
name = "slow"
workers = 0

[health]
stalled_after = 30
)toml");
    const auto ran = at.stele({"check-config", "--json"});
    INFO(ran);
    CHECK(ran.status == 1);
    const auto found = places(of_kind(ran, "mistake"));
    const std::vector<std::string> expected{
        "2:1 unknown key \"listener_enabled\"; did you mean \"listeners_enabled\"?",
        "6:9 listener \"billing\": where: expected SQL that SQLite can compile",
        "7:12 listener \"billing\": attempts: expected a whole number from 1 to 1000, found \"three\"",
        "8:11 listener \"billing\": delays: expected a time such as",
        "9:27 listener \"billing\": breaker: unknown key \"opne\"; did you mean \"open\"?",
        "10:15 listener \"billing\": deduplicate: within: expected a time such as",
        "11:8 listener \"billing\": from: expected \"beginning\", \"now\", a position, or a time",
        "12:66 listener \"billing\": webhook: secrets: expected a reference to a secret",
        "15:8 name: expected a name of its own, found that of the listener in line 5",
        "16:9 listener \"billing\": types: expected a list of texts in quotes, at least one",
        "22:1 listener \"billing\": stream: data: expected SQL that SQLite can compile",
        "27:17 listener \"mails\": sink: type: expected \"webhook\"",
        "31:11 queue \"slow\": workers: expected a whole number from 1 to 1000, found 0",
        "34:17 health: stalled_after: expected a time such as",
    };
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i].rfind(expected[i], 0) == 0);
    CHECK_THAT(ran.out, !ContainsSubstring("c2VjcmV0"));
}

TEST_CASE("check-config names a secret that is not there, and no longer when it is", "[e2e][config]") {
    Workplace at;
    at.write("stele.toml",
             "[[listener]]\nname = \"billing\"\n"
             "sink = { type = \"webhook\", url = \"https://example.com\", secret = \"env:BILLING\" }\n");
    const auto without = at.stele({"check-config"});
    INFO(without);
    CHECK(without.status == 1);
    CHECK(without.out ==
          "stele.toml:3:66: listener \"billing\": secret env:BILLING: expected a value, found no variable "
          "BILLING in the environment\n");
    const auto with = at.stele({"check-config"}, {.environment = {{"BILLING", "whsec_very-secret"}}});
    CHECK(with.status == 0);
    CHECK_THAT(at.stele({"check-config", "--detailed"}, {.environment = {{"BILLING", "whsec_very-secret"}}}).out,
               !ContainsSubstring("very-secret"));
}

TEST_CASE("check-config names files of projections and aggregates that do not load", "[e2e][config]") {
    Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("projections/broken.sql", "--@ projection broken version 1\nSELECT 1;\n");
    at.write("aggregates/Broken.sql", "--@ aggregate Broken version 1\n--@ on A\nnonsense(\n");
    const auto ran = at.stele({"check-config"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK_THAT(ran.out, ContainsSubstring("projections/broken.sql:2"));
    CHECK_THAT(ran.out, ContainsSubstring("aggregates/Broken.sql:3"));
}

TEST_CASE("check-config hints at a queue that is not defined, and finds nothing wrong with it", "[e2e][config]") {
    Workplace at;
    at.write(
        "stele.toml",
        "[[listener]]\nname = \"show\"\nqueue = \"slwo\"\nsink = { type = \"log\" }\n[[queue]]\nname = \"slow\"\n");
    const auto ran = at.stele({"check-config", "--json"});
    INFO(ran);
    CHECK(ran.status == 0);
    const auto hints = of_kind(ran, "hint");
    REQUIRE(hints.size() == 1);
    CHECK(hints.front().at("line") == 3);
    CHECK_THAT(hints.front().at("message").get<std::string>(), ContainsSubstring("did you mean \"slow\"?"));
}

TEST_CASE("check-config --detailed shows what would run, with its schedule in words", "[e2e][config]") {
    Workplace at;
    at.write("stele.toml", R"toml(
[[listener]]
name = "billing"
types = ["OrderPaid"]
order = "$data(customer)"
attempts = 3
delays = ["30s", "1m"]
retry = { jitter = 0 }
after_last = "hold"
sink = { type = "webhook", url = "https://example.com:8443/hooks?token=abc" }

[[listener]]
name = "tell"
from = 2026-01-05T10:00:00Z
sink = { type = "email", server = "smtp://mail.example.com", from = "a@example.com", to = "b@example.com", subject = "s", body = "b" }

[[queue]]
name = "default"
workers = 2
rate = 1.5
)toml");
    at.write("projections/counts.sql",
             "--@ projection counts version 3\n--@ create\nCREATE TABLE counts (n);\n"
             "--@ on *\nINSERT INTO counts VALUES ($position);\n");
    const auto ran = at.stele({"check-config", "--detailed", "--json"});
    INFO(ran);
    CHECK(ran.status == 0);
    const auto listeners = of_kind(ran, "listener");
    REQUIRE(listeners.size() == 2);
    CHECK(listeners[0].at("order") == "by $data(customer)");
    CHECK(listeners[0].at("retries") ==
          "3 attempts: again after 30 s, 1 min; then a dead letter, and later events of the key wait");
    CHECK(listeners[0].at("breaker") == "5 failures in a row leave https://example.com:8443 alone for 30 s");
    CHECK(listeners[0].at("target") == "https://example.com:8443/hooks");
    CHECK(listeners[1].at("breaker") == "5 failures in a row leave smtp://mail.example.com alone for 30 s");
    CHECK(listeners[1].at("from") == "2026-01-05T10:00:00.000000Z");
    CHECK(of_kind(ran, "queue").at(0).at("rate") == 1.5);
    CHECK(of_kind(ran, "projection").at(0).at("version") == 3);
}

TEST_CASE("commands that need no listeners are not stopped by a mistake in one", "[e2e][config]") {
    Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n[[listener]]\nname = \"a b\"\n");
    CHECK(at.stele({"append", "Site/1", "A"}).status == 0);
    CHECK(at.stele({"events"}).status == 0);
    const auto ran = at.stele({"run"});
    INFO(ran);
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, ContainsSubstring("stele.toml:2:1: listener \"a b\": sink: expected a table"));
    at.write("below/it.txt", "");
    CHECK(at.stele({"check-config"}, {.folder = "below"}).status == 1);
}

TEST_CASE("check-config without a stele.toml says so", "[e2e][config]") {
    Workplace at;
    const auto ran = at.stele({"check-config"});
    CHECK(ran.status == 4);
    CHECK_THAT(ran.err, ContainsSubstring("no stele.toml in this folder or one above"));
}
