// stele run with the listeners of stele.toml: what each sink leaves behind, and how they are switched off and on.
#include "workplace.hpp"

#include <stele/test/http_receiver.hpp>

#include <algorithm>
#include <set>

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Workplace;

namespace {

std::vector<json> lines_of(const Workplace& at, const std::string& name) {
    std::vector<json> all;
    std::string text = at.exists(name) ? at.text_of(name) : std::string{};
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
        all.push_back(json::parse(text.substr(begin, end - begin)));
    return all;
}

void seed(const Workplace& at, const std::string& listeners) {
    at.write("stele.toml", "store = \"log.stele\"\n" + listeners);
    at.write("lines.jsonl", event_line("1", "A") + event_line("2", "B") + event_line("1", "A"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
}

constexpr const char* to_file =
    "[[listener]]\nname = \"to_file\"\nsink = { type = \"jsonl\", path = \"out.jsonl\" }\n";

}  // namespace

TEST_CASE("stele run delivers to exec, jsonl, log and stream, each what it selects", "[e2e][listeners]") {
    Workplace at;
    seed(at, R"toml(
[[listener]]
name = "program"
types = ["B"]
sink = { type = "exec", command = ["sh", "-c", "cat >> got.txt; echo $STELE_LISTENER >> names.txt"], folder = "." }

[[listener]]
name = "file"
aggregate_type = "Site"
where = "$version = 2"
sink = { type = "jsonl", path = "out.jsonl" }

[[listener]]
name = "show"
queue = "shown"
sink = { type = "log" }

[[listener]]
name = "audit"
types = ["A"]
sink = { type = "stream", stream = "Audit/all", event = "Seen", data = "json_object('of', $position)" }

[[queue]]
name = "shown"
workers = 1
)toml");
    const auto ran = at.stele({"run", "--until-caught-up"});
    INFO(ran);
    REQUIRE(ran.status == 0);
    CHECK(lines_of(at, "got.txt").size() == 1);
    CHECK(lines_of(at, "got.txt").at(0).at("type") == "B");
    CHECK(at.text_of("names.txt") == "program\n");
    REQUIRE(lines_of(at, "out.jsonl").size() == 1);
    CHECK(lines_of(at, "out.jsonl").at(0).at("position") == 3);
    CHECK_THAT(ran.err, ContainsSubstring("show: 1 Site/1 v1 A"));
    CHECK(at.log("type") == std::vector<std::string>{"A", "B", "A", "Seen", "Seen"});
    // A second run finds nothing to do for the stream: each event was answered once.
    CHECK(at.stele({"run", "audit", "--until-caught-up"}).status == 0);
    CHECK(at.log("type").size() == 5);
}

TEST_CASE("a listener that fails is retried by the schedule of stele.toml, and its event becomes a dead letter",
          "[e2e][listeners]") {
    Workplace at;
    seed(at,
         "[[listener]]\nname = \"fails\"\ntypes = [\"B\"]\nattempts = 2\ndelays = [\"1ms\"]\n"
         "sink = { type = \"exec\", command = [\"sh\", \"-c\", \"echo no >&2; exit 3\"] }\n");
    auto runner = at.start({"run", "--project", at.path("").string(), "--json"});
    for (;;) {
        const auto line = runner.read_line();
        REQUIRE(line.has_value());
        const auto news = json::parse(*line);
        CHECK(news.at("listener") == "fails");
        if (news.at("what") == "dead") break;
    }
    runner.kill(SIGTERM);
    (void)runner.read_all();
    CHECK(runner.wait() == 0);
}

TEST_CASE("listeners that are switched off lose nothing, and go on when they are on again", "[e2e][listeners]") {
    Workplace at;
    seed(at, to_file);
    REQUIRE(at.stele({"run", "--until-caught-up"}).status == 0);
    REQUIRE(lines_of(at, "out.jsonl").size() == 3);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);

    const auto by_environment =
        at.stele({"run", "--until-caught-up"}, {.environment = {{"STELE_LISTENERS", "off"}}});
    CHECK(by_environment.status == 0);
    CHECK_THAT(by_environment.err, ContainsSubstring("listeners are off (STELE_LISTENERS)"));
    CHECK(lines_of(at, "out.jsonl").size() == 3);

    at.write("stele.toml", "store = \"log.stele\"\nlisteners_enabled = false\n" + std::string{to_file});
    const auto by_file = at.stele({"run", "--until-caught-up"});
    CHECK(by_file.status == 0);
    CHECK_THAT(by_file.err, ContainsSubstring("listeners are off (stele.toml, listeners_enabled)"));
    CHECK(lines_of(at, "out.jsonl").size() == 3);

    at.write("stele.toml", "store = \"log.stele\"\n" + std::string{to_file});
    CHECK(at.stele({"run", "--until-caught-up"}).status == 0);
    REQUIRE(lines_of(at, "out.jsonl").size() == 4);
    CHECK(lines_of(at, "out.jsonl").at(3).at("type") == "C");
}

TEST_CASE("stele run runs projections, listeners, or what is named", "[e2e][listeners]") {
    Workplace at;
    seed(at, to_file);
    at.write("projections/counts.sql",
             "--@ projection counts version 1\n--@ create\nCREATE TABLE counts (n);\n"
             "--@ on *\nINSERT INTO counts VALUES ($position);\n");
    const auto position = [&] {
        return at.stele({"projection", "status", "counts", "--json"}).json().at("position");
    };
    REQUIRE(at.stele({"run", "--only-listeners", "--until-caught-up"}).status == 0);
    CHECK(lines_of(at, "out.jsonl").size() == 3);
    CHECK(position() == 0);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    REQUIRE(at.stele({"run", "--no-listeners", "--until-caught-up"}).status == 0);
    CHECK(lines_of(at, "out.jsonl").size() == 3);
    CHECK(position() == 4);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    REQUIRE(at.stele({"run", "to_file", "--until-caught-up"}).status == 0);
    CHECK(lines_of(at, "out.jsonl").size() == 5);
    CHECK(position() == 4);
    const auto unknown = at.stele({"run", "to_fil"});
    CHECK(unknown.status == 4);
    CHECK_THAT(unknown.err, ContainsSubstring("try: stele run to_file"));
    CHECK(at.stele({"run", "--no-listeners", "--only-listeners"}).status == 2);
}

TEST_CASE(
    "a webhook of stele.toml that fails first is tried again with the same key, signed by a secret of the "
    "environment",
    "[e2e][listeners]") {
    Workplace at;
    test::HttpReceiver receiver;
    receiver.next({{503, "busy"}, {200}});
    seed(at,
         "[[listener]]\nname = \"hook\"\ntypes = [\"B\"]\ndelays = [\"1ms\"]\n[listener.sink]\n"
         "type = \"webhook\"\nallow_private = true\nsecrets = [\"env:HOOK\"]\nurl = \"" +
             receiver.url() + "\"\n");
    const std::map<std::string, std::string> secret{{"HOOK", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}};
    REQUIRE(at.stele({"check-config"}, {.environment = secret}).status == 0);
    // What waits for its retry is settled, as it can wait for long: another run makes it.
    while (receiver.requests().size() < 2)
        REQUIRE(at.stele({"run", "--until-caught-up"}, {.environment = secret}).status == 0);
    const auto requests = receiver.requests();
    CHECK(json::parse(requests[0].body).at("type") == "B");
    CHECK(requests[0].header("webhook-id") == requests[1].header("webhook-id"));
    CHECK(requests[1].header("webhook-signature").rfind("v1,", 0) == 0);
}

TEST_CASE("stele health takes its limits from stele.toml, and from the command line before it",
          "[e2e][listeners]") {
    Workplace at;
    seed(at, std::string{to_file} + "[health]\nmax_lag_events = 2\n");
    const auto red = at.stele({"health"});
    CHECK(red.status == 1);
    CHECK_THAT(red.out, ContainsSubstring("the limit is 2"));
    CHECK(at.stele({"health", "--max-lag-events", "3"}).status == 0);
    REQUIRE(at.stele({"run", "--until-caught-up"}).status == 0);
    CHECK(at.stele({"health"}).status == 0);
}
