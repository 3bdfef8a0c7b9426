// The operator's job: read models are rebuilt while `stele run` follows, another process appends, and readers read.
#include "curl_history.hpp"
#include "workplace.hpp"

#include <sqlite3.h>

#include <atomic>
#include <set>
#include <sstream>
#include <thread>

using namespace stele;
using test::Workplace;

namespace {

namespace fs = std::filesystem;

const char* const counts_of_types = R"(--@ projection types version 1
--@ create
CREATE TABLE types (type TEXT PRIMARY KEY, n INTEGER NOT NULL);
--@ on *
INSERT INTO types VALUES ($type, 1) ON CONFLICT (type) DO UPDATE SET n = n + 1;
)";

std::string joined(const std::vector<std::string>& lines, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += lines[i] + "\n";
    return text;
}

// Any SQLite reader: opens the link anew each time, as one that knows nothing of Stele does, and counts what fails
// and what is empty.
class Reader {
public:
    explicit Reader(fs::path file) : file_(std::move(file)), thread_([this] { read(); }) {}
    ~Reader() { stop(); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    void stop() {
        done_ = true;
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] int reads() const { return reads_; }
    [[nodiscard]] int failed() const { return failed_; }
    [[nodiscard]] int went_back() const { return went_back_; }

private:
    void read() {
        while (!done_) {
            const auto position = position_now();
            ++reads_;
            if (position <= 0) ++failed_;
            if (position > 0 && position < last_) ++went_back_;
            if (position > 0) last_ = position;
        }
    }

    // The position where there are rows; 0 where there are none, or something fails.
    [[nodiscard]] std::int64_t position_now() const {
        sqlite3* db = nullptr;
        sqlite3_stmt* statement = nullptr;
        std::int64_t position = 0;
        if (sqlite3_open_v2(file_.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
            sqlite3_busy_timeout(db, 10'000) == SQLITE_OK &&
            sqlite3_prepare_v2(db, "SELECT position FROM stele_projection WHERE EXISTS (SELECT * FROM files)", -1,
                               &statement, nullptr) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
            position = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(db);
        return position;
    }

    fs::path file_;
    std::atomic<bool> done_{false};
    std::atomic<int> reads_{0};
    std::atomic<int> failed_{0};
    std::atomic<int> went_back_{0};
    std::int64_t last_ = 0;
    std::thread thread_;
};

std::set<std::string> files_in(const fs::path& file) {
    std::set<std::string> rows;
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    const auto add = [](void* to, int, char** values, char**) {
        std::string row;
        for (int i = 0; i < 4; ++i) row += std::string{i > 0 ? "," : ""} + (values[i] == nullptr ? "" : values[i]);
        static_cast<std::set<std::string>*>(to)->insert(row);
        return 0;
    };
    CHECK(sqlite3_exec(db, "SELECT path, mode, blob, lines FROM files", add, &rows, nullptr) == SQLITE_OK);
    sqlite3_close(db);
    return rows;
}

}  // namespace

TEST_CASE("read models are rebuilt while others run them, append and read, and come out exactly",
          "[e2e][projection][run]") {
    const auto history = test::curl_history();
    const auto head = static_cast<std::int64_t>(history.lines.size());
    const Workplace at;
    at.write("stele.toml", "store = \"log.stele\"\n");
    fs::copy_file(fs::path{STELE_SOURCES} / "examples/history/projections/files.sql",
                  (fs::create_directories(at.path("projections")), at.path("projections/files.sql")));
    at.write("projections/types.sql", counts_of_types);
    at.write("part.jsonl", joined(history.lines, history.lines.size() / 2));
    at.write("all.jsonl", joined(history.lines, history.lines.size()));
    REQUIRE(at.stele({"import", "part.jsonl", "--source", "history"}).status == 0);

    auto runner = at.start({"run", "--project", at.path("").string(), "--json"});
    const auto first = at.stele({"run", "--until-caught-up"});
    INFO(first);
    REQUIRE(first.status == 0);

    Reader reader{at.path("log.stele/models/files.db")};
    auto appender = at.start({"import", at.path("all.jsonl").string(), "--source", "history"});
    for (int round = 1; round <= 4; ++round) {
        const auto rebuilt = at.stele({"projection", "rebuild", "--all", "--json"});
        INFO(rebuilt);
        CHECK(rebuilt.status == 0);
        CHECK(rebuilt.json_lines().size() == 2);
    }
    CHECK(appender.wait() == 0);
    CHECK(at.stele({"run", "--until-caught-up"}).status == 0);
    reader.stop();
    CHECK(reader.reads() > 0);
    CHECK(reader.failed() == 0);
    CHECK(reader.went_back() == 0);

    for (const auto& projection : at.stele({"projection", "status", "--json"}).json_lines()) {
        CAPTURE(projection);
        CHECK(projection.at("state") == "live");
        CHECK(projection.at("position") == head);
        CHECK(projection.at("generation") >= 5);
        CHECK_FALSE(projection.at("owner").is_null());
    }
    const auto checked = at.stele({"projection", "check", "--all", "--json"});
    INFO(checked);
    CHECK(checked.status == 0);
    CHECK(checked.json_lines().size() == 2);

    int number = 0;
    for (const auto& checkpoint : history.checkpoints) {
        const auto into = at.path("checkpoint" + std::to_string(++number) + ".db");
        CAPTURE(number);
        REQUIRE(at.stele({"projection", "rebuild", "files", "--until", std::to_string(checkpoint.position),
                          "--into", into.string()})
                    .status == 0);
        CHECK(files_in(into) == checkpoint.files);
    }
    CHECK(number == 4);
    CHECK(files_in(at.path("log.stele/models/files.db")) == history.checkpoints.back().files);

    runner.kill(SIGTERM);
    (void)runner.read_all();
    CHECK(runner.wait() == 0);
}
