// D4's ground: leases change hands when their owner dies or hangs, and each time their token rises.
#include <stele/test/catch.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/temporary_folder.hpp>

#include "build_progress.hpp"
#include "control_db.hpp"
#include "leases.hpp"

#include <stele/projections/sql_projection.hpp>

#include <atomic>
#include <barrier>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace stele {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const SqlProjection> some_projection() {
    return SqlProjection::parse(
        "--@ projection sites version 3\n--@ create\nCREATE TABLE t (n)\n--@ on A\nDELETE FROM t", "sites.sql");
}

TEST_CASE("a lease is its taker's until it is released", "[projections][leases]") {
    test::TemporaryFolder folder{test::memory()};
    ControlDb control{folder.path()};
    const Member first{folder.path(), "the first"};
    const Member second{folder.path(), "the second"};
    Leases ours{control, first};
    Leases theirs{control, second};

    const auto token = ours.take("projection/sites");
    REQUIRE(token);
    CHECK(ours.take("projection/sites") == token);
    CHECK_FALSE(theirs.take("projection/sites"));
    CHECK(theirs.take("projection/other"));
    CHECK(ours.holds("projection/sites", *token));
    CHECK_FALSE(theirs.holds("projection/sites", *token));
    CHECK(Leases::holder(control, "projection/sites")->label == "the first");

    theirs.release("projection/sites", *token);
    CHECK(ours.holds("projection/sites", *token));
    ours.release("projection/sites", *token);
    CHECK_FALSE(ours.holds("projection/sites", *token));
    CHECK(Leases::holder(control, "projection/sites")->owner == 0);
    const auto next = theirs.take("projection/sites");
    REQUIRE(next);
    CHECK(*next > *token);
}

TEST_CASE("a lease of an owner that is gone is taken at once", "[projections][leases]") {
    test::TemporaryFolder folder{test::memory()};
    ControlDb control{folder.path()};
    const Member second{folder.path(), "the second"};
    Leases theirs{control, second};
    std::int64_t token = 0;
    std::int64_t number = 0;
    {
        const Member first{folder.path(), "the first"};
        Leases ours{control, first};
        token = ours.take("projection/sites").value();
        number = first.number();
        CHECK(second.sees(number));
        CHECK(Member::is_alive(folder.path(), number));
        CHECK(Member::is_alive(folder.path(), second.number()));
        CHECK_FALSE(theirs.take("projection/sites"));
    }
    CHECK_FALSE(second.sees(number));
    CHECK_FALSE(Member::is_alive(folder.path(), number));
    const auto next = theirs.take("projection/sites");
    REQUIRE(next);
    CHECK(*next > token);
}

TEST_CASE("a lease is seized from an owner that hangs, once", "[projections][leases]") {
    test::TemporaryFolder folder{test::memory()};
    ControlDb control{folder.path()};
    const Member first{folder.path(), "the first"};
    const Member second{folder.path(), "the second"};
    const Member third{folder.path(), "the third"};
    Leases ours{control, first};
    const auto token = ours.take("projection/sites").value();

    const auto seized = Leases{control, second}.seize("projection/sites", token);
    REQUIRE(seized);
    CHECK(*seized > token);
    CHECK_FALSE(Leases{control, third}.seize("projection/sites", token));
    CHECK_FALSE(ours.holds("projection/sites", token));
    CHECK_FALSE(ours.take("projection/sites"));
}

TEST_CASE("a new token is greater than the one that stands beside the data", "[projections][leases]") {
    test::TemporaryFolder folder{test::memory()};
    ControlDb control{folder.path()};
    const Member member{folder.path(), "a runner"};
    Leases leases{control, member};
    const auto token = leases.take("projection/sites", 41);
    CHECK(token == 42);
    CHECK(leases.take("projection/sites", 41) == 42);
    CHECK(leases.take("projection/sites", 42) == 43);
}

TEST_CASE("of members that race for a lease one gets it", "[projections][leases]") {
    test::TemporaryFolder folder{test::memory()};
    constexpr int racers = 8;
    constexpr int rounds = 20;
    std::barrier start{racers};
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    threads.reserve(racers);
    for (int racer = 0; racer < racers; ++racer) {
        threads.emplace_back([&] {
            ControlDb control{folder.path()};
            const Member member{folder.path(), "a racer"};
            Leases leases{control, member};
            for (int round = 0; round < rounds; ++round) {
                start.arrive_and_wait();
                if (leases.take("round " + std::to_string(round))) ++winners;
            }
            start.arrive_and_wait();
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(winners == rounds);
}

// Trap 12: what waits for others, waits without writing.
TEST_CASE("looking for a free lease writes nothing", "[projections][leases][traps]") {
    test::FaultyDisk disk{{.models_power = false}};
    ControlDb control{disk.folder(), disk.vfs()};
    const Member first{disk.folder(), "the first"};
    const Member second{disk.folder(), "the second"};
    Leases ours{control, first};
    Leases theirs{control, second};
    const auto token = ours.take("projection/sites").value();
    const auto before = disk.seen(test::Op::write);
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(theirs.take("projection/sites"));
        CHECK(ours.take("projection/sites") == token);
        CHECK(ours.holds("projection/sites", token));
    }
    CHECK(disk.seen(test::Op::write) == before);
}

TEST_CASE("control.db is made when it is needed, and says what it is not", "[projections][control]") {
    test::TemporaryFolder folder{test::memory()};
    CHECK(ControlDb::open_existing(folder.path()) == nullptr);
    CHECK_FALSE(fs::exists(folder / "control.db"));
    { const ControlDb control{folder.path()}; }
    CHECK(ControlDb::open_existing(folder.path()) != nullptr);

    const auto refusal_of = [&](const std::string& statement) {
        {
            const auto db = open_database(folder / "control.db", Access::write, "");
            sql::execute(db.get(), statement.c_str());
        }
        try {
            const ControlDb control{folder.path()};
        } catch (const StoreError& error) {
            return error.code() + ": " + error.what();
        }
        return std::string{"opened"};
    };
    CHECK_THAT(refusal_of("PRAGMA user_version = 99"),
               ContainsSubstring("format: ") && ContainsSubstring("format 99"));
    CHECK_THAT(refusal_of("PRAGMA application_id = 7"), ContainsSubstring("database of another program"));
}

TEST_CASE("a file that is no database is refused as control.db", "[projections][control]") {
    test::TemporaryFolder folder{test::memory()};
    std::ofstream{folder / "control.db"} << std::string(5'000, 'x');
    CHECK_THROWS_AS(ControlDb{folder.path()}, StoreError);
}

TEST_CASE("control.db is copied back now and then, and loses nothing by it", "[projections][control]") {
    test::TemporaryFolder folder{test::memory()};
    ControlDb control{folder.path()};
    for (int i = 0; i < 2'500; ++i) control.set_dropped("p" + std::to_string(i % 7), i % 2 == 0);
    // A page each: without a checkpoint the WAL would hold all of them.
    CHECK(fs::file_size(folder / "control.db-wal") < 2'000 * 4'200);
    ControlDb other{folder.path()};
    for (int i = 2'493; i < 2'500; ++i) CHECK(other.is_dropped("p" + std::to_string(i % 7)) == (i % 2 == 0));
}

TEST_CASE("a build shows how far it is while it runs, and what it failed at afterwards", "[projections][control]") {
    test::TemporaryFolder folder{test::memory()};
    ControlDb control{folder.path()};
    const Member member{folder.path(), "a runner"};
    const auto projection = some_projection();
    CHECK_FALSE(build_of(control, "sites"));
    {
        BuildProgress progress{control, member, *projection, 4, Position{0}, Position{90}};
        const auto build = build_of(control, "sites");
        REQUIRE(build);
        CHECK(build->generation == 4);
        CHECK(build->version == 3);
        CHECK(build->builder == member.number());
        CHECK(build->target == Position{90});
        CHECK(build->error.empty());
    }
    CHECK_FALSE(build_of(control, "sites"));
    {
        BuildProgress progress{control, member, *projection, 4, Position{0}, Position{90}};
        Event event{.stream = StreamId{"Site", "1"}};
        event.position = Position{12};
        event.type = "SiteCreated";
        progress.update(Position{11}, Position{95}, 7);
        progress.failed(HandlerFailed{"sites", event, "sites.sql:4", "no such column: x"});
    }
    const auto build = build_of(control, "sites");
    REQUIRE(build);
    CHECK(build->position == Position{11});
    CHECK(build->events == 7);
    CHECK(build->failed_position == Position{12});
    CHECK(build->failed_type == "SiteCreated");
    CHECK(build->failed_place == "sites.sql:4");
    CHECK_THAT(build->error, ContainsSubstring("no such column: x"));
    forget_build(control, "sites");
    CHECK_FALSE(build_of(control, "sites"));
}

}  // namespace
}  // namespace stele
