// P1: a projection's rows always equal a fold of the log up to its stored position.
#include "vocabulary.hpp"

#include <stele/test/random.hpp>

#include <atomic>
#include <thread>

namespace stele {
namespace {

using test::Lines;

Generation generation_of(const EventStore& store, std::string_view name) {
    return ReadModel::open(store, name).generation();
}

TEST_CASE("a rebuild gives the fold of the whole log, and says what it is", "[projections][P1]") {
    auto store = EventStore::temporary();
    test::pay(store, 300);

    const auto rebuilt = rebuild(store, *test::payments());

    REQUIRE(rebuilt);
    CHECK(rebuilt->events == 240);  // a fifth of them are notes
    CHECK(rebuilt->generation.position == Position{300});
    CHECK(rebuilt->generation.state == "live");
    CHECK(rebuilt->generation.number == 1);
    CHECK(rebuilt->generation.fingerprint == test::payments()->fingerprint());
    CHECK(rebuilt->generation == generation_of(store, "payments"));
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{300}));
}

TEST_CASE("a rebuild of an empty log makes empty tables", "[projections][P1]") {
    auto store = EventStore::temporary();
    const auto rebuilt = rebuild(store, *test::payments());
    REQUIRE(rebuilt);
    CHECK(rebuilt->generation.position == Position{0});
    CHECK(test::rows(store, "payments", test::all_payments).empty());
}

TEST_CASE("a rebuild up to a position is the read model of that moment, and stays there", "[projections][P1]") {
    auto store = EventStore::temporary();
    test::pay(store, 120);
    for (const int until : {0, 1, 2, 57, 119, 120}) {
        CAPTURE(until);
        RebuildOptions options;
        options.until = Position{until};
        options.batch = 10;
        const auto generation = test::rebuild_now(store, *test::payments(), options).generation;
        CHECK(generation.position == Position{until});
        CHECK(generation.state == "paused");
        CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{until}));

        CHECK(catch_up(store, *test::payments()).position == Position{until});
        CHECK(generation_of(store, "payments").position == Position{until});
    }
}

TEST_CASE("a rebuild up to a position behind the head is refused", "[projections]") {
    auto store = EventStore::temporary();
    test::pay(store, 5);
    RebuildOptions options;
    options.until = Position{6};
    CHECK_THAT(test::error_of<InvalidInput>([&] { rebuild(store, *test::payments(), options); }).what(),
               ContainsSubstring("until: expected a position from 0 to the log's head, 5, found 6"));
    CHECK(test::model_files(store).empty());
}

TEST_CASE("the size of transactions changes nothing about the rows", "[projections][P1]") {
    auto store = EventStore::temporary();
    test::pay(store, 200);
    const auto expected = test::expected_payments(store, Position{200});
    for (const std::size_t batch : {1U, 2U, 3U, 79U, 160U, 161U, 100'000U}) {
        CAPTURE(batch);
        RebuildOptions options;
        options.batch = batch;
        test::rebuild_now(store, *test::payments(), options);
        CHECK(test::rows(store, "payments", test::all_payments) == expected);
    }
}

// Goal:   after any series of appends, catch-ups of any size and rebuilds, rows and position belong together.
// Method: random steps; after each, the rows are compared with a fold in memory up to the stored position.
TEST_CASE("rows equal the fold up to the stored position after every step", "[projections][P1]") {
    test::Random random;
    CAPTURE(random.seed());
    auto store = EventStore::temporary();
    rebuild(store, *test::payments());
    for (int step = 0; step < 60; ++step) {
        CAPTURE(step);
        const auto before = generation_of(store, "payments").position;
        switch (random.below(4)) {
            case 0:
                test::pay(store, static_cast<int>(random.below(40)), 3);
                break;
            case 1: {
                CatchUpOptions options;
                options.limit = random.below(20);
                options.batch = 1 + random.below(7);
                const auto result = catch_up(store, *test::payments(), options);
                CHECK(result.events <= static_cast<std::int64_t>(*options.limit));
                CHECK(result.position >= before);
                break;
            }
            case 2:
                CHECK(catch_up(store, *test::payments()).position == store.head());
                break;
            default:
                test::rebuild_now(store, *test::payments());
        }
        const auto position = generation_of(store, "payments").position;
        REQUIRE(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, position));
    }
}

TEST_CASE("a rebuild that runs while others append catches up with them", "[projections][P1]") {
    auto store = EventStore::temporary();
    test::pay(store, 2'000);
    std::atomic<bool> done = false;
    std::thread writer{[&] {
        while (!done) test::pay(store, 20);
    }};

    RebuildOptions options;
    options.batch = 100;
    Position last;
    options.progress = [&](const FoldProgress& progress) {
        CHECK(progress.position > last);
        CHECK(progress.position <= progress.target);
        last = progress.position;
        if (progress.position >= Position{4'000}) done = true;  // so the rebuild ends
    };
    const auto rebuilt = rebuild(store, *test::payments(), options);
    done = true;
    writer.join();

    REQUIRE(rebuilt);
    CHECK(rebuilt->generation.position >= Position{2'000});
    CHECK(rebuilt->generation.position == last);
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, last));
    CHECK(catch_up(store, *test::payments()).position == store.head());
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, store.head()));
}

// Trap 26: progress saved for each event that was not selected.
TEST_CASE("events that are not selected cost no transaction", "[projections][traps]") {
    auto store = EventStore::temporary();
    for (int i = 0; i < 30; ++i) {
        test::seed(store, StreamId{"S", std::to_string(i)}, std::vector<std::string>(100, "Noted"));
        if (i % 10 == 5) store.append(StreamId{"S", "paid"}, expect::any, {event("Paid", {{"amount", 1}})});
    }
    int transactions = 0;
    RebuildOptions options;
    options.progress = [&](const FoldProgress&) { ++transactions; };
    const auto rebuilt = rebuild(store, *test::payments(), options);
    REQUIRE(rebuilt);
    CHECK(rebuilt->events == 3);
    CHECK(rebuilt->generation.position == Position{3'003});
    CHECK(transactions == 1);

    test::seed(store, StreamId{"S", "x"}, std::vector<std::string>(1'000, "Noted"));
    transactions = 0;
    CatchUpOptions more;
    more.progress = options.progress;
    CHECK(catch_up(store, *test::payments(), more).position == Position{4'003});
    CHECK(transactions == 1);
    CHECK(catch_up(store, *test::payments(), more).position == Position{4'003});
    CHECK(transactions == 1);  // there was nothing to do
}

TEST_CASE("a rebuild that is stopped leaves what was there, and nothing else", "[projections][P2]") {
    auto store = EventStore::temporary();
    test::pay(store, 100);
    RebuildOptions options;
    options.batch = 10;
    std::stop_source source;
    options.stop = source.get_token();
    options.progress = [&](const FoldProgress& progress) {
        if (progress.events >= 30) source.request_stop();
    };
    CHECK_FALSE(rebuild(store, *test::payments(), options));
    CHECK(test::model_files(store).empty());
    CHECK_THROWS_AS(ReadModel::open(store, "payments"), NotFound);

    rebuild(store, *test::payments());
    const auto before = generation_of(store, "payments");
    source = {};
    options.stop = source.get_token();
    CHECK_FALSE(rebuild(store, *test::payments(), options));
    CHECK(generation_of(store, "payments") == before);
    CHECK(test::model_files(store) == Lines{"payments.db", "payments.g1.db"});
}

TEST_CASE("a catch-up that is stopped keeps what it has done", "[projections][P1]") {
    auto store = EventStore::temporary();
    rebuild(store, *test::payments());
    test::pay(store, 100);
    std::stop_source source;
    CatchUpOptions options;
    options.batch = 10;
    options.stop = source.get_token();
    options.progress = [&](const FoldProgress&) { source.request_stop(); };
    const auto result = catch_up(store, *test::payments(), options);
    CHECK(result.events == 10);
    CHECK(generation_of(store, "payments").position == result.position);
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, result.position));
}

TEST_CASE("a projection that was never built, or by another definition, is not caught up", "[projections]") {
    auto store = EventStore::temporary();
    test::pay(store, 10);
    CHECK_THAT(test::error_of<NotFound>([&] { catch_up(store, *test::payments()); }).what(),
               ContainsSubstring("projection \"payments\" was never built; rebuild it"));
    CHECK(test::model_files(store).empty());

    rebuild(store, *test::payments());
    const auto changed = SqlProjection::parse(std::string{test::payments_sql} + "-- a remark", "payments.sql");
    const auto error = test::error_of<ProjectionError>([&] { catch_up(store, *changed); });
    CHECK(error.code() == "projection_changed");
    CHECK(error.projection() == "payments");
    CHECK(rebuild(store, *changed)->generation.number == 2);
    CHECK(catch_up(store, *changed).position == Position{10});
}

TEST_CASE("a read model that is further than the log says so", "[projections]") {
    auto store = EventStore::temporary();
    test::pay(store, 10);
    rebuild(store, *test::payments());

    auto shorter = EventStore::temporary();  // as a log is that was restored from an old backup
    test::pay(shorter, 4);
    std::filesystem::copy(store.models_folder(), shorter.models_folder(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    const auto error = test::error_of<ProjectionError>([&] { catch_up(shorter, *test::payments()); });
    CHECK(error.code() == "projection_ahead");
    CHECK_THAT(error.what(), ContainsSubstring("expected a position up to the log's head 4, found 10"));
}

TEST_CASE("one at a time builds a projection, while others advance it", "[projections]") {
    auto store = EventStore::temporary();
    test::pay(store, 50);
    rebuild(store, *test::payments());
    test::pay(store, 50);
    int refused = 0;
    RebuildOptions options;
    options.progress = [&](const FoldProgress&) {
        CHECK(test::error_of<ProjectionError>([&] { rebuild(store, *test::payments()); }).code() ==
              "projection_busy");
        CHECK(catch_up(store, *test::payments()).position == Position{100});
        ++refused;
    };
    CHECK(rebuild(store, *test::payments(), options)->generation.number == 2);
    CHECK(refused == 1);
    CHECK(rebuild(store, *test::payments())->generation.number == 3);
}

TEST_CASE("two that advance one generation do not take in the same event twice", "[projections][P1]") {
    auto store = EventStore::temporary();
    test::pay(store, 50);
    rebuild(store, *test::payments());
    test::pay(store, 50);
    CatchUpOptions options;
    options.batch = 10;
    bool once = false;
    options.progress = [&](const FoldProgress&) {
        if (!std::exchange(once, true)) CHECK(catch_up(store, *test::payments()).position == Position{100});
    };
    const auto error = test::error_of<ProjectionError>([&] { catch_up(store, *test::payments(), options); });
    CHECK(error.code() == "projection_busy");
    CHECK(test::rows(store, "payments", test::all_payments) == test::expected_payments(store, Position{100}));
}

}  // namespace
}  // namespace stele
