// The aggregate files of examples/ give what is known from elsewhere about the same history.

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/replay.hpp>
#include <stele/schema/event_json.hpp>
#include <stele/test/store.hpp>

#include <fstream>
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
