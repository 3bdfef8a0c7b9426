// LiveModel: readers that stay, while generations come and go.
#include "counting.hpp"
#include "vocabulary.hpp"

#include <stele/projections/lifecycle.hpp>
#include <stele/projections/live_model.hpp>

#include <atomic>
#include <thread>

namespace stele {
namespace {

using test::Lines;

EventStore quick_store() { return EventStore::temporary(Options{.durability = Durability::relaxed}); }

TEST_CASE("a live model follows switches of generation", "[projections][live_model]") {
    auto store = quick_store();
    const LiveModel model{store, "counting"};
    CHECK_THROWS_AS(model.query("SELECT 1"), NotFound);
    test::note(store, 3);
    test::rebuild_now(store, *test::counting());
    CHECK(test::lines_of(model.query(test::count_and_position)) == Lines{"3 3"});
    CHECK(model.generation().number == 1);
    test::note(store, 2);
    test::rebuild_now(store, *test::counting());
    CHECK(test::lines_of(model.query(test::count_and_position)) == Lines{"5 5"});
    CHECK(model.generation().number == 2);

    drop(store, "counting");
    CHECK_THROWS_AS(model.query("SELECT 1"), NotFound);
    test::note(store, 1);
    test::rebuild_now(store, *test::counting());  // numbers begin anew
    CHECK(test::lines_of(model.query(test::count_and_position)) == Lines{"6 6"});
}

TEST_CASE("a live model binds values by their type", "[projections][live_model]") {
    auto store = quick_store();
    test::rebuild_now(store, *test::counting());
    const LiveModel model{store, "counting"};
    CHECK(test::lines_of(model.query("SELECT ?1 + 1, ?2 || '!', typeof(?3), ?4, typeof(?5)", 41,
                                     std::string{"text"}, nullptr, Position{7}, 0.5)) ==
          Lines{"42 text! null 7 real"});
    CHECK(test::lines_of(model.query("SELECT ?1", "one")) == Lines{"one"});
    CHECK(test::lines_of(model.query("SELECT ?1", "two")) == Lines{"two"});
    CHECK_THROWS_AS(model.query("SELECT ?1"), sql::DefinitionError);
    CHECK_THROWS_AS(model.query("SELECT 1", 1), sql::DefinitionError);
    CHECK_THROWS_AS(model.query("SELEKT 1"), sql::DefinitionError);
    CHECK_THROWS_AS(model.query("DELETE FROM counting"), sql::DefinitionError);
    CHECK_THROWS_AS((LiveModel{store, "../events"}), InvalidInput);
}

TEST_CASE("rows keep the generation that they come from", "[projections][live_model]") {
    auto store = quick_store();
    test::note(store, 3);
    test::rebuild_now(store, *test::counting());
    auto rows = [&] {
        const LiveModel model{store, "counting"};
        return model.query(
            "WITH RECURSIVE i (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < 3) "
            "SELECT n, x FROM counting, i");
    }();
    auto row = rows.begin();
    test::note(store, 2);
    test::rebuild_now(store, *test::counting());
    test::rebuild_now(store, *test::counting());
    Lines seen;
    for (; row != Rows::end(); ++row) seen.push_back(std::to_string(row->integer(0)));
    CHECK(seen == Lines{"3", "3", "3"});
}

TEST_CASE("several queries of one handle may be under way at once", "[projections][live_model]") {
    auto store = quick_store();
    test::note(store, 3);
    test::rebuild_now(store, *test::counting());
    const LiveModel model{store, "counting"};
    for (int round = 0; round < 3; ++round) {
        auto first = model.query("SELECT n FROM counting");
        auto second = model.query("SELECT n FROM counting");
        CHECK(first.begin()->integer(0) == 3);
        CHECK(second.begin()->integer(0) == 3);
    }
}

// Goal: of 10,000 reads during 100 switches none fails, none is empty, none goes back in time.
TEST_CASE("readers of a live model never notice a switch", "[projections][live_model][P2][traps]") {
    auto store = quick_store();
    test::note(store, 20);
    test::rebuild_now(store, *test::counting());
    const LiveModel model{store, "counting"};
    constexpr int switches = 100;
    constexpr int reads = 10'000;
    constexpr std::size_t readers = 3;

    std::atomic<bool> done = false;
    std::atomic<int> read = 0;
    Lines failures[readers];
    {
        std::vector<std::jthread> threads;
        for (auto& failed : failures) {
            threads.emplace_back([&] {
                std::int64_t newest = 0;
                while (!done || read < reads) {
                    try {
                        int rows = 0;
                        for (const Row& row : model.query(test::count_and_position)) {
                            ++rows;
                            if (row.integer(0) != row.integer(1)) failed.emplace_back("rows of another position");
                            if (row.integer(1) < newest) failed.emplace_back("went back in time");
                            newest = row.integer(1);
                        }
                        if (rows != 1) failed.emplace_back("empty");
                    } catch (const std::exception& error) {
                        failed.emplace_back(error.what());
                    }
                    ++read;
                }
            });
        }
        for (int i = 0; i < switches; ++i) {
            test::note(store, 1);
            test::rebuild_now(store, *test::counting());
        }
        done = true;
    }
    CHECK(read >= reads);
    for (const auto& failed : failures) CHECK(failed == Lines{});
    CHECK(model.generation().number == switches + 1);
}

}  // namespace
}  // namespace stele
