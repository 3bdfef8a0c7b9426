// stele run: read models follow the log until it is told to stop.
#include "workplace.hpp"

#include <algorithm>
#include <functional>

using namespace stele;
using nlohmann::json;
using test::event_line;
using test::Process;
using test::Workplace;

namespace {

std::string counts(int version, const std::string& heading = "") {
    return "--@ projection counts version " + std::to_string(version) + heading + R"(
--@ create
CREATE TABLE counts (type TEXT PRIMARY KEY, n INTEGER NOT NULL);
--@ on *
INSERT INTO counts VALUES ($type, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1;
)";
}

Workplace& seeded(Workplace& at) {
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("projections/counts.sql", counts(1));
    at.write("lines.jsonl", event_line("1", "A") + event_line("2", "B") + event_line("1", "A"));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

Process start_runner(const Workplace& at) { return at.start({"run", "--project", at.path("").string(), "--json"}); }

// Reads what a runner says until it says that.
json next_news(Process& runner, const std::string& what) {
    for (;;) {
        const auto line = runner.read_line();
        REQUIRE(line.has_value());
        auto news = json::parse(*line);
        if (news.at("what") == what) return news;
    }
}

json status_of(const Workplace& at) { return at.stele({"projection", "status", "counts", "--json"}).json(); }

// Waits until whoever runs the projections has taken in all that is there.
void wait_until_caught_up(const Workplace& at) {
    const auto ran = at.stele({"run", "--until-caught-up"});
    INFO(ran);
    REQUIRE(ran.status == 0);
}

}  // namespace

TEST_CASE("stele run builds what is absent, follows other processes, and stops on SIGTERM and SIGINT",
          "[e2e][run]") {
    Workplace at;
    seeded(at);
    const auto signal = GENERATE(SIGTERM, SIGINT);
    auto runner = start_runner(at);
    CHECK(next_news(runner, "live").at("projection") == "counts");
    for (int i = 0; i < 3; ++i) {
        REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
        wait_until_caught_up(at);
        CHECK(status_of(at).at("position") == 4 + i);
    }
    CHECK(status_of(at).at("owner").is_string());
    runner.kill(signal);
    (void)runner.read_all();
    CHECK(runner.wait() == 0);
    CHECK(status_of(at).at("owner").is_null());
    CHECK(status_of(at).at("lag_events") == 0);
}

TEST_CASE("stele run --until-caught-up ends by itself, and says on standard error what happened", "[e2e][run]") {
    Workplace at;
    seeded(at);
    const auto ran = at.stele({"run", "--until-caught-up"});
    INFO(ran);
    CHECK(ran.status == 0);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, ContainsSubstring("counts"));
    CHECK(status_of(at).at("position") == 3);
}

TEST_CASE("stele run rebuilds a projection whose definition has changed", "[e2e][run]") {
    Workplace at;
    seeded(at);
    wait_until_caught_up(at);
    at.write("projections/counts.sql", counts(2));
    CHECK(status_of(at).at("state") == "changed");
    wait_until_caught_up(at);
    CHECK(status_of(at).at("version") == 2);
    CHECK(status_of(at).at("generation") == 2);
    CHECK(status_of(at).at("state") == "live");
}

TEST_CASE("what another process does to a projection, stele run goes along with", "[e2e][run]") {
    Workplace at;
    seeded(at);
    auto runner = start_runner(at);
    (void)next_news(runner, "live");
    REQUIRE(at.stele({"projection", "pause", "counts"}).status == 0);
    (void)next_news(runner, "paused");
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    CHECK(status_of(at).at("position") == 3);
    REQUIRE(at.stele({"projection", "resume", "counts"}).status == 0);
    (void)next_news(runner, "live");
    wait_until_caught_up(at);
    CHECK(status_of(at).at("position") == 4);

    REQUIRE(at.stele({"projection", "rebuild", "counts"}).status == 0);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    wait_until_caught_up(at);
    CHECK(status_of(at).at("generation") == 2);
    CHECK(status_of(at).at("position") == 5);
    CHECK(at.stele({"projection", "check", "counts"}).status == 0);
    runner.kill(SIGTERM);
    CHECK(runner.wait() == 0);
}

TEST_CASE("when a process that runs a projection is killed, another takes it over", "[e2e][run]") {
    Workplace at;
    seeded(at);
    auto first = start_runner(at);
    (void)next_news(first, "live");
    auto second = start_runner(at);
    first.kill();
    CHECK(first.wait() == 128 + SIGKILL);
    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    (void)next_news(second, "owned");
    wait_until_caught_up(at);
    CHECK(status_of(at).at("position") == 4);
    CHECK(at.stele({"projection", "check", "counts"}).status == 0);
    second.kill(SIGTERM);
    CHECK(second.wait() == 0);
}

TEST_CASE("stele run goes on with other projections when one fails, or its file is broken", "[e2e][run]") {
    Workplace at;
    seeded(at);
    at.write("projections/fails.sql",
             "--@ projection fails version 1\n--@ create\nCREATE TABLE fails (t CHECK (t <> 'C'));\n"
             "--@ on *\nINSERT INTO fails VALUES ($type);\n");
    at.write("projections/broken.sql", "--@ projection broken version 1\nSELECT 1;\n");
    const auto first = at.stele({"run", "--until-caught-up"});
    INFO(first);
    CHECK(first.status == 1);
    CHECK_THAT(first.err, ContainsSubstring("projections/broken.sql:2"));
    std::filesystem::remove(at.path("projections/broken.sql"));
    CHECK(at.stele({"run", "--until-caught-up"}).status == 0);

    REQUIRE(at.stele({"append", "Site/1", "C"}).status == 0);
    const auto failed = at.stele({"run", "--until-caught-up"});
    INFO(failed);
    CHECK(failed.status == 1);
    CHECK_THAT(failed.err, ContainsSubstring("position 4, C v1"));
    CHECK(status_of(at).at("position") == 4);
}

TEST_CASE("stele run without a store or a projection says what is missing", "[e2e][run]") {
    Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n");
    CHECK(at.stele({"run"}).status == 4);
    at.write("projections/counts.sql", counts(1));
    const auto no_store = at.stele({"run"});
    CHECK(no_store.status == 4);
    CHECK_THAT(no_store.err, ContainsSubstring("there is no store here"));
    const auto unknown = at.stele({"run", "count"});
    CHECK(unknown.status == 4);
    CHECK_THAT(unknown.err, ContainsSubstring("try: stele run counts"));
}

TEST_CASE("stele run ends when the reader of its output goes away", "[e2e][run]") {
    Workplace at;
    seeded(at);
    auto runner = start_runner(at);
    (void)next_news(runner, "live");
    runner.close_output();
    CHECK(runner.wait() == 0);
}

TEST_CASE("a rebuild that is interrupted leaves the generation that was there, and nothing else",
          "[e2e][projection][run]") {
    Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n");
    at.write("projections/counts.sql", counts(1));
    at.write("lines.jsonl", test::event_lines(120'000));
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    REQUIRE(at.stele({"projection", "rebuild", "counts", "--until", "10"}).status == 0);
    const auto names = [&] {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator{at.path("log.stele/models")}) {
            const auto name = entry.path().filename().string();
            if (!name.ends_with("-wal") && !name.ends_with("-shm")) all.push_back(name);
        }
        std::sort(all.begin(), all.end());
        return all;
    };
    const auto before = names();
    auto rebuild = at.start({"projection", "rebuild", "counts", "--project", at.path("").string()});
    // It has begun when its file is there.
    while (names() == before) CHECK(status_of(at).at("generation") == 1);
    rebuild.kill(SIGINT);
    (void)rebuild.read_all();
    CHECK(rebuild.wait() == 1);
    CHECK(names() == before);
    CHECK(status_of(at).at("generation") == 1);
    CHECK(status_of(at).at("position") == 10);
}
