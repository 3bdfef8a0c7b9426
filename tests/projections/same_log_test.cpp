// Goal:   a read model is the fold of the log that is there, also after that was restored from an older copy and
// has
//         grown beyond the read model's position again.
// Method: copy a log, let log and read models go on, put the copy back, and append other events.
#include "database.hpp"
#include "vocabulary.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/projection_status.hpp>
#include <stele/projections/runner.hpp>
#include <stele/test/temporary_folder.hpp>

namespace stele {
namespace {

namespace fs = std::filesystem;
using test::Lines;
using namespace std::chrono_literals;

const Options quick{.durability = Durability::relaxed};

class Restored {
public:
    static constexpr int in_copy = 20;

    Restored() {
        {
            auto store = EventStore::open(path(), quick);
            test::pay(store, in_copy);
        }
        fs::copy(path(), folder_ / "copy", fs::copy_options::recursive);
    }

    /// Calls `use` with the log as it is before the restore.
    template <class Use>
    void before(const Use& use) {
        auto store = EventStore::open(path(), quick);
        use(store);
    }

    /// The log after the restore, with `count` events more than the copy had, of which no payment is one.
    EventStore after(int count) {
        for (const auto* file : {"events.db", "events.db-wal", "events.db-shm"}) {
            fs::remove(fs::path{path()} / file);
            if (fs::exists(folder_ / "copy" / file)) fs::copy(folder_ / "copy" / file, fs::path{path()} / file);
        }
        auto store = EventStore::open(path(), quick);
        test::seed(store, StreamId{"New", "1"}, std::vector<std::string>(static_cast<std::size_t>(count), "Noted"));
        return store;
    }

private:
    [[nodiscard]] std::string path() const { return (folder_ / "log.stele").string(); }
    test::TemporaryFolder folder_;
};

bool rows_are_right(const EventStore& store) {
    const auto position = ReadModel::open(store, "payments").generation().position;
    return test::rows(store, "payments", test::all_payments) == test::expected_payments(store, position);
}

void note(EventStore& store, int count) {
    test::seed(store, StreamId{"Other", "1"}, std::vector<std::string>(static_cast<std::size_t>(count), "Noted"));
}

TEST_CASE("a read model of a log that was replaced by another says so, and is rebuilt", "[projections][log][P1]") {
    Restored log;
    // The last event may be one that the projection takes, or one that it passes over.
    const bool passes_over = GENERATE(false, true);
    log.before([&](EventStore& store) {
        test::pay(store, 20);
        test::rebuild_now(store, *test::payments());
        if (passes_over) note(store, 3);
        catch_up(store, *test::payments());
    });
    auto store = log.after(30);

    const auto error = test::error_of<ProjectionError>([&] { catch_up(store, *test::payments()); });
    CHECK(error.code() == "projection_log");
    CHECK_THAT(error.what(), ContainsSubstring("at position " + std::to_string(passes_over ? 43 : 40)));
    CHECK(test::error_of<ProjectionError>([&] { (void)check(store, *test::payments()); }).code() ==
          "projection_log");
    ProjectionRegistry registry;
    registry.add(test::payments());
    const auto status = projection_status(store, registry, "payments");
    CHECK(status.state == "changed");
    CHECK(status.error == error.what());
    CHECK_THAT(status.advice, ContainsSubstring("stele projection rebuild payments"));

    test::rebuild_now(store, *test::payments());
    CHECK(rows_are_right(store));
    CHECK(catch_up(store, *test::payments()).position == Position{50});
    CHECK(projection_status(store, registry, "payments").state == "live");
}

TEST_CASE("a runner rebuilds a read model of another log", "[projections][log][runner]") {
    Restored log;
    log.before([](EventStore& store) {
        test::pay(store, 20);
        Runner runner{store};
        runner.add(test::payments());
        runner.start();
        REQUIRE(runner.wait_for("payments", Position{40}, 60s) == WaitResult::reached);
        note(store, 3);  // no write until the runner ends
        REQUIRE(runner.wait_for("payments", Position{43}, 60s) == WaitResult::reached);
    });
    auto store = log.after(30);
    Runner runner{store};
    runner.add(test::payments());
    runner.start();
    CHECK(runner.wait_for("payments", Position{50}, 60s) == WaitResult::reached);
    runner.stop();
    CHECK(rows_are_right(store));
    CHECK(ReadModel::open(store, "payments").generation().number == 2);
}

TEST_CASE("an unfinished build of another log is not gone on from", "[projections][log][resume]") {
    Restored log;
    log.before([](EventStore& store) {
        test::pay(store, 20);
        std::stop_source source;
        RebuildOptions options;
        options.batch = 10;
        options.resumable = true;
        options.stop = source.get_token();
        options.progress = [&](const FoldProgress& progress) {
            if (progress.events >= 20) source.request_stop();
        };
        REQUIRE_FALSE(rebuild(store, *test::payments(), options));
    });
    auto store = log.after(30);
    CHECK(test::rebuild_now(store, *test::payments()).began_at == Position{0});
    CHECK(rows_are_right(store));
}

TEST_CASE("a check by sample does not go on from a copy of another log", "[projections][log][check]") {
    Restored log;
    CheckOptions options;
    options.sample = 100;
    log.before([&](EventStore& store) {
        test::pay(store, 20);
        test::rebuild_now(store, *test::payments());
        const auto checked = check(store, *test::payments(), options);
        REQUIRE(checked);
        CHECK(checked->ok());
    });
    auto store = log.after(30);
    test::rebuild_now(store, *test::payments());
    const auto checked = check(store, *test::payments(), options);
    REQUIRE(checked);
    CHECK(checked->ok());
}

TEST_CASE("a read model of an earlier build learns the event's id with its next step", "[projections][log]") {
    auto store = EventStore::temporary(quick);
    test::pay(store, 20);
    test::rebuild_now(store, *test::payments());
    CHECK(ReadModel::open(store, "payments").generation().event_id == store.at(Position{20})->id);
    {
        const auto db = open_database(store.models_folder() / "payments.db", Access::write, "");
        sql::execute(db.get(), "ALTER TABLE stele_projection DROP COLUMN event_id");
    }
    CHECK_FALSE(ReadModel::open(store, "payments").generation().event_id);
    test::pay(store, 5);
    CHECK(catch_up(store, *test::payments()).position == Position{25});
    CHECK(ReadModel::open(store, "payments").generation().event_id == store.at(Position{25})->id);
}

}  // namespace
}  // namespace stele
