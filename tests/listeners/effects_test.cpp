// Effects happen because of events, and of nothing else: not of rebuilds, not of restarts.
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/steering.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/test/temporary_folder.hpp>

#include <thread>

using namespace stele;
using namespace std::chrono_literals;

namespace {

constexpr auto counting =
    "--@ projection counting version 1\n"
    "--@ create\n"
    "CREATE TABLE counting (n INTEGER NOT NULL);\n"
    "INSERT INTO counting VALUES (0);\n"
    "--@ on *\n"
    "UPDATE counting SET n = n + 1;\n";

// Appends until it is stopped, or goes.
class Appending {
public:
    explicit Appending(EventStore& store)
        : thread_([this, &store] {
              while (!is_over_) test::seed_in_turns(store, {"a", "b", "c"}, 1);
          }) {}
    Appending(const Appending&) = delete;
    Appending& operator=(const Appending&) = delete;
    ~Appending() { stop(); }
    void stop() {
        is_over_ = true;
        if (thread_.joinable()) thread_.join();
    }

private:
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

}  // namespace

// Goal:   no rebuild, switch or restart under load sends anything again; a rewind does, and only of the listener
//         that it names (trap 13).
// Method: a projection is rebuilt and switched five times while events are appended and two listeners run, in a
//         runner that is stopped and started in between; effects are counted.
TEST_CASE("rebuilds and switches under load send nothing twice, and a rewind only what it names (trap 13)",
          "[listeners][trap-13]") {
    const test::TemporaryFolder folder{test::memory()};
    auto store = EventStore::open((folder / "log.stele").string(), Options{.durability = Durability::relaxed});
    test::seed_in_turns(store, {"a", "b", "c"}, 50);
    const auto projection = SqlProjection::parse(counting, "counting.sql");
    const test::Receiver mail;
    const test::Receiver bill;
    Runner runner{store};
    runner.add(projection);
    runner.add(listener("mail", Query{}, mail.function()));
    runner.add(listener("bill", Query{}, bill.function()));
    runner.start();

    REQUIRE(runner.wait_for("counting", store.head(), 30s) == WaitResult::reached);  // built, by itself

    Appending appending{store};
    for (int round = 0; round < 5; ++round) {
        RebuildOptions options;
        options.grace = {};
        (void)rebuild(store, *projection, options);
        if (round == 2) {
            runner.stop();
            runner.start();
        }
    }
    appending.stop();
    const auto head = store.head();
    REQUIRE(runner.wait_for("counting", head, 30s) == WaitResult::reached);
    REQUIRE(runner.wait_for_listener("mail", head, 30s) == WaitResult::reached);
    REQUIRE(runner.wait_for_listener("bill", head, 30s) == WaitResult::reached);
    const auto sorted = [](test::Numbers positions) {
        std::sort(positions.begin(), positions.end());
        return positions;
    };
    CHECK(sorted(mail.positions()) == test::numbers(1, head.value()));
    CHECK(sorted(bill.positions()) == test::numbers(1, head.value()));
    runner.stop();

    (void)rewind_listener(store, runner.listeners(), "mail", Position{head.value() - 10}, true);  // only says so
    test::step_through(runner);
    CHECK(mail.got().size() == static_cast<std::size_t>(head.value()));
    (void)rewind_listener(store, runner.listeners(), "mail", Position{head.value() - 10}, false);
    test::step_through(runner);
    CHECK(mail.got().size() == static_cast<std::size_t>(head.value()) + 10);
    CHECK(bill.got().size() == static_cast<std::size_t>(head.value()));
}

// Goal:   a retry delivers the event that failed, wherever the listener is by then, and moves no position (trap 8).
// Method: all of the log dies again and again, so that there are more failures than events; then all is delivered.
TEST_CASE("trying everything again moves no position but forward (trap 8)", "[listeners][trap-8]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::seed_in_turns(store, {"a", "b"}, 20);
    test::Receiver receiver{[](const Event&, const Delivery&) { throw Permanent{"refused"}; }};
    Runner runner{store};
    runner.add(listener("bill", matching(types("OrderPaid")), receiver.function()));
    const auto position = [&] { return listener_status(store, runner.listeners(), "bill").position; };
    test::step_through(runner);
    CHECK(position() == Position{40});
    for (int round = 0; round < 3; ++round) {
        CHECK(retry_dead_letters(store, {}, false).size() == 40);
        test::step_through(runner);
        CHECK(dead_letters(store, {}).size() == 40);
        CHECK(position() == Position{40});
    }
    receiver.decide({});
    test::seed_in_turns(store, {"a", "b"}, 1);
    CHECK(retry_dead_letters(store, {}, false).size() == 40);
    test::step_through(runner);
    CHECK(position() == Position{42});
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::numbers(1, 42));
    CHECK(dead_letters(store, {}).empty());
}

// Goal:   what an operator does while the delivery is under way neither loses nor repeats it (trap 7).
// Method: the handler of the retry itself discards, or retries, its dead letter, and then succeeds or fails.
TEST_CASE(
    "an operator's word while a retry is under way neither repeats it nor brings back what was discarded (trap 7)",
    "[listeners][trap-7]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::seed_in_turns(store, {"a"}, 2);
    test::Receiver receiver{[](const Event& event, const Delivery&) {
        if (event.position == Position{1}) throw Permanent{"refused"};
    }};
    Runner runner{store};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = test::after({0ms}, 2)}));
    test::step_through(runner);
    REQUIRE(dead_letters(store, {}).size() == 1);
    CHECK(retry_dead_letters(store, {}, false).size() == 1);
    const auto tried = receiver.tried().size();

    SECTION("it is discarded, and fails") {
        receiver.decide([&](const Event&, const Delivery&) {
            CHECK(discard_dead_letters(store, {}, false).size() == 1);
            throw std::runtime_error{"no answer"};
        });
        test::step_through(runner);
        CHECK(receiver.tried().size() == tried + 1);
        CHECK(dead_letters(store, {}).empty());
        test::KeptRows rows{store};
        CHECK(rows.number("SELECT (SELECT count(*) FROM parked) + (SELECT count(*) FROM attempts)") == 0);
    }
    SECTION("it is discarded, and delivered") {
        receiver.decide([&](const Event&, const Delivery&) { (void)discard_dead_letters(store, {}, false); });
        test::step_through(runner);
        CHECK(receiver.tried().size() == tried + 1);
        CHECK(dead_letters(store, {}).empty());
    }
    SECTION("it is retried, and delivered") {
        receiver.decide([&](const Event&, const Delivery&) { (void)retry_dead_letters(store, {}, false); });
        test::step_through(runner);
        CHECK(receiver.tried().size() == tried + 1);
        CHECK(dead_letters(store, {}).empty());
    }
    // The key is free, whatever was done.
    receiver.decide({});
    const auto next = test::seed(store, test::order("a"), {"OrderPaid"}).last_position;
    test::step_through(runner);
    CHECK(receiver.positions().back() == next.value());
}
