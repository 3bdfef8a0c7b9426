// A runner that does not get on says so, with the reason, to whoever listens and whoever asks (traps 11 and 32).
#include "counting.hpp"
#include "vocabulary.hpp"

#include "build_progress.hpp"
#include "control_db.hpp"
#include "leases.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/lifecycle.hpp>
#include <stele/projections/runner.hpp>

#include <stele/test/faulty_disk.hpp>

#include <algorithm>

namespace stele {
namespace {

using test::Lines;
using namespace std::chrono_literals;

EventStore quick_store() { return EventStore::temporary(Options{.durability = Durability::relaxed}); }

std::shared_ptr<const SqlProjection> counting(int version) {
    std::string text = test::counting_sql;
    return SqlProjection::parse(text.replace(text.find("version 1"), 9, "version " + std::to_string(version)),
                                "counting.sql");
}

// What a runner told, of one kind.
struct Heard {
    std::vector<RunnerNews> all;

    [[nodiscard]] RunnerOptions options() {
        RunnerOptions options;
        options.look_every = 0ms;
        options.news = [this](const RunnerNews& news) { all.push_back(news); };
        return options;
    }
    [[nodiscard]] Lines of(RunnerNews::Kind kind) const {
        Lines texts;
        for (const auto& news : all) {
            if (news.kind == kind) texts.push_back(news.text);
        }
        return texts;
    }
};

// As others see it, who have this definition.
ProjectionStatus seen(const EventStore& store, std::shared_ptr<const Projection> definition) {
    ProjectionRegistry registry;
    const auto name = definition->name();
    registry.add(std::move(definition));
    return projection_status(store, registry, name);
}

struct CannotBeSetUp {
    int version = 1;
    static constexpr auto name = "wrong";
    void setup(Model& model) const {
        model.exec("CREATE TABLE t (n INTEGER NOT NULL)");
        if (version == 1) model.exec("INSERT INTO t VALUES (NULL)");
    }
    void on(const Event&, Model& model) const { model.exec("INSERT INTO t VALUES (1)"); }
};

TEST_CASE("a runner says once that it leaves a projection to a later version", "[projections][runner][status]") {
    auto store = quick_store();
    test::note(store, 5);
    Heard heard;
    Runner old{store, heard.options()};
    old.add(test::counting());
    const bool was_there = GENERATE(true, false);
    CAPTURE(was_there);
    if (was_there) old.step();
    test::rebuild_now(store, *counting(2));
    test::note(store, 2);
    for (int i = 0; i < 3; ++i) old.step();

    const auto told = heard.of(RunnerNews::Kind::superseded);
    REQUIRE(told.size() == 1);
    CHECK_THAT(told[0], ContainsSubstring("was built by version 2; this runner has version 1"));
    CHECK(old.wait_for("counting", store.head(), 1h) == WaitResult::superseded);
    Runner never_begun{store};
    never_begun.add(test::counting());
    CHECK(never_begun.wait_for("counting", store.head(), 1h) == WaitResult::superseded);
    const auto status = seen(store, test::counting());
    CHECK(status.state == "changed");
    CHECK_THAT(status.advice, ContainsSubstring("built by version 2, and this definition is version 1"));

    test::rebuild_now(store, *test::counting());
    old.step();
    CHECK(old.wait_for("counting", store.head(), 1h) == WaitResult::reached);
}

TEST_CASE("a projection whose tables cannot be set up has failed, and says why", "[projections][runner][status]") {
    auto store = quick_store();
    test::note(store, 3);
    const auto wrong = projection(CannotBeSetUp{});
    const bool by_command = GENERATE(false, true);
    CAPTURE(by_command);
    Heard heard;
    Runner runner{store, heard.options()};
    runner.add(wrong);
    if (by_command) {
        const auto error = test::error_of<ProjectionError>([&] { rebuild(store, *wrong); });
        CHECK(error.code() == "projection_setup");
    }
    for (int i = 0; i < 3; ++i) runner.step();
    CHECK(runner.wait_for("wrong", Position{3}, 1h) == WaitResult::failed);
    REQUIRE(heard.of(RunnerNews::Kind::failed).size() == 1);
    CHECK_THAT(heard.of(RunnerNews::Kind::failed)[0], ContainsSubstring("NOT NULL constraint failed: t.n"));
    CHECK(heard.of(RunnerNews::Kind::trouble).empty());

    const auto status = seen(store, wrong);
    CHECK(status.state == "failed");
    CHECK_THAT(status.error, ContainsSubstring("its tables cannot be set up: ") &&
                                 ContainsSubstring("NOT NULL constraint failed"));
    CHECK_THAT(status.advice, ContainsSubstring("correct what sets up its tables"));
    CHECK_THAT(describe(status), !ContainsSubstring("stopped at"));
    CHECK(test::model_files(store).empty());

    runner.stop();
    Runner corrected{store};
    corrected.add(projection(CannotBeSetUp{.version = 2}));
    corrected.step();
    CHECK(test::rows(store, "wrong", "SELECT count(*) FROM t") == Lines{"3"});
}

TEST_CASE("each trouble is told once, and is seen by others until it is over", "[projections][runner][status]") {
    test::FaultyDisk disk{{.models_power = false}};
    auto store = EventStore::open((disk / "log.stele").string(), Options{.durability = Durability::relaxed});
    Heard heard;
    auto options = heard.options();
    options.sqlite_vfs = disk.vfs();
    Runner runner{store, options};
    runner.add(test::counting());
    test::note(store, 5);
    runner.step();
    const auto troubles = [&] { return heard.of(RunnerNews::Kind::trouble); };
    const auto trouble = [&] { return seen(store, test::counting()).trouble; };
    CHECK(trouble().empty());

    test::note(store, 5);
    disk.fail({.op = test::Op::write, .nth = 1, .file = ".g1.db-wal"}, {.for_good = true});
    for (int i = 0; i < 3; ++i) runner.step();
    REQUIRE(troubles().size() == 1);
    CHECK_THAT(troubles()[0], ContainsSubstring("disk I/O error"));
    CHECK_THAT(trouble(), ContainsSubstring("disk I/O error"));
    CHECK_THAT(seen(store, test::counting()).advice, ContainsSubstring("tries again by itself"));
    CHECK_THAT(describe(seen(store, test::counting())), ContainsSubstring("trouble     projection"));

    disk.heal();
    disk.fail({.op = test::Op::write, .nth = 1, .file = ".g1.db-wal"}, {.code = SQLITE_FULL, .for_good = true});
    for (int i = 0; i < 3; ++i) runner.step();
    REQUIRE(troubles().size() == 2);
    CHECK_THAT(troubles()[1], ContainsSubstring("full"));
    CHECK_THAT(trouble(), ContainsSubstring("full"));

    disk.heal();
    runner.step();
    CHECK(trouble().empty());
    CHECK(seen(store, test::counting()).lag_events == 0);
}

TEST_CASE("nobody takes over a projection whose build has failed: trying again does not help",
          "[projections][runner][owners]") {
    auto store = quick_store();
    test::note(store, 3);
    const auto failing = SqlProjection::parse(
        "--@ projection failing version 1\n--@ create\nCREATE TABLE t (n INTEGER NOT NULL);\n"
        "--@ on *\nINSERT INTO t VALUES (NULL)\n",
        "failing.sql");
    Runner owner{store};
    owner.add(failing);
    owner.step();
    CHECK(owner.wait_for("failing", Position{3}, 0ms) == WaitResult::failed);
    Heard heard;
    auto options = heard.options();
    options.takeover_after = 1ms;
    Runner watcher{store, options};
    watcher.add(failing);
    const auto enough = std::chrono::steady_clock::now() + 20ms;
    while (std::chrono::steady_clock::now() < enough) watcher.step();
    CHECK(heard.all.empty());
}

TEST_CASE("what a drop has left that died is dropped all the same, and the next drop removes it",
          "[projections][status]") {
    auto store = quick_store();
    test::note(store, 3);
    test::rebuild_now(store, *test::counting());
    ControlDb{store.name()}.set_dropped("counting", true);
    const auto status = seen(store, test::counting());
    CHECK(status.state == "dropped");
    CHECK_THAT(status.advice, ContainsSubstring("`stele projection drop counting` removes what is left"));
    drop(store, "counting");
    CHECK(test::model_files(store).empty());
    CHECK(seen(store, test::counting()).state == "dropped");
    test::rebuild_now(store, *test::counting());
    CHECK(seen(store, test::counting()).state == "live");
}

TEST_CASE("the time that a build needs is not reckoned from what an earlier one has done",
          "[projections][status]") {
    auto store = quick_store();
    test::note(store, 100);
    std::stop_source stop;
    RebuildOptions options;
    options.batch = 10;
    options.resumable = true;
    options.stop = stop.get_token();
    options.progress = [&](const FoldProgress& progress) {
        if (progress.position == Position{50}) stop.request_stop();
    };
    CHECK_FALSE(rebuild(store, *test::counting(), options));
    std::optional<Build> build;
    ControlDb control{store.name()};
    options.stop = {};
    options.progress = [&](const FoldProgress&) {
        if (!build) build = build_of(control, "counting");
    };
    test::rebuild_now(store, *test::counting(), options);
    REQUIRE(build);
    CHECK(build->began == Position{50});

    // Ten seconds for 50 of the last 100 positions: ten more.
    const Member builder{store.name(), "the test"};
    control.write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement row{db,
                           "INSERT INTO builds (name, generation, version, fingerprint, builder, began, position, "
                           "target, events, started_at, updated_at) VALUES ('counting', 2, 1, '', ?1, 900, 950, "
                           "1000, 50, '2026-01-01T00:00:00Z', '2026-01-01T00:00:10Z')"};
        row.bind(1, builder.number());
        row.run();
    });
    CHECK(seen(store, test::counting()).building.value().seconds_left == 10.0);
}

}  // namespace
}  // namespace stele
