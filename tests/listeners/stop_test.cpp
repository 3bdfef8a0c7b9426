// Stopping, pausing and switching off: what is under way is finished or handed back, and nothing is lost.
#include "gate.hpp"
#include "listening.hpp"

#include "control_db.hpp"
#include "leases.hpp"

#include <stele/projections/listeners/steering.hpp>

#include <stdlib.h>

using namespace stele;
using namespace std::chrono_literals;

namespace {

// Who has the lease; 0: nobody.
std::int64_t owner_of(const EventStore& store, const std::string& listener) {
    ControlDb control{store.models_folder().parent_path()};
    const auto holder = Leases::holder(control, "listener/" + listener);
    return holder ? holder->owner : 0;
}

}  // namespace

TEST_CASE("a runner that stops finishes what is under way, and hands back what is not", "[listeners][stop]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 3);
    const test::Gate gate;
    const test::Receiver receiver{[gate](const Event&, const Delivery&) { gate.pass(); }};
    {
        Runner runner{store};
        runner.add(listener("bill", Query{}, receiver.function()));
        runner.start();
        REQUIRE(gate.await_waiting(1));
        std::thread stopping{[&] { runner.stop(); }};
        gate.open();
        stopping.join();
        CHECK(owner_of(store, "bill") == 0);
    }
    const auto finished = receiver.positions();
    CHECK(finished.size() >= 1);  // the others only if the gate was open before it began to stop
    Runner runner{store};
    runner.add(listener("bill", Query{}, receiver.function()));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 2, 3});  // none twice
}

TEST_CASE("a delivery that takes too long is asked to give up, and is made again without a spent attempt",
          "[listeners][stop]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 2);
    std::atomic<int> given_up{0};
    const test::Gate begun;
    begun.open();
    test::Receiver receiver{[&](const Event&, const Delivery& delivery) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock{mutex};
        begun.pass();
        never.wait_for(lock, delivery.stop(), 10s, [] { return false; });
        ++given_up;
        throw std::runtime_error{"told to stop"};
    }};
    {
        RunnerOptions options;
        options.stop_within = 20ms;
        Runner runner{store, options};
        runner.add(listener("bill", Query{}, receiver.function(), {.retry = test::after({1h}, 1)}));
        runner.start();
        REQUIRE(receiver.await_tried(1));
        const auto began = std::chrono::steady_clock::now();
        runner.stop();
        CHECK(std::chrono::steady_clock::now() - began < 8s);
        CHECK(given_up == 1);
        CHECK(owner_of(store, "bill") == 0);
    }
    receiver.decide({});
    Runner runner{store};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = test::after({1h}, 1)}));
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1, 2});
    CHECK(receiver.got()[0].attempt == 1);
}

TEST_CASE("a runner that may stop for as long as it takes asks no delivery to give up", "[listeners][stop]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 1);
    const test::Gate begun;
    std::atomic<bool> was_asked{false};
    RunnerOptions options;
    options.stop_within = std::chrono::milliseconds::max();
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, [&](const Event&, const Delivery& delivery) {
        begun.pass();
        std::mutex mutex;
        std::condition_variable_any asked;
        std::unique_lock lock{mutex};
        was_asked = asked.wait_for(lock, delivery.stop(), 200ms, [&] { return delivery.stop().stop_requested(); });
    }));
    runner.start();
    REQUIRE(begun.await_waiting(1));
    begun.open();
    runner.stop();
    CHECK_FALSE(was_asked);
    CHECK(owner_of(store, "bill") == 0);
}

TEST_CASE("a listener that is paused while a delivery is under way finishes that one, and no other",
          "[listeners][pause]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a", "b"}, 3);
    const test::Gate gate;
    const test::Receiver receiver{[gate](const Event&, const Delivery&) { gate.pass(); }};
    std::mutex mutex;
    std::condition_variable told;
    bool is_paused = false;
    RunnerOptions options;
    options.news = [&](const RunnerNews& news) {
        const std::lock_guard lock{mutex};
        is_paused = is_paused || news.kind == RunnerNews::Kind::paused;
        told.notify_all();
    };
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, receiver.function()));
    runner.start();
    REQUIRE(gate.await_waiting(2));
    pause_listener(store, runner.listeners(), "bill");
    {
        std::unique_lock lock{mutex};
        REQUIRE(told.wait_for(lock, 10s, [&] { return is_paused; }));
    }
    gate.open();
    CHECK(runner.wait_for_listener("bill", store.head(), 10s) == WaitResult::paused);
    runner.stop();
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::Numbers{1, 2});

    resume_listener(store, runner.listeners(), "bill");
    test::step_through(runner);
    CHECK(receiver.got().size() == 6);
}

TEST_CASE("listeners that are switched off lose nothing", "[listeners][off]") {
    auto store = EventStore::temporary();
    const test::Receiver receiver;
    const auto run = [&] {
        Runner runner{store};
        runner.add(listener("bill", Query{}, receiver.function()));
        test::step_through(runner);
    };
    test::seed_in_turns(store, {"a"}, 2);
    run();
    for (const auto* word : {"off", "0", "No", "FALSE"}) {
        ::setenv("STELE_LISTENERS", word, 1);
        test::seed_in_turns(store, {"a"}, 1);
        run();
    }
    ::unsetenv("STELE_LISTENERS");
    CHECK(receiver.positions() == test::Numbers{1, 2});
    run();
    CHECK(receiver.positions() == test::Numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a listener with nothing to do writes nothing (trap 12)", "[listeners][trap-12]") {
    auto store = EventStore::temporary();
    test::FakeClock clock;
    test::seed_in_turns(store, {"a", "b"}, 2);
    const test::Receiver receiver{test::failing_at({Position{1}})};
    RunnerOptions options = test::with(clock);
    options.takeover_after = 20ms;  // signs of life come more often
    Runner runner{store, options};
    runner.add(listener("bill", Query{}, receiver.function(), {.retry = test::after({1h}, 5)}));
    runner.start();
    REQUIRE(runner.wait_for_listener("bill", store.head(), 10s) == WaitResult::reached);
    ControlDb control{store.models_folder().parent_path()};
    const auto version = [&] {
        return control.read([](sqlite3* db) {
            sql::Statement row{db, "PRAGMA data_version"};
            return row.step() ? row.integer(0) : 0;
        });
    };
    // What was settled behind the wait is written within a look or two; from then on nothing is.
    auto seen = version();
    int quiet = 0;
    for (int look = 0; look < 100 && quiet < 10; ++look) {
        (void)store.wait_beyond(store.head(), 20ms);  // nothing comes
        quiet = version() == seen ? quiet + 1 : 0;
        seen = version();
    }
    CHECK(quiet == 10);
}
