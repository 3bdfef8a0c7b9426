// stele metrics: numbers that are true of the store, whoever has made them.
#include "workplace.hpp"

#include <map>
#include <sstream>

using namespace stele;
using test::event_line;
using test::Workplace;

namespace {

// By what stands before the blank: name and labels.
std::map<std::string, double> numbers_of(const std::string& text) {
    std::map<std::string, double> numbers;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        const auto blank = line.rfind(' ');
        numbers[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
    }
    return numbers;
}

void seed(const Workplace& at) {
    at.write("stele.toml",
             "store = \"log.stele\"\n"
             "[[listener]]\nname = \"good\"\nsink = { type = \"jsonl\", path = \"out.jsonl\" }\n"
             "[[listener]]\nname = \"bad\"\ntypes = [\"B\"]\nattempts = 1\n"
             "sink = { type = \"exec\", command = [\"false\"] }\n");
    at.write("lines.jsonl", event_line("1", "A") + event_line("2", "B") + event_line("1", "A"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
}

}  // namespace

TEST_CASE("metrics say what was appended, delivered, failed and dead, and how far behind each listener is",
          "[e2e][metrics]") {
    Workplace at;
    seed(at);
    auto numbers = numbers_of(at.stele({"metrics"}).out);
    CHECK(numbers.at("stele_events_appended_total") == 3);
    CHECK(numbers.at("stele_listener_lag_events{listener=\"good\"}") == 3);
    CHECK(numbers.at("stele_deliveries_succeeded_total{listener=\"good\"}") == 0);

    REQUIRE(at.stele({"run", "--until-caught-up"}).status == 0);
    numbers = numbers_of(at.stele({"metrics"}).out);
    CHECK(numbers.at("stele_events_dispatched_total{listener=\"good\"}") == 3);
    CHECK(numbers.at("stele_deliveries_succeeded_total{listener=\"good\"}") == 3);
    CHECK(numbers.at("stele_delivery_duration_seconds_count{listener=\"good\"}") == 3);
    CHECK(numbers.at("stele_delivery_duration_seconds_bucket{listener=\"good\",le=\"+Inf\"}") == 3);
    CHECK(numbers.at("stele_listener_lag_events{listener=\"good\"}") == 0);
    CHECK(numbers.at("stele_deliveries_failed_total{listener=\"bad\",cause=\"exit_1\"}") == 1);
    CHECK(numbers.at("stele_deliveries_dead_total{listener=\"bad\",cause=\"exit_1\"}") == 1);
    CHECK(numbers.at("stele_dead_letters{listener=\"bad\"}") == 1);
    CHECK(numbers.at("stele_listener_healthy{listener=\"good\"}") == 1);
}
