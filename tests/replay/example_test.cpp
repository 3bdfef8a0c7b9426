// The aggregate files of examples/ give what is known from elsewhere about the same history.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/replay.hpp>
#include <stele/schema/event_json.hpp>
#include <stele/test/store.hpp>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

using namespace stele;

namespace {

const std::string sources = STELE_SOURCE_DIR;

std::ifstream open(const std::string& path) {
    std::ifstream file{sources + '/' + path};
    INFO(path);
    REQUIRE(file);
    return file;
}

EventStore store_of(const std::string& path) {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    auto file = open(path);
    Append append;
    for (std::string line; std::getline(file, line);) {
        auto [stream, event] = parse_event_line(line);
        append.to(std::move(stream), expect::any, {std::move(event)});
    }
    store.append(append);
    return store;
}

}  // namespace

TEST_CASE("examples/history: a file's state is what curl's repository held at that commit", "[replay][example]") {
    const auto store = store_of("tests/replay/data/curl-files.jsonl");
    const auto aggregate = AggregateFile::load(sources + "/examples/history/aggregates/file.sql");

    auto expected = open("tests/replay/data/curl-files.expected.tsv");
    std::string line;
    std::getline(expected, line);  // the heading
    int checked = 0;
    while (std::getline(expected, line)) {
        CAPTURE(line);
        std::istringstream row{line};
        std::string checkpoint, path, mode, blob, lines;
        std::int64_t version = 0;
        row >> checkpoint >> path >> version >> mode >> blob >> lines;

        const auto file = replay(store, {"file", path}, aggregate, {.at_version = Version{version}}).json.value();
        CHECK(file.at("deleted") == (mode == "-"));
        CHECK(file.at("mode") == (mode == "-" ? nlohmann::json{} : nlohmann::json(mode)));
        CHECK(file.at("blob") == (blob == "-" ? nlohmann::json{} : nlohmann::json(blob)));
        CHECK(file.at("lines") == (lines == "-" ? 0 : std::stoi(lines)));
        ++checked;
    }
    CHECK(checked == 17);
}

TEST_CASE("examples/history: a binary file has no number of lines until it is deleted", "[replay][example]") {
    const auto store = store_of("tests/replay/data/curl-files.jsonl");
    const auto aggregate = AggregateFile::load(sources + "/examples/history/aggregates/file.sql");
    const StreamId binary{"file", "src/curl"};
    CHECK(replay(store, binary, aggregate, {.at_version = Version{2}}).json.value().at("lines") == nullptr);
    CHECK(replay(store, binary, aggregate).json.value().at("lines") == 0);
}

// Sums of four decimals are compared as whole numbers of ten-thousandths, which is what they are.
TEST_CASE("examples/quickstart: the states of all orders add up to the revenue of the source",
          "[replay][example]") {
    const auto store = store_of("examples/quickstart/data/northwind-orders.jsonl");
    const auto aggregates = AggregateRegistry::load(sources + "/examples/quickstart/aggregates");
    auto file = open("examples/quickstart/data/expected.json");
    const auto expected = nlohmann::json::parse(file);

    const auto ten_thousandths = [](double amount) { return std::llround(amount * 10'000); };
    long long revenue = 0;
    std::map<std::string, long long> by_country;
    std::map<std::string, int> by_customer;
    std::set<std::string> open_orders;
    std::size_t lines = 0;
    int late = 0;
    store.streams([&](const StreamInfo& info) {
        const auto order = replay(store, info.stream, aggregates).json.value();
        const auto total = ten_thousandths(order.at("total").get<double>());
        revenue += total;
        by_country[order.at("country").get<std::string>()] += total;
        ++by_customer[order.at("customer").get<std::string>()];
        lines += order.at("lines").size();
        if (order.at("status") == "open") open_orders.insert(std::string(info.stream.aggregate_id()));
        if (order.value("late", false)) ++late;
        return true;
    });

    const auto in_ten_thousandths = [&](const nlohmann::json& amount) {
        return ten_thousandths(std::stod(amount.get<std::string>()));
    };
    CHECK(revenue == in_ten_thousandths(expected.at("revenue")));
    for (const auto& [country, amount] : expected.at("revenue_by_country").items()) {
        CAPTURE(country);
        CHECK(by_country[country] == in_ten_thousandths(amount));
    }
    CHECK(by_country.size() == expected.at("revenue_by_country").size());
    CHECK(by_customer == expected.at("orders_by_customer").get<std::map<std::string, int>>());
    CHECK(open_orders == expected.at("open_orders").get<std::set<std::string>>());
    CHECK(lines == expected.at("lines").get<std::size_t>());
    CHECK(late == expected.at("shipped_late").get<int>());
}
