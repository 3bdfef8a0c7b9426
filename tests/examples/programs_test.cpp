// The programs of examples/embed_audit_trail, replay_debug and rebuild_projection, run as their READMEs say.
#include <stele/schema/event_json.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/process.hpp>
#include <stele/test/store.hpp>
#include <stele/test/temporary_folder.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace stele {
namespace {

using Lines = std::vector<std::string>;

struct Outcome {
    Lines lines;
    int status = 0;
};

Outcome run(const std::vector<std::string>& command) {
    test::Process program{command};
    program.close_input();
    Outcome outcome;
    while (auto line = program.read_line()) outcome.lines.push_back(std::move(*line));
    outcome.status = program.wait();
    return outcome;
}

std::string example(const std::string& path) { return std::string{EXAMPLES} + "/" + path; }

TEST_CASE("the audit trail shows the conflict and who changed what", "[examples]") {
    const test::TemporaryFolder folder;
    const auto store = (folder / "audit.stele").string();
    const auto first = run({AUDIT_TRAIL, store});
    CHECK(first.status == 0);
    CHECK(first.lines ==
          Lines{"ben's change is refused: he saw version 1, and Account/acme is at 2. In between:",
                "  Account/acme version 2: LimitChanged {\"limit\":5000} by ada from 203.0.113.7",
                "Who changed the limit of acme?",
                "  Account/acme version 2: LimitChanged {\"limit\":5000} by ada from 203.0.113.7",
                "What has ben done?",
                "  Account/acme version 3: LimitReviewed {\"limit\":5000} by ben from 198.51.100.4"});
    const auto second = run({AUDIT_TRAIL, store});
    CHECK(second.status == 1);
    CHECK(second.lines.empty());
    CHECK(test::types_in(EventStore::open(store)) == Lines{"AccountOpened", "LimitChanged", "LimitReviewed"});
}

// The store of the example, of the first `count` of its events.
std::string stock_of(const test::TemporaryFolder& folder, int count) {
    auto path = (folder / "stock.stele").string();
    auto store = EventStore::open(path);
    std::ifstream events{example("replay_debug/events.jsonl")};
    std::string text;
    for (int i = 0; i < count && std::getline(events, text); ++i) {
        auto [stream, event] = parse_event_line(text);
        store.append(stream, expect::any, {std::move(event)});
    }
    return path;
}

TEST_CASE("the replay names the event that broke the stock and what came of the same request", "[examples]") {
    const test::TemporaryFolder folder;
    const auto outcome = run({REPLAY_DEBUG, stock_of(folder, 8), example("replay_debug/aggregates"), "lamp"});
    CHECK(outcome.status == 1);
    REQUIRE(outcome.lines.size() == 11);
    CHECK(outcome.lines[4] ==
          R"(version 5  Released {"order":"o-2","quantity":3}  gives {"on_hand":6,"reserved":0})");
    CHECK(outcome.lines[5] ==
          R"(version 6  Released {"order":"o-2","quantity":3}  gives {"on_hand":6,"reserved":-3})");
    CHECK(outcome.lines[6] == R"(which is wrong: it was {"on_hand":6,"reserved":0}, and )"
                              R"([{"op":"replace","path":"/reserved","value":-3}] is what changed)");
    CHECK(outcome.lines[7] == R"(It happened at 2026-01-05T13:30:30.000000Z, by "cancel-worker-2".)");
    CHECK(outcome.lines[9] == R"(  position 5  Released {"order":"o-2","quantity":3} by "cancel-worker-1")");
    CHECK(outcome.lines[10] == R"(  position 6  Released {"order":"o-2","quantity":3} by "cancel-worker-2")");
}

TEST_CASE("the replay of a stock that is sound ends well", "[examples]") {
    const test::TemporaryFolder folder;
    const auto outcome = run({REPLAY_DEBUG, stock_of(folder, 5), example("replay_debug/aggregates"), "lamp"});
    CHECK(outcome.status == 0);
    CHECK(outcome.lines.size() == 5);
}

TEST_CASE("projections that are rebuilt under appends end with all rows", "[examples]") {
    const test::TemporaryFolder folder;
    const auto outcome =
        run({REBUILD_PROJECTION, (folder / "sites.stele").string(), example("rebuild_projection/projections")});
    CHECK(outcome.status == 0);
    CHECK(outcome.lines == Lines{"sites_by_plan: free has 300", "sites_by_plan: pro has 300",
                                 "tenant_sites: acme has 200", "tenant_sites: zephyr has 400"});
}

TEST_CASE("the programs for those who embed Stele are under 60 lines each", "[examples]") {
    for (const std::string path : {"embed_audit_trail/audit_trail.cpp", "replay_debug/replay_debug.cpp",
                                   "rebuild_projection/rebuild_projection.cpp"}) {
        std::ifstream file{example(path)};
        REQUIRE(file);
        int lines = 0;
        for (std::string line; std::getline(file, line);) ++lines;
        CAPTURE(path, lines);
        CHECK(lines > 20);
        CHECK(lines < 60);
    }
}

}  // namespace
}  // namespace stele
