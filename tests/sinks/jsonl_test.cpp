// Jsonl: what is in the file afterwards, whoever else writes, moves and tears it.
#include "vocabulary.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/test/process.hpp>
#include <stele/test/refusal.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <set>
#include <sstream>
#include <thread>

namespace stele::sinks {
namespace {

using stele::test::TemporaryFolder;
using test::Sinking;
using test::some_event;

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::istringstream text{test::content(file)};
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

std::string whole_line() {
    auto line = to_event_line(some_event());
    line.pop_back();
    return line + ",\"delivery_key\":\"" + test::key + "\"}";
}

TEST_CASE("a line is the event and the delivery's key", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const Sinking sinking{Jsonl{folder / "events.jsonl"}};

    CHECK(sinking.attempt().succeeded);
    CHECK(sinking.attempt().succeeded);

    CHECK(test::content(folder / "events.jsonl") == whole_line() + "\n" + whole_line() + "\n");
}

TEST_CASE("a last line that a crash tore is cut off", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const auto file = folder / "events.jsonl";
    const auto line = whole_line();
    const auto torn_at = GENERATE(as<std::size_t>{}, 1, 2, 17, 100, 0);
    const auto torn = torn_at == 0 ? "{\"data\":\"" + std::string(200'000, 'x') : line.substr(0, torn_at);
    const auto before = GENERATE(as<std::string>{}, "", "{\"position\":1}\n");
    CAPTURE(torn_at, before);
    test::write(file, before + torn);

    CHECK(Sinking{Jsonl{file}}.attempt().succeeded);

    CHECK(test::content(file) == before + line + "\n");
}

TEST_CASE("a last line that lacks nothing but its line feed stays", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const auto file = folder / "events.jsonl";
    test::write(file, "{\"position\":1}\n{\"position\":2}");

    CHECK(Sinking{Jsonl{file}}.attempt().succeeded);

    CHECK(test::content(file) == "{\"position\":1}\n{\"position\":2}\n" + whole_line() + "\n");
}

TEST_CASE("lines of several workers do not mix", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const auto file = folder / "events.jsonl";
    const Sinking sinking{Jsonl{file}};
    constexpr int each = 25;
    std::vector<std::thread> workers;
    for (int i = 0; i < 4; ++i) {
        workers.emplace_back([&, i] {
            const auto handler = sinking.make();
            const auto event = some_event("{\"worker\":" + std::to_string(i) + ",\"pad\":\"" +
                                          std::string(static_cast<std::size_t>(i) * 9'000, 'x') + "\"}");
            for (int n = 0; n < each; ++n) CHECK(test::attempt(*handler, event).succeeded);
        });
    }
    for (auto& worker : workers) worker.join();

    std::map<int, int> seen;
    for (const auto& line : lines_of(file)) ++seen[nlohmann::json::parse(line).at("data").at("worker").get<int>()];
    CHECK(seen == std::map<int, int>{{0, each}, {1, each}, {2, each}, {3, each}});
}

// Goal:   after any kill, each line that was reported is there whole, and no line is torn but the last.
// Method: two processes append and print each key that succeeded; both are killed at whatever they are doing; then
//         one more line is written.
TEST_CASE("writers that are killed lose no line that was delivered", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const auto file = folder / "events.jsonl";
    std::set<std::string> promised;
    for (int round = 0; round < 15; ++round) {
        stele::test::Process a{{JSONL_WRITER, file.string(), "a" + std::to_string(round)}};
        stele::test::Process b{{JSONL_WRITER, file.string(), "b" + std::to_string(round)}};
        for (int n = 0; n <= round; ++n) {
            promised.insert(a.read_line().value());
            promised.insert(b.read_line().value());
        }
        a.kill();
        b.kill();
        a.wait();
        b.wait();
        while (const auto key = a.read_line()) promised.insert(*key);
        while (const auto key = b.read_line()) promised.insert(*key);
    }
    CHECK(Sinking{Jsonl{file}}.attempt().succeeded);

    std::set<std::string> found;
    for (const auto& line : lines_of(file)) {
        CAPTURE(line);
        REQUIRE(nlohmann::json::accept(line));
        found.insert(nlohmann::json::parse(line).at("delivery_key").get<std::string>());
    }
    for (const auto& key : promised) {
        CAPTURE(key);
        CHECK(found.contains(key));
    }
}

TEST_CASE("a file that was moved away is made anew", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const auto file = folder / "events.jsonl";
    const Sinking sinking{Jsonl{file}};
    CHECK(sinking.attempt().succeeded);

    std::filesystem::rename(file, folder / "events.jsonl.1");
    CHECK(sinking.attempt().succeeded);

    CHECK(lines_of(file).size() == 1);
    CHECK(lines_of(folder / "events.jsonl.1").size() == 1);
}

TEST_CASE("a file that cannot be written fails the delivery by name, and keeps its lines whole", "[sinks][jsonl]") {
    const TemporaryFolder folder;
    const auto missing = Sinking{Jsonl{folder / "no folder" / "events.jsonl"}}.attempt();
    CHECK((missing.cause == "file" && !missing.is_permanent));
    CHECK_THAT(missing.message, ContainsSubstring("no folder/events.jsonl: making it: No such file"));
    CHECK(Sinking{Jsonl{folder.path()}}.attempt().cause == "file");

    // A limit of the size of files stands for a disk that is full in the middle of a line.
    const auto file = folder / "events.jsonl";
    const Sinking sinking{Jsonl{file}};
    CHECK(sinking.attempt().succeeded);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto narrow = before;
    narrow.rlim_cur = whole_line().size() + 100;
    const auto handled = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &narrow) == 0);
    const auto full = sinking.attempt();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handled);
    CHECK((full.cause == "file" && !full.is_permanent));
    CHECK(lines_of(file) == std::vector{whole_line()});
    CHECK(sinking.attempt().succeeded);
    CHECK(lines_of(file) == std::vector{whole_line(), whole_line()});

    CHECK(stele::test::refused_field([] { (void)sink_listener({.name = "tell"}, Jsonl{}); }) ==
          "path of the jsonl of listener \"tell\"");
}

}  // namespace
}  // namespace stele::sinks
