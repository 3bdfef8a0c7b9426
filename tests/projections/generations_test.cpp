// P2: a rebuild never takes the old generation away from its readers before the new one has caught up.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <atomic>
#include <fstream>
#include <thread>

namespace stele {
namespace {

namespace fs = std::filesystem;
using test::Lines;

TEST_CASE("the name of a read model is a link to its current generation", "[projections][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 3);
    CHECK(rebuild(store, *test::counting())->generation.number == 1);
    CHECK(fs::read_symlink(store.models_folder() / "counting.db") == "counting.g1.db");
    CHECK(test::rebuild_now(store, *test::counting()).generation.number == 2);
    CHECK(fs::read_symlink(store.models_folder() / "counting.db") == "counting.g2.db");
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g2.db"});
    CHECK(test::read_through_link(store.models_folder() / "counting.db").empty());
}

// Trap 28. Goal: while generations come and go, a reader never fails and never sees an incomplete one.
// Method: readers of both kinds read in a loop while the log grows, is caught up with, and the model is rebuilt.
TEST_CASE("readers in a loop never notice a switch", "[projections][P2][traps]") {
    auto store = EventStore::temporary();
    test::note(store, 100);
    rebuild(store, *test::counting());
    const auto link = store.models_folder() / "counting.db";

    std::atomic<bool> done = false;
    std::atomic<int> reads = 0;
    Lines failures[2];  // one for each reader
    std::thread through_link{[&] {
        while (!done) {
            if (const auto failure = test::read_through_link(link); !failure.empty())
                failures[0].push_back(failure);
            ++reads;
        }
    }};
    std::thread by_handle{[&] {
        while (!done) {
            try {
                const auto model = ReadModel::open(store, "counting");
                for (const Row& row : model.query(test::count_and_position)) {
                    if (row.integer(0) != row.integer(1)) failures[1].push_back("rows of another position");
                }
            } catch (const Error& error) {
                failures[1].push_back(error.what());
            }
            ++reads;
        }
    }};
    for (int i = 0; i < 25; ++i) {
        test::note(store, 5);
        CHECK(catch_up(store, *test::counting()).position == store.head());
        CHECK(rebuild(store, *test::counting()));
    }
    done = true;
    through_link.join();
    by_handle.join();

    CHECK(reads > 25);
    CHECK(failures[0] == Lines{});
    CHECK(failures[1] == Lines{});
}

TEST_CASE("a reader keeps the generation that it opened, and its file goes after it", "[projections][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 3);
    rebuild(store, *test::counting());
    {
        const auto old = ReadModel::open(store, "counting");
        test::note(store, 2);
        test::rebuild_now(store, *test::counting());
        CHECK(test::lines_of(old.query(test::count_and_position)) == Lines{"3 3"});
        CHECK(old.generation().number == 1);
        CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"5 5"});
        CHECK(test::model_files(store) == Lines{"counting.db", "counting.g1.db", "counting.g2.db"});
    }
    catch_up(store, *test::counting());
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g2.db"});
}

TEST_CASE("a generation that is to be kept stays until a rebuild without that wish", "[projections]") {
    auto store = EventStore::temporary();
    rebuild(store, *test::counting());
    RebuildOptions keep;
    keep.keep_old = true;
    test::rebuild_now(store, *test::counting(), keep);
    test::rebuild_now(store, *test::counting(), keep);
    catch_up(store, *test::counting());
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g1.db", "counting.g2.db", "counting.g3.db"});
    test::rebuild_now(store, *test::counting());
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g4.db"});
}

TEST_CASE("what a dead rebuild left is removed by the next one", "[projections][P2]") {
    auto store = EventStore::temporary();
    test::note(store, 3);
    rebuild(store, *test::counting());
    const auto folder = store.models_folder();
    std::ofstream{folder / "counting.g2.db.new"} << "half a file";
    std::ofstream{folder / "counting.g2.db.new-journal"} << "and a journal";
    fs::copy(folder / "counting.g1.db", folder / "counting.g3.db");  // died between rename and switch
    fs::create_symlink("counting.g3.db", folder / "counting.db.new");
    std::ofstream{folder / "counting.g5.db"} << "no database at all";
    std::ofstream{folder / "other.g1.db"} << "not ours";

    CHECK(test::rows(store, "counting", test::count_and_position) == Lines{"3 3"});
    CHECK(test::rebuild_now(store, *test::counting()).generation.number > 1);
    const auto current = fs::read_symlink(folder / "counting.db").string();
    CHECK(test::model_files(store) == Lines{"counting.db", current, "other.g1.db"});
}

TEST_CASE("a file that stands where the link should be is not touched", "[projections]") {
    auto store = EventStore::temporary();
    fs::create_directories(store.models_folder());
    std::ofstream{store.models_folder() / "counting.db"} << "somebody's file";
    CHECK_THAT(test::error_of<ProjectionError>([&] { rebuild(store, *test::counting()); }).what(),
               ContainsSubstring("expected a symbolic link to a generation, found another kind of file"));
    CHECK(test::model_files(store) == Lines{"counting.db"});
}

}  // namespace
}  // namespace stele
