// Read models of the past: as of a position or a time, current until they are resumed, or in a file of their own.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>

namespace stele {
namespace {

namespace fs = std::filesystem;
using test::Lines;

Lines listing(const fs::path& folder) {
    Lines names;
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
        const auto name = fs::relative(entry.path(), folder).string();
        if (!name.ends_with("-shm") && !name.ends_with("-wal")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

// Read as a plain file is: with nothing beside it.
Lines rows_in(const fs::path& file, const char* query) {
    sqlite3* raw = nullptr;
    REQUIRE(sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
    const std::shared_ptr<sqlite3> db{raw, sqlite3_close_v2};
    return test::lines_of(Rows{std::make_shared<sql::Statement>(raw, query)});
}

TEST_CASE("a rebuild as of a time has the events that were recorded by then", "[projections][past][P1]") {
    auto time = parse_rfc3339("2026-01-05T10:00:00Z", "time");
    auto store = EventStore::temporary(Options{.clock = [&] { return time; }});
    test::pay(store, 50);
    const auto noon = time += std::chrono::hours{2};
    test::pay(store, 50);
    time += std::chrono::hours{1};
    test::pay(store, 50);

    RebuildOptions options;
    options.as_of = noon + std::chrono::minutes{30};
    const auto rebuilt = test::rebuild_now(store, *test::payments(), options);
    CHECK(rebuilt.generation.position == Position{100});
    CHECK(rebuilt.generation.state == "paused");
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{100}));

    CHECK(catch_up(store, *test::payments()).position == Position{100});
    resume(store, "payments");
    CHECK(catch_up(store, *test::payments()).position == Position{150});
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{150}));

    options.as_of = noon - std::chrono::hours{5};
    CHECK(test::rebuild_now(store, *test::payments(), options).generation.position == Position{0});
    options.until = Position{3};
    CHECK_THROWS_AS(rebuild(store, *test::payments(), options), InvalidInput);
}

struct Elsewhere {
    EventStore store = EventStore::temporary();
    test::TemporaryFolder folder;
    fs::path file = folder / "payments-of-march.db";
    RebuildOptions options;

    Elsewhere() {
        test::pay(store, 100);
        options.into = file;
    }
    [[nodiscard]] std::string refusal() const {
        return test::error_of<InvalidInput>([&] { rebuild(store, *test::payments(), options); }).what();
    }
};

TEST_CASE("a read model in a file of its own is plain, complete, and all that changes", "[projections][past][P1]") {
    Elsewhere elsewhere;
    auto& [store, folder, file, options] = elsewhere;
    options.until = Position{70};
    const auto before = listing(store.name());
    const auto rebuilt = rebuild(store, *test::payments(), options);
    REQUIRE(rebuilt);
    CHECK(rebuilt->generation.position == Position{70});
    CHECK(rebuilt->generation.state == "paused");
    CHECK(listing(store.name()) == before);
    CHECK(listing(folder.path()) == Lines{"payments-of-march.db"});
    CHECK(rows_in(file, test::all_payments) == test::expected_payments(store, Position{70}));
    CHECK(rows_in(file, "PRAGMA journal_mode") == Lines{"delete"});
    CHECK(rows_in(file, "SELECT position, state FROM stele_projection") == Lines{"70 paused"});
    CHECK_FALSE(fs::exists(file.string() + "-wal"));
}

TEST_CASE("a file that is there is not built over", "[projections][past]") {
    Elsewhere elsewhere;
    std::ofstream{elsewhere.file} << "somebody's file";
    CHECK_THAT(elsewhere.refusal(), ContainsSubstring("into: expected a file that is not there yet, found "));
    CHECK(fs::file_size(elsewhere.file) == 15);
    fs::remove(elsewhere.file);

    std::ofstream{elsewhere.file.string() + ".new"} << "somebody's file";
    CHECK_THAT(elsewhere.refusal(), ContainsSubstring("payments-of-march.db.new"));
    fs::remove(elsewhere.file.string() + ".new");

    CHECK(rebuild(elsewhere.store, *test::payments(), elsewhere.options));
    CHECK_THAT(elsewhere.refusal(), ContainsSubstring("into: expected a file that is not there yet, found "));

    elsewhere.file = elsewhere.folder / "another.db";
    elsewhere.options.into = elsewhere.file;
    elsewhere.options.batch = 10;
    bool once = false;
    elsewhere.options.progress = [&](const FoldProgress&) {
        if (!std::exchange(once, true)) std::ofstream{elsewhere.file} << "somebody's file";
    };
    CHECK_THAT(elsewhere.refusal(), ContainsSubstring("another.db"));
    CHECK(fs::file_size(elsewhere.file) == 15);
    CHECK(listing(elsewhere.folder.path()) == Lines{"another.db", "payments-of-march.db"});
}

TEST_CASE("building a file of its own is done by one at a time, and leaves nothing when it is cancelled",
          "[projections][past]") {
    Elsewhere elsewhere;
    std::stop_source source;
    elsewhere.options.stop = source.get_token();
    elsewhere.options.batch = 10;
    int refused = 0;
    elsewhere.options.progress = [&](const FoldProgress&) {
        RebuildOptions another;
        another.into = elsewhere.file;
        CHECK(test::error_of<ProjectionError>([&] {
                  rebuild(elsewhere.store, *test::payments(), another);
              }).code() == "projection_busy");
        if (++refused == 3) source.request_stop();
    };
    CHECK_FALSE(rebuild(elsewhere.store, *test::payments(), elsewhere.options));
    CHECK(refused == 3);
    CHECK(listing(elsewhere.folder.path()).empty());
}

TEST_CASE("what a killed build of a file of its own left is built anew", "[projections][past]") {
    Elsewhere elsewhere;
    RebuildOptions given_up;
    std::stop_source source;
    given_up.batch = 10;
    given_up.resumable = true;
    given_up.stop = source.get_token();
    given_up.progress = [&](const FoldProgress&) { source.request_stop(); };
    REQUIRE_FALSE(rebuild(elsewhere.store, *test::payments(), given_up));
    fs::rename(elsewhere.store.models_folder() / "payments.g1.db", elsewhere.file.string() + ".new");

    const auto rebuilt = rebuild(elsewhere.store, *test::payments(), elsewhere.options);
    REQUIRE(rebuilt);
    CHECK(rebuilt->events == 80);
    CHECK(rows_in(elsewhere.file, test::all_payments) == test::expected_payments(elsewhere.store, Position{100}));
    CHECK(listing(elsewhere.folder.path()) == Lines{"payments-of-march.db"});
}

}  // namespace
}  // namespace stele
