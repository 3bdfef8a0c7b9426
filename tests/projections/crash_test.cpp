// P1 and P2 when the process dies, or the power goes, at any step of a rebuild or a catch-up.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/test/kill_at_every_step.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>

namespace stele {
namespace {

using test::Lines;

// What a reader finds: a whole generation, at least as far as it was.
Position whole_position(const EventStore& store) {
    CHECK(test::read_through_link(store.models_folder() / "counting.db").empty());
    const auto model = ReadModel::open(store, "counting");
    const auto position = model.generation().position;
    const auto n = std::to_string(position.value());
    CHECK(test::lines_of(model.query(test::count_and_position)) == Lines{n + " " + n});
    return position;
}

// A store with a read model that is behind the log, and a program that works on it.
struct Behind {
    test::TemporaryFolder folder;
    std::string path = (folder / "log.stele").string();
    std::string definition = (folder / "counting.sql").string();
    EventStore store = EventStore::open(path, Options{.durability = Durability::relaxed});
    Position built;

    Behind() {
        std::ofstream{definition} << test::counting_sql;
        const auto projection = SqlProjection::load(definition);
        test::note(store, 40);
        built = test::rebuild_now(store, *projection).generation.position;
    }

    [[nodiscard]] std::vector<std::string> command(const std::string& task) const {
        return {PROJECTION_WORKER, path, definition, task};
    }
    void append() { test::note(store, 35); }
};

// Goal:   a rebuild that is killed before any change of the disk leaves the old generation or the new one, whole;
// and
//         the next rebuild goes on from the last transaction of the one that was killed.
// Method: kill it before its first change, its second, …; look; rebuild, and look for litter.
TEST_CASE("a rebuild killed at any step leaves a whole generation and is gone on with",
          "[projections][P2][crash]") {
    Behind behind;
    behind.append();
    int gone_on = 0;
    int finished = 0;  // killed behind the last event, before the switch
    const auto killed = test::kill_at_every_step(
        [&](int) { return behind.command("rebuild"); },
        [&](int nth, const std::string&, int) {
            CAPTURE(nth);
            CHECK(whole_position(behind.store) >= behind.built);
            const auto left = test::unfinished(behind.store, "counting");
            const auto rebuilt = test::rebuild_now(behind.store, *SqlProjection::load(behind.definition));
            CHECK(rebuilt.began_at == (left ? left->position : Position{0}));
            if (left && left->position > Position{0}) ++gone_on;
            if (left && left->position == behind.store.head()) ++finished;
            behind.built = rebuilt.generation.position;
            CHECK(behind.built == behind.store.head());
            CHECK(whole_position(behind.store) == behind.built);
            CHECK(test::model_files(behind.store) ==
                  Lines{"counting.db", "counting.g" + std::to_string(rebuilt.generation.number) + ".db"});
        });
    CHECK(killed > 20);
    CHECK(gone_on > 10);
    CHECK(finished > 3);
}

TEST_CASE("a switch back killed at any step leaves both generations whole", "[projections][P2][crash]") {
    Behind behind;
    const auto projection = SqlProjection::load(behind.definition);
    RebuildOptions keep;
    keep.keep_old = true;
    const auto killed = test::kill_at_every_step(
        [&](int) {
            behind.append();
            test::rebuild_now(behind.store, *projection);  // nothing is kept
            behind.append();
            test::rebuild_now(behind.store, *projection, keep);
            return behind.command("rollback");
        },
        [&](int nth, const std::string&, int status) {
            CAPTURE(nth);
            (void)whole_position(behind.store);
            const auto all = generations(behind.store, "counting");
            REQUIRE(all.size() == 2);
            CHECK(all[0].current != all[1].current);
            for (const auto& file : all) CHECK((file.current || file.generation.kept));
            if (status == 0) CHECK(all[0].current);
            // Whichever it is goes on, and the other can be switched to.
            CHECK(catch_up(behind.store, *projection).position == behind.store.head());
            const auto other = all[0].current ? all[1].generation.number : all[0].generation.number;
            CHECK(rollback(behind.store, "counting", other).number == other);
            CHECK(catch_up(behind.store, *projection).position == behind.store.head());
            CHECK(whole_position(behind.store) == behind.store.head());
        });
    CHECK(killed > 3);
}

TEST_CASE("a catch-up killed at any step leaves rows and position together", "[projections][P1][crash]") {
    Behind behind;
    const auto killed = test::kill_at_every_step(
        [&](int) {
            behind.append();
            return behind.command("catch_up");
        },
        [&](int nth, const std::string&, int) {
            CAPTURE(nth);
            CHECK(whole_position(behind.store) >= behind.built);
            behind.built = catch_up(behind.store, *SqlProjection::load(behind.definition)).position;
            CHECK(behind.built == behind.store.head());
            CHECK(whole_position(behind.store) == behind.built);
        });
    CHECK(killed > 10);
}

// P2 against another process: while that one rebuilds until it is killed, this one advances whatever is current.
TEST_CASE("a program killed at random while it rebuilds takes nothing from its readers",
          "[projections][P2][crash]") {
    test::Random random;
    CAPTURE(random.seed());
    Behind behind;
    const auto projection = SqlProjection::load(behind.definition);
    test::note(behind.store, 2'000);
    for (int round = 0; round < 20; ++round) {
        CAPTURE(round);
        test::Process program{behind.command("loop")};
        for (auto lines = random.below(3); lines > 0; --lines) {
            REQUIRE(program.read_line());
            test::note(behind.store, 3);
            CHECK(catch_up(behind.store, *projection).position == behind.store.head());
            CHECK(whole_position(behind.store) == behind.store.head());
        }
        program.kill();
        CHECK(program.wait() == 128 + SIGKILL);
        const auto position = whole_position(behind.store);
        CHECK(position >= behind.built);
        behind.built = position;
    }
    CHECK(catch_up(behind.store, *projection).position == behind.store.head());
}

// Goal:   what a finished rebuild or catch-up left is whole after a power cut too, and so is what an unfinished one
//         left.
// Method: cut the power at the first change of the disk, the second, …, with every kind of luck about what
// survives.
void cut_power_at_every_step(const std::function<void(const EventStore&, const std::string& vfs)>& work) {
    test::Random random;
    CAPTURE(random.seed());
    bool completed = false;
    for (int nth = 1; !completed; ++nth) {
        CAPTURE(nth);
        test::FaultyDisk disk;
        const auto path = (disk / "log.stele").string();
        const Options options{.sqlite_vfs = disk.vfs()};
        RebuildOptions on_disk;
        on_disk.grace = {};
        on_disk.sqlite_vfs = disk.vfs();
        Position built;
        {
            auto store = EventStore::open(path, options);
            test::note(store, 40);
            built = rebuild(store, *test::counting(), on_disk)->generation.position;
            test::note(store, 35);
        }
        disk.settle();
        {
            const auto store = EventStore::open(path, options);
            disk.cut_power({.op = test::changes, .nth = nth, .file = {}});
            try {
                work(store, disk.vfs());
                completed = !disk.is_off();
                if (completed) disk.cut_power();  // at once behind the end
            } catch (const Error&) {
                CHECK(disk.is_off());
            }
        }
        disk.power_on(random.one_in(3) ? test::Unsynced::lost : test::Unsynced::random, random.bits());

        const auto store = EventStore::open(path);
        const auto position = whole_position(store);
        CHECK(position >= (completed ? store.head() : built));
        CHECK(catch_up(store, *test::counting()).position == store.head());
        CHECK(whole_position(store) == store.head());

        const auto left = test::unfinished(store, "counting");
        const auto rebuilt = test::rebuild_now(store, *test::counting());
        CHECK(rebuilt.began_at == (left ? left->position : Position{0}));
        CHECK(whole_position(store) == store.head());
    }
}

TEST_CASE("a power cut during or behind a rebuild leaves a whole generation", "[projections][P2][crash]") {
    cut_power_at_every_step([](const EventStore& store, const std::string& vfs) {
        RebuildOptions options;
        options.batch = 25;
        options.grace = {};
        options.sqlite_vfs = vfs;
        rebuild(store, *test::counting(), options);
    });
}

TEST_CASE("a power cut during a catch-up leaves rows and position together", "[projections][P1][crash]") {
    cut_power_at_every_step([](const EventStore& store, const std::string& vfs) {
        CatchUpOptions options;
        options.batch = 10;
        options.sqlite_vfs = vfs;
        catch_up(store, *test::counting(), options);
    });
}

TEST_CASE("a disk that is full stops a catch-up, which is no fault of the event", "[projections][P1][crash]") {
    test::FaultyDisk disk{{.models_power = false}};
    auto store = EventStore::open((disk / "log.stele").string());
    test::note(store, 40);
    RebuildOptions options;
    options.sqlite_vfs = disk.vfs();
    const auto skipping = SqlProjection::parse(
        "--@ projection counting version 1 on-error skip\n--@ create\n"
        "CREATE TABLE counting (n INTEGER NOT NULL); INSERT INTO counting VALUES (0);\n"
        "CREATE TABLE padding (text);\n"
        "--@ on *\nUPDATE counting SET n = n + 1; INSERT INTO padding VALUES (zeroblob(20000));\n",
        "counting.sql");
    rebuild(store, *skipping, options);
    test::note(store, 35);

    disk.limit_space(300'000);
    CatchUpOptions more;
    more.batch = 5;
    more.sqlite_vfs = disk.vfs();
    const auto error = test::error_of<ProjectionError>([&] { catch_up(store, *skipping, more); });
    CHECK(error.code() == "projection_file");
    CHECK_THAT(error.what(), ContainsSubstring("full"));

    disk.heal();
    const auto generation = ReadModel::open(store.models_folder(), "counting", disk.vfs()).generation();
    CHECK(generation.skipped == 0);
    CHECK(generation.state == "live");
    CHECK(catch_up(store, *skipping, more).position == Position{75});
    CHECK(whole_position(store) == Position{75});
}

}  // namespace
}  // namespace stele
