// stele events --follow: what is there, then what other processes append, and that it stops.
#include "workplace.hpp"

using namespace stele;
using nlohmann::json;
using test::Workplace;

namespace {

std::string next_type(test::Process& process) {
    const auto line = process.read_line();
    REQUIRE(line.has_value());
    return json::parse(*line).at("type").get<std::string>();
}

void append(const Workplace& at, const std::string& type, const std::string& correlation = "") {
    std::vector<std::string> words{"append", "Site/1", type};
    if (!correlation.empty()) words.insert(words.end(), {"--meta", R"({"correlation_id":")" + correlation + "\"}"});
    REQUIRE(at.stele(words).status == 0);
}

}  // namespace

TEST_CASE("events --follow prints what is there, and then each event of another process at once", "[e2e][follow]") {
    const Workplace at;
    append(at, "A");
    auto process = at.start({"events", "--follow", "--json"});
    CHECK(next_type(process) == "A");
    for (const std::string type : {"B", "C", "D"}) {
        append(at, type);
        CHECK(next_type(process) == type);
    }
    process.kill(SIGTERM);
    CHECK(process.wait() == 0);
}

TEST_CASE("events --follow selects as events does", "[e2e][follow]") {
    const Workplace at;
    append(at, "A", "c1");
    auto process = at.start({"events", "--follow", "--json", "--after", "1", "--type", "A", "--correlation", "c1"});
    append(at, "A");
    append(at, "B", "c1");
    append(at, "A", "c1");
    const auto line = process.read_line();
    REQUIRE(line.has_value());
    CHECK(json::parse(*line).at("position") == 4);
    process.kill(SIGINT);
    CHECK(process.wait() == 0);
}

TEST_CASE("events --follow waits for types, tags and tenants that no event has yet", "[e2e][follow]") {
    const Workplace at;
    append(at, "A");
    auto process = at.start({"events", "--follow", "--json", "--type", "Late", "--tag", "t", "--tenant", "acme"});
    append(at, "Late");
    REQUIRE(at.stele({"append", "acme:Site/1", "Late", "--tag", "t"}).status == 0);
    const auto line = process.read_line();
    REQUIRE(line.has_value());
    CHECK(json::parse(*line).at("tenant") == "acme");
    process.kill(SIGTERM);
    CHECK(process.wait() == 0);
}

TEST_CASE("events --follow with --limit ends by itself", "[e2e][follow]") {
    const Workplace at;
    append(at, "A");
    auto process = at.start({"events", "--follow", "--json", "--limit", "2"});
    CHECK(next_type(process) == "A");
    append(at, "B");
    CHECK(next_type(process) == "B");
    CHECK(process.wait() == 0);
    CHECK(at.stele({"events", "--follow", "--limit", "0"}).out.empty());
}

TEST_CASE("events --follow for people prints the rows of a table as they come", "[e2e][follow]") {
    const Workplace at;
    append(at, "A");
    auto process = at.start({"events", "--follow"});
    CHECK_THAT(process.read_line().value_or(""), ContainsSubstring("POSITION"));
    CHECK_THAT(process.read_line().value_or(""), ContainsSubstring("A"));
    append(at, "B");
    CHECK_THAT(process.read_line().value_or(""), ContainsSubstring("B"));
    process.kill(SIGINT);
    CHECK(process.wait() == 0);
}

TEST_CASE("events --follow ends when the reader of its output goes away, also while it waits", "[e2e][follow]") {
    const Workplace at;
    append(at, "A");
    auto process = at.start({"events", "--follow", "--json"});
    CHECK(next_type(process) == "A");
    process.close_output();
    CHECK(process.wait() == 0);
}
