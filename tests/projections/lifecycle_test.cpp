// Pausing, resuming, dropping and switching back, while others advance the projection.
#include "counting.hpp"
#include "vocabulary.hpp"

#include "generation_file.hpp"
#include "models_folder.hpp"

#include <stele/projections/lifecycle.hpp>

namespace stele {
namespace {

namespace fs = std::filesystem;
using test::Lines;

struct Counted {
    EventStore store = EventStore::temporary();
    Counted() {
        test::note(store, 20);
        test::rebuild_now(store, *test::counting());
    }
    [[nodiscard]] Generation generation() const { return ReadModel::open(store, "counting").generation(); }
    [[nodiscard]] Lines rows() const { return test::rows(store, "counting", test::count_and_position); }
    [[nodiscard]] fs::path file(int number) const {
        return ModelsFolder{store.models_folder(), "counting"}.file(number);
    }
};

TEST_CASE("a paused projection stays where it is until it is resumed", "[projections][lifecycle]") {
    Counted counted;
    const auto before = counted.generation();
    const auto paused = pause(counted.store, "counting");
    CHECK(paused.state == "paused");
    CHECK(paused.position == Position{20});
    CHECK(paused.since > before.since);
    CHECK(pause(counted.store, "counting") == paused);

    test::note(counted.store, 5);
    CHECK(catch_up(counted.store, *test::counting()).position == Position{20});
    CHECK(counted.rows() == Lines{"20 20"});

    CHECK(resume(counted.store, "counting").state == "live");
    CHECK(catch_up(counted.store, *test::counting()).position == Position{25});
    CHECK(counted.rows() == Lines{"25 25"});
}

TEST_CASE("a pause in the middle of a catch-up undoes the batch that is under way",
          "[projections][lifecycle][P1]") {
    Counted counted;
    test::note(counted.store, 30);
    CatchUpOptions options;
    options.batch = 10;
    options.progress = [&](const FoldProgress& progress) {
        if (progress.position == Position{30}) pause(counted.store, "counting");
    };
    CHECK(catch_up(counted.store, *test::counting(), options).position == Position{30});
    CHECK(counted.rows() == Lines{"30 30"});
    CHECK(counted.generation().state == "paused");
}

TEST_CASE("a token that was passed on lets its former owner write nothing", "[projections][lifecycle][P1]") {
    Counted counted;
    test::note(counted.store, 5);
    auto old_owner = GenerationFile::open(counted.file(1), "");
    old_owner.claim(3);
    auto new_owner = GenerationFile::open(counted.file(1), "");
    CHECK(new_owner.token() == 3);
    new_owner.claim(4);

    const GenerationFile::Progress step{.from = Position{20}, .to = Position{25}};
    {
        WriteTransaction transaction{old_owner.db()};
        const auto error = test::error_of<ProjectionError>([&] { (void)old_owner.write_progress(step); });
        CHECK(error.code() == "projection_fenced");
        CHECK_THAT(error.what(), ContainsSubstring("expected to own it by token 3, found token 4"));
    }
    CHECK(test::error_of<ProjectionError>([&] { old_owner.claim(3); }).code() == "projection_fenced");
    CHECK(counted.generation().position == Position{20});

    WriteTransaction transaction{new_owner.db()};
    CHECK(new_owner.write_progress(step) == Advance::done);
    transaction.commit();
    CHECK(counted.generation().position == Position{25});
    CHECK(counted.generation().token == 4);
}

TEST_CASE("a step from another position than the file's is refused", "[projections][lifecycle][P1]") {
    Counted counted;
    auto file = GenerationFile::open(counted.file(1), "");
    WriteTransaction transaction{file.db()};
    CHECK(test::error_of<ProjectionError>([&] {
              (void)file.write_progress({.from = Position{19}, .to = Position{25}});
          }).code() == "projection_busy");
    CHECK(file.write_progress({.from = Position{20}, .to = Position{25}}) == Advance::done);
}

TEST_CASE("a projection that was dropped is gone, its readers keep what they have open",
          "[projections][lifecycle]") {
    Counted counted;
    const auto reader = ReadModel::open(counted.store, "counting");
    auto owner = GenerationFile::open(counted.file(1), "");
    drop(counted.store, "counting");

    CHECK(test::model_files(counted.store).empty());
    CHECK_THROWS_AS(ReadModel::open(counted.store, "counting"), NotFound);
    CHECK_THROWS_AS(drop(counted.store, "counting"), NotFound);
    CHECK_THROWS_AS(pause(counted.store, "counting"), NotFound);
    CHECK(test::lines_of(reader.query(test::count_and_position)) == Lines{"20 20"});
    CHECK(owner.generation().state == "retired");

    test::rebuild_now(counted.store, *test::counting());
    CHECK(counted.rows() == Lines{"20 20"});
}

TEST_CASE("a read model whose file is damaged can be dropped", "[projections][lifecycle]") {
    Counted counted;
    fs::resize_file(counted.file(1), 100);
    drop(counted.store, "counting");
    CHECK(test::model_files(counted.store).empty());
}

TEST_CASE("a generation that was kept is switched back to, and catches up", "[projections][lifecycle][P2]") {
    Counted counted;
    RebuildOptions keep;
    keep.keep_old = true;
    test::note(counted.store, 5);
    test::rebuild_now(counted.store, *test::counting(), keep);
    CHECK(counted.rows() == Lines{"25 25"});
    auto owner = GenerationFile::open(counted.file(2), "");
    owner.claim(7);

    const auto back = rollback(counted.store, "counting");
    CHECK(back.number == 1);
    CHECK(back.state == "live");
    CHECK(back.token == 7);
    CHECK(counted.rows() == Lines{"20 20"});
    {
        WriteTransaction transaction{owner.db()};
        CHECK(owner.write_progress({.from = Position{25}, .to = Position{26}}) == Advance::retired);
    }
    CHECK(catch_up(counted.store, *test::counting()).position == Position{25});

    CHECK_THROWS_AS(rollback(counted.store, "counting"), NotFound);
    CHECK_THROWS_AS(rollback(counted.store, "counting", 3), NotFound);
    CHECK(rollback(counted.store, "counting", 2).number == 2);
    CHECK(test::model_files(counted.store) == Lines{"counting.db", "counting.g1.db", "counting.g2.db"});
    CHECK(test::rebuild_now(counted.store, *test::counting()).generation.number == 3);
}

TEST_CASE("a generation of another definition is paused when it is switched back to", "[projections][lifecycle]") {
    Counted counted;
    RebuildOptions keep;
    keep.keep_old = true;
    const auto changed = SqlProjection::parse(std::string{test::counting_sql} + "-- a remark", "counting.sql");
    test::rebuild_now(counted.store, *changed, keep);
    CHECK(rollback(counted.store, "counting").state == "paused");
    CHECK(resume(counted.store, "counting").state == "live");
}

TEST_CASE("generations are listed with what they say of themselves", "[projections][lifecycle]") {
    Counted counted;
    CHECK(generations(counted.store, "nothing").empty());
    RebuildOptions keep;
    keep.keep_old = true;
    std::string seen;
    keep.progress = [&](const FoldProgress&) {
        const auto all = generations(counted.store, "counting");
        seen = all.back().generation.state;
    };
    test::rebuild_now(counted.store, *test::counting(), keep);
    CHECK(seen == "building");

    const auto all = generations(counted.store, "counting");
    REQUIRE(all.size() == 2);
    CHECK(all[0].generation.number == 1);
    CHECK(all[0].generation.state == "retired");
    CHECK(all[0].generation.kept);
    CHECK_FALSE(all[0].current);
    CHECK(all[1].generation.state == "live");
    CHECK(all[1].current);
    CHECK(all[1].file == counted.file(2));
    CHECK(all[1].bytes >= 4096);

    fs::resize_file(counted.file(1), 100);
    const auto broken = generations(counted.store, "counting");
    CHECK(broken[0].generation.state == "broken");
    CHECK_FALSE(broken[0].error.empty());
}

// A file as it was written before there were tokens.
TEST_CASE("a generation without the newer columns is read, and gets them when it is advanced",
          "[projections][lifecycle]") {
    Counted counted;
    {
        const auto db = open_database(counted.file(1), Access::write, "");
        sql::execute(
            db.get(),
            "ALTER TABLE stele_projection DROP COLUMN since; ALTER TABLE stele_projection DROP COLUMN token; "
            "ALTER TABLE stele_projection DROP COLUMN rate; ALTER TABLE stele_projection DROP COLUMN kept");
    }
    const auto old = counted.generation();
    CHECK(old.since == old.updated_at);
    CHECK(old.token == 0);
    CHECK(old.position == Position{20});

    test::note(counted.store, 5);
    CHECK(catch_up(counted.store, *test::counting()).position == Position{25});
    CHECK(counted.rows() == Lines{"25 25"});
    CHECK(counted.generation().rate > 0);
    CHECK(pause(counted.store, "counting").state == "paused");
}

}  // namespace
}  // namespace stele
