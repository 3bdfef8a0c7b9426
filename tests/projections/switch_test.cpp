// The switch from one generation to the next, under readers and under whoever advances the old one (P2).
#include "counting.hpp"
#include "vocabulary.hpp"

#include "generation_file.hpp"
#include "models_folder.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/temporary_folder.hpp>

#include <array>
#include <atomic>
#include <future>
#include <thread>

namespace stele {
namespace {

namespace fs = std::filesystem;
using test::Lines;

Generation generation_of(const EventStore& store) { return ReadModel::open(store, "counting").generation(); }

// Trap 28. Goal: during 100 switches no reader fails, finds nothing, finds rows of another position, or an earlier
//                position than it found before.
// Method: the log grows and the current generation is advanced in one thread, rebuilt in another; three threads
// read,
//         each opening the model anew every time, until there were 100 switches and 10,000 reads.
TEST_CASE("10'000 reads during 100 switches find all there is and never go back", "[projections][P2][traps]") {
    const test::TemporaryFolder folder{test::memory()};
    auto store = EventStore::open((folder / "log.stele").string());
    test::note(store, 100);
    test::rebuild_now(store, *test::counting());
    const auto link = store.models_folder() / "counting.db";

    std::atomic<bool> done = false;
    std::atomic<int> reads = 0;
    std::array<Lines, 5> failures;
    const auto reader = [&](std::size_t number) {
        Position last;
        while (!done) {
            try {
                const auto model = ReadModel::open(store, "counting");
                int found = 0;
                for (const Row& row : model.query(test::count_and_position)) {
                    ++found;
                    if (row.integer(0) != row.integer(1)) failures[number].push_back("rows of another position");
                    if (Position{row.integer(1)} < last) failures[number].push_back("an earlier position");
                    last = Position{row.integer(1)};
                }
                if (found != 1) failures[number].push_back("nothing");
            } catch (const Error& error) {
                failures[number].push_back(error.what());
            }
            ++reads;
        }
    };
    std::thread by_handle{reader, 0};
    std::thread by_another{reader, 1};
    std::thread through_link{[&] {
        while (!done) {
            if (const auto failure = test::read_through_link(link); !failure.empty())
                failures[2].push_back(failure);
            ++reads;
        }
    }};
    std::thread owner{[&] {
        while (!done) {
            try {
                test::note(store, 5);
                catch_up(store, *test::counting());
            } catch (const Error& error) {
                failures[3].push_back(error.what());
            }
        }
    }};
    int switches = 0;
    for (; switches < 100 || reads < 10'000; ++switches) {
        try {
            if (!rebuild(store, *test::counting())) break;
        } catch (const Error& error) {
            failures[4].push_back(error.what());
            break;
        }
    }
    done = true;
    for (auto* thread : {&by_handle, &by_another, &through_link, &owner}) thread->join();

    CHECK(switches >= 100);
    CHECK(reads >= 10'000);
    for (const auto& of_one : failures) CHECK(of_one == Lines{});
    CHECK(catch_up(store, *test::counting()).position == store.head());
    CHECK(test::rows(store, "counting", test::count_and_position) ==
          Lines{std::to_string(store.head().value()) + " " + std::to_string(store.head().value())});
}

// Goal:   what was advanced in the old generation while the new one was built is in the new one at the switch.
// Method: the old one is advanced behind each transaction of the rebuild, also the last ones.
TEST_CASE("the new generation is at least as far as the old one, however late that was advanced",
          "[projections][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 50);
    test::rebuild_now(store, *test::counting());
    int rounds = 0;
    Position last;
    RebuildOptions options;
    options.batch = 10;
    options.progress = [&](const FoldProgress&) {
        if (++rounds > 20) return;  // so the rebuild ends
        test::note(store, 7);
        last = catch_up(store, *test::counting()).position;
    };
    const auto rebuilt = test::rebuild_now(store, *test::counting(), options);
    CHECK(rounds > 20);
    CHECK(rebuilt.generation.position >= last);
    CHECK(last == store.head());
}

TEST_CASE("a pause in the middle of a rebuild holds for what is built", "[projections][lifecycle][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 50);
    test::rebuild_now(store, *test::counting());
    RebuildOptions options;
    options.progress = [&](const FoldProgress&) { pause(store, "counting"); };
    CHECK(test::rebuild_now(store, *test::counting(), options).generation.state == "paused");
    CHECK(generation_of(store).state == "paused");
    CHECK(generation_of(store).number == 2);

    // While one that came before the rebuild ends with it.
    CHECK(test::rebuild_now(store, *test::counting()).generation.state == "live");
}

TEST_CASE("a new generation has the token of the old one, and can be claimed by its owner",
          "[projections][lifecycle]") {
    auto store = EventStore::temporary();
    test::note(store, 20);
    CHECK(test::rebuild_now(store, *test::counting()).generation.token == 0);
    const ModelsFolder models{store.models_folder(), "counting"};
    auto owner = GenerationFile::open(models.file(1), "");
    owner.claim(12);
    RebuildOptions options;
    options.progress = [&](const FoldProgress&) { owner.claim(13); };  // a takeover in the middle
    CHECK(test::rebuild_now(store, *test::counting(), options).generation.token == 13);
}

TEST_CASE("a catch-up that a switch overtakes goes on in the new generation", "[projections][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 20);
    test::rebuild_now(store, *test::counting());
    test::note(store, 40);
    bool once = false;
    CatchUpOptions options;
    options.batch = 10;
    options.progress = [&](const FoldProgress&) {
        if (std::exchange(once, true)) return;
        RebuildOptions until;
        until.until = Position{35};
        test::rebuild_now(store, *test::counting(), until);
        resume(store, "counting");
    };
    const auto result = catch_up(store, *test::counting(), options);
    CHECK(result.position == Position{60});
    CHECK(result.events == 10 + 25);
    CHECK(generation_of(store).number == 2);
    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"60 60"});
}

TEST_CASE("an old generation that is damaged stands in no rebuild's way", "[projections][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 20);
    test::rebuild_now(store, *test::counting());
    fs::resize_file(store.models_folder() / "counting.g1.db", 100);
    CHECK(test::rebuild_now(store, *test::counting()).generation.number == 2);
    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"20 20"});
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g2.db"});

    fs::remove(store.models_folder() / "counting.g2.db");
    CHECK(test::rebuild_now(store, *test::counting()).generation.number == 3);
    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"20 20"});
}

// Trap 15, where it concerns read models: a number that is given again, and rows that are numbered anew.
TEST_CASE("the number of a generation means that one for good", "[projections][lifecycle][traps]") {
    auto store = EventStore::temporary();
    test::note(store, 20);
    test::rebuild_now(store, *test::counting());
    test::rebuild_now(store, *test::counting());
    drop(store, "counting");
    CHECK(test::rebuild_now(store, *test::counting()).generation.number == 3);
}
TEST_CASE("a read model that was vacuumed goes on", "[projections][P1][traps]") {
    auto store = EventStore::temporary();
    test::pay(store, 100);
    test::rebuild_now(store, *test::payments());
    const ModelsFolder models{store.models_folder(), "payments"};
    {
        const auto db = open_database(models.file(1), Access::write, "");
        sql::execute(db.get(), "DELETE FROM stele_skipped; VACUUM");
        sql::execute(db.get(), ("VACUUM INTO '" + (store.models_folder() / "copy").string() + "'").c_str());
    }
    test::pay(store, 100);
    CHECK(catch_up(store, *test::payments()).position == Position{200});
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{200}));

    fs::rename(store.models_folder() / "copy", models.file(1));  // as one restores it
    fs::remove(models.file(1).string() + "-wal");
    fs::remove(models.file(1).string() + "-shm");
    CHECK(ReadModel::open(store, "payments").generation().position == Position{100});
    CHECK(catch_up(store, *test::payments()).position == Position{200});
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{200}));
}

// Trap 33. Goal: no commit runs beside a checkpoint of a generation's file.
// Method: hold a checkpoint at its first write to the file; a transaction of another connection has to wait for it.
TEST_CASE("a checkpoint of a read model lets nobody commit meanwhile", "[projections][traps]") {
    test::FaultyDisk disk{{.models_power = false}};
    auto store = EventStore::open((disk / "log.stele").string());
    RebuildOptions on_disk;
    on_disk.grace = {};
    on_disk.sqlite_vfs = disk.vfs();
    const auto large = SqlProjection::parse(
        "--@ projection counting version 1\n--@ create\nCREATE TABLE counting (n INTEGER NOT NULL);\n"
        "INSERT INTO counting VALUES (0);\nCREATE TABLE padding (bytes);\n"
        "--@ on *\nUPDATE counting SET n = n + 1; INSERT INTO padding VALUES (zeroblob(40000));\n",
        "counting.sql");
    rebuild(store, *large, on_disk);
    test::note(store, 150);  // 1,500 pages

    auto pause_at = disk.pause({.op = test::Op::write, .nth = 1, .file = "counting.g1.db"});
    CatchUpOptions options;
    options.batch = 10;
    options.sqlite_vfs = disk.vfs();
    auto advanced = std::async(std::launch::async, [&] { return catch_up(store, *large, options).position; });
    REQUIRE(pause_at.reached());
    {
        const auto other = open_database(store.models_folder() / "counting.g1.db", Access::write, disk.vfs(), 0);
        const auto error = test::error_of<sql::SqlError>([&] { const WriteTransaction transaction{other.get()}; });
        CHECK_THAT(error.what(), ContainsSubstring("locked"));
    }
    pause_at.release();
    CHECK(advanced.get() == Position{150});
}

}  // namespace
}  // namespace stele
