// Rebuilds that were given up or died, and the ones that go on from there.
#include "counting.hpp"
#include "vocabulary.hpp"

#include "generation_file.hpp"
#include "models_folder.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/test/faulty_disk.hpp>

#include <fstream>
#include <thread>

namespace stele {
namespace {

namespace fs = std::filesystem;
using test::Lines;

// A rebuild that stops at `position` and leaves what it has done.
void give_up_at(const EventStore& store, const Projection& projection, int position) {
    const auto source = std::make_unique<std::stop_source>();
    RebuildOptions options;
    options.batch = 10;
    options.resumable = true;
    options.stop = source->get_token();
    options.progress = [&](const FoldProgress& progress) {
        if (progress.position >= Position{position}) source->request_stop();
    };
    const auto rebuilt = rebuild(store, projection, options);
    REQUIRE_FALSE(rebuilt);
}

struct GivenUp {
    EventStore store = EventStore::temporary();
    GivenUp() {
        test::note(store, 100);
        give_up_at(store, *test::counting(), 50);
    }
    [[nodiscard]] Lines rows() const { return test::rows(store, "counting", test::count_and_position); }
};

TEST_CASE("a rebuild goes on from where one stopped that is to be gone on with", "[projections][resume][P1]") {
    GivenUp given_up;
    CHECK_THROWS_AS(ReadModel::open(given_up.store, "counting"), NotFound);
    const auto left = test::unfinished(given_up.store, "counting");
    REQUIRE(left);
    CHECK(left->state == "building");
    CHECK(left->position == Position{50});

    std::vector<std::int64_t> positions;
    RebuildOptions options;
    options.batch = 10;
    options.progress = [&](const FoldProgress& progress) { positions.push_back(progress.position.value()); };
    const auto rebuilt = test::rebuild_now(given_up.store, *test::counting(), options);
    CHECK(rebuilt.began_at == Position{50});
    CHECK(rebuilt.events == 50);
    CHECK(positions == std::vector<std::int64_t>{60, 70, 80, 90, 100});
    CHECK(given_up.rows() == Lines{"100 100"});
    CHECK(test::model_files(given_up.store) == Lines{"counting.db", "counting.g1.db"});
}

TEST_CASE("a rebuild by another definition does not go on from what is there", "[projections][resume]") {
    GivenUp given_up;
    const auto changed = SqlProjection::parse(std::string{test::counting_sql} + "-- a remark", "counting.sql");
    const auto rebuilt = test::rebuild_now(given_up.store, *changed);
    CHECK(rebuilt.began_at == Position{0});
    CHECK(rebuilt.events == 100);
    CHECK(given_up.rows() == Lines{"100 100"});
    CHECK(test::model_files(given_up.store) == Lines{"counting.db", "counting.g1.db"});
}

TEST_CASE("a rebuild up to a position goes on where that is not behind it", "[projections][resume][P1]") {
    for (const int until : {49, 50, 51}) {
        CAPTURE(until);
        GivenUp given_up;
        RebuildOptions options;
        options.until = Position{until};
        const auto rebuilt = test::rebuild_now(given_up.store, *test::counting(), options);
        CHECK(rebuilt.began_at == Position{until < 50 ? 0 : 50});
        CHECK(rebuilt.generation.position == Position{until});
        const auto n = std::to_string(until);
        CHECK(given_up.rows() == Lines{n + " " + n});
    }
}

TEST_CASE("what was built of a longer log is not gone on from", "[projections][resume]") {
    GivenUp given_up;
    auto shorter = EventStore::temporary();
    test::note(shorter, 40);
    fs::copy(given_up.store.models_folder(), shorter.models_folder(), fs::copy_options::recursive);
    CHECK(test::rebuild_now(shorter, *test::counting()).began_at == Position{0});
    CHECK(test::rows(shorter, "counting", test::count_and_position) == Lines{"40 40"});
}

// Goal:   a disk that fails for a moment costs no build that one could go on from, whether that is finished by now
// or
//         not, and a file of which nothing can be made does not stand in the way.
// Method: fail the first operation of a kind on the file, then the second, and so on until a rebuild gets through.
TEST_CASE("what is left of a build outlives a disk that fails while it is looked at",
          "[projections][resume][fault]") {
    using test::Op;
    GivenUp given_up;
    const auto op = GENERATE(Op::open, Op::read, Op::write, Op::shm_map, Op::lock);
    const std::string file = GENERATE("counting.g1.db", "counting.g1.db-wal");
    test::FaultyDisk disk{{.models_power = false}};
    RebuildOptions options;
    options.grace = {};
    options.sqlite_vfs = disk.vfs();
    std::optional<Rebuilt> rebuilt;
    for (int nth = 1; !rebuilt; ++nth) {
        CAPTURE(op, file, nth);
        disk.fail({.op = op, .nth = nth, .file = file});
        try {
            rebuilt = rebuild(given_up.store, *test::counting(), options);
        } catch (const Error&) {
            CHECK(disk.hit());
            const auto left = test::unfinished(given_up.store, "counting");
            REQUIRE(left);
            CHECK(left->position >= Position{50});
        }
        disk.heal();
    }
    CHECK(rebuilt->began_at >= Position{50});
    CHECK(given_up.rows() == Lines{"100 100"});
}

TEST_CASE("files that no build can go on from do not stand in its way", "[projections][resume]") {
    GivenUp given_up;
    const ModelsFolder models{given_up.store.models_folder(), "counting"};
    SECTION("of another program") { std::ofstream{models.file(2)} << std::string(5'000, 'x'); }
    SECTION("without their database") { std::ofstream{models.file(2).string() + "-wal"} << "x"; }
    const auto rebuilt = test::rebuild_now(given_up.store, *test::counting());
    CHECK(rebuilt.began_at == Position{50});
    CHECK(given_up.rows() == Lines{"100 100"});
    CHECK(test::model_files(given_up.store) == Lines{"counting.db", "counting.g1.db"});
}

TEST_CASE("a rebuild that goes on and is cancelled leaves nothing", "[projections][resume]") {
    GivenUp given_up;
    RebuildOptions options;
    std::stop_source source;
    options.stop = source.get_token();
    options.batch = 10;
    options.progress = [&](const FoldProgress&) { source.request_stop(); };
    CHECK_FALSE(rebuild(given_up.store, *test::counting(), options));
    CHECK(test::model_files(given_up.store).empty());
}

TEST_CASE("what was folded up to a failed event is gone on from by nobody", "[projections][resume]") {
    auto store = EventStore::temporary();
    test::note(store, 20);
    const auto failing = SqlProjection::parse(
        "--@ projection counting version 1\n--@ create\nCREATE TABLE counting (n INTEGER NOT NULL CHECK (n < "
        "15));\n"
        "INSERT INTO counting VALUES (0);\n--@ on *\nUPDATE counting SET n = n + 1;\n",
        "counting.sql");
    CHECK(test::error_of<HandlerFailed>([&] { rebuild(store, *failing); }).position() == Position{15});
    CHECK(test::model_files(store).empty());
}

// As it is when a rebuild is killed between the last commit of the new generation and the new link.
TEST_CASE("a generation that was complete when its builder died is taken as it is", "[projections][resume][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 30);
    RebuildOptions keep;
    keep.keep_old = true;
    test::rebuild_now(store, *test::counting());
    test::rebuild_now(store, *test::counting(), keep);
    const ModelsFolder models{store.models_folder(), "counting"};
    {
        auto old = GenerationFile::open(models.file(1), "");
        WriteTransaction transaction{old.db()};
        old.write_state("live");
        old.write_kept(false);
        transaction.commit();
    }
    models.switch_to(1);
    test::note(store, 5);
    CHECK(catch_up(store, *test::counting()).position == Position{35});

    const auto rebuilt = test::rebuild_now(store, *test::counting());
    CHECK(rebuilt.generation.number == 2);
    CHECK(rebuilt.began_at == Position{30});
    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"35 35"});
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g2.db"});
}

TEST_CASE("a generation that was switched back from is not what the next rebuild goes on from",
          "[projections][resume][lifecycle]") {
    auto store = EventStore::temporary();
    test::note(store, 30);
    RebuildOptions keep;
    keep.keep_old = true;
    test::rebuild_now(store, *test::counting());
    test::rebuild_now(store, *test::counting(), keep);
    rollback(store, "counting");
    const auto rebuilt = test::rebuild_now(store, *test::counting(), keep);
    CHECK(rebuilt.generation.number == 3);
    CHECK(rebuilt.began_at == Position{0});
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g1.db", "counting.g2.db", "counting.g3.db"});
}

TEST_CASE("a complete read model of the past whose builder died follows the log when that is asked for",
          "[projections][resume]") {
    auto store = EventStore::temporary();
    test::note(store, 30);
    give_up_at(store, *test::counting(), 20);
    {
        auto file = GenerationFile::open_build(ModelsFolder{store.models_folder(), "counting"}.file(1), "");
        WriteTransaction transaction{file.db()};
        file.write_state("paused");
        transaction.commit();
    }
    const auto rebuilt = test::rebuild_now(store, *test::counting());
    CHECK(rebuilt.began_at == Position{20});
    CHECK(rebuilt.generation.state == "live");
    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"30 30"});
}

// As it is when a rebuild is killed between the new link and the mark on the old generation.
TEST_CASE("whoever advances a generation that is current no more is told so", "[projections][resume][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 30);
    RebuildOptions keep;
    keep.keep_old = true;
    test::rebuild_now(store, *test::counting());
    const ModelsFolder models{store.models_folder(), "counting"};
    auto owner = GenerationFile::open(models.file(1), "");
    test::rebuild_now(store, *test::counting());
    {
        WriteTransaction transaction{owner.db()};
        owner.write_state("live");
        transaction.commit();
    }
    catch_up(store, *test::counting());  // looks for what may go
    WriteTransaction transaction{owner.db()};
    CHECK(owner.write_progress({.from = Position{30}, .to = Position{31}}) == Advance::retired);
}

TEST_CASE("a rebuild shows how far it is to everybody, until it ends", "[projections][resume]") {
    auto store = EventStore::temporary();
    test::note(store, 30);
    std::string state;
    RebuildOptions options;
    options.progress = [&](const FoldProgress&) {
        const auto all = generations(store, "counting");
        REQUIRE(all.size() == 1);
        state = all[0].generation.state;
        CHECK_FALSE(all[0].current);
    };
    test::rebuild_now(store, *test::counting(), options);
    CHECK(state == "building");
    CHECK(generations(store, "counting")[0].current);
}

}  // namespace
}  // namespace stele
