// Who delivers: one at a time, and he who was replaced without noticing writes nothing (D4).
#include "kept_rows.hpp"
#include "listening.hpp"

#include "leases.hpp"
#include "listeners/ledger.hpp"

#include <stele/test/process.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>
#include <thread>

using namespace stele;
using namespace std::chrono_literals;

namespace {

// A store that another process delivers from.
struct Shared {
    test::TemporaryFolder folder{test::memory()};
    std::string path = (folder / "log.stele").string();
    std::string record = (folder / "record").string();
    EventStore store = EventStore::open(path, Options{.durability = Durability::relaxed});

    [[nodiscard]] std::vector<std::string> worker() const { return {LISTENER_WORKER, path, record, "alone"}; }
    [[nodiscard]] std::vector<std::string> recorded() const {
        std::ifstream file{record};
        std::vector<std::string> lines;
        for (std::string line; std::getline(file, line);) lines.push_back(line.substr(0, line.find(' ')));
        return lines;
    }
};

RunnerOptions impatient(std::chrono::milliseconds takeover_after) {
    RunnerOptions options;
    options.look_every = 20ms;
    options.takeover_after = takeover_after;
    return options;
}

constexpr auto whole_row =
    "SELECT token || ' ' || epoch || ' ' || position || ' ' || read_to || ' ' || under_way || ' ' || counts FROM "
    "listeners WHERE name = 'record'";

std::string row_of(test::KeptRows& rows) {
    return rows.control().read([](sqlite3* db) {
        sql::Statement row{db, whole_row};
        return row.step() ? std::string{row.text(0)} : std::string{};
    });
}

}  // namespace

// Goal:   an owner that is stopped in the middle of a delivery, and goes on when another has long taken over, moves
//         nothing (trap 6).
// Method: it stops itself (SIGSTOP); another runner finds that nothing moves, takes over and delivers; then the
//         first one is let go on.
TEST_CASE("an owner that was taken over while it was stopped is fenced when it goes on (trap 6)",
          "[listeners][D4][trap-6]") {
    Shared shared;
    auto& store = shared.store;
    test::seed(store, test::order("a"), {"OrderPaid", "OrderHeld", "OrderPaid"});
    test::Process worker{shared.worker()};
    REQUIRE(worker.wait_until_stopped());
    test::seed(store, test::order("b"), {"OrderPaid", "OrderPaid"});

    const test::Receiver receiver;
    Runner runner{store, impatient(200ms)};
    runner.add(listener("record", matching(types("OrderPaid", "OrderHeld")), receiver.function()));
    runner.start();
    REQUIRE(runner.wait_for_listener("record", Position{5}, 20s) == WaitResult::reached);
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions.back() == 5);
    CHECK(std::count(positions.begin(), positions.end(), 2) == 1);
    runner.stop();

    test::KeptRows rows{store};
    // So that the lease is somebody's who is alive, and the worker does not take it again.
    Member holder{store.models_folder().parent_path(), "the test"};
    Leases leases{rows.control(), holder};
    REQUIRE(leases.take("listener/record"));
    const auto before = row_of(rows);
    worker.kill(SIGCONT);
    std::optional<std::string> line;
    do {
        line = worker.read_line();
        REQUIRE(line);
    } while (*line != "lost record");
    CHECK(row_of(rows) == before);
    test::seed(store, test::order("c"), {"OrderPaid"});
    CHECK(worker.wait() == 0);
    CHECK(row_of(rows) == before);
    const auto recorded = shared.recorded();
    CHECK(std::count(recorded.begin(), recorded.end(), "6") == 0);
}

TEST_CASE("when an owner dies another takes over at its next look", "[listeners][D4]") {
    Shared shared;
    test::seed(shared.store, test::order("a"), {"OrderPaid", "OrderPaid"});
    test::Process worker{shared.worker()};
    REQUIRE(worker.read_line());
    REQUIRE(worker.read_line());
    const test::Receiver receiver;
    Runner runner{shared.store, impatient(1h)};
    runner.add(listener("record", matching(types("OrderPaid", "OrderHeld")), receiver.function()));
    runner.start();
    worker.kill();
    CHECK(worker.wait() == 128 + SIGKILL);
    test::seed(shared.store, test::order("a"), {"OrderPaid"});
    CHECK(runner.wait_for_listener("record", Position{3}, 20s) == WaitResult::reached);
    CHECK(receiver.await([](const auto& got) { return !got.empty() && got.back().position == Position{3}; }));
}

TEST_CASE("of two runners one delivers, and the other goes on when it stops", "[listeners][D4]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    const test::Receiver receiver;
    Runner first{store, impatient(1h)};
    Runner second{store, impatient(1h)};
    for (auto* runner : {&first, &second}) {
        runner->add(listener("bill", Query{}, receiver.function()));
        runner->start();
    }
    test::seed_in_turns(store, {"a", "b"}, 20);
    REQUIRE(second.wait_for_listener("bill", store.head(), 10s) == WaitResult::reached);
    first.stop();
    test::seed_in_turns(store, {"a", "b"}, 20);
    REQUIRE(second.wait_for_listener("bill", store.head(), 10s) == WaitResult::reached);
    second.stop();
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::numbers(1, 80));  // each once
}

// A slow delivery is no reason to take a listener over: whoever waits for it gives signs of life.
TEST_CASE("an owner whose handler takes long is not taken for hung", "[listeners][D4]") {
    auto store = EventStore::temporary({.durability = Durability::relaxed});
    test::seed_in_turns(store, {"a", "b"}, 3);
    std::atomic<bool> is_over{false};
    std::atomic<int> lost{0};
    auto options = impatient(200ms);
    options.news = [&](const RunnerNews& news) { lost += news.kind == RunnerNews::Kind::lost ? 1 : 0; };
    const test::Receiver receiver{[&](const Event&, const Delivery& delivery) {
        std::mutex mutex;
        std::condition_variable_any changed;
        std::unique_lock lock{mutex};
        // Longer than it takes to be taken over.
        changed.wait_for(lock, delivery.stop(), 500ms, [&] { return is_over.load(); });
    }};
    Runner first{store, options};
    Runner second{store, options};
    for (auto* runner : {&first, &second}) {
        runner->add(listener("bill", Query{}, receiver.function()));
        runner->start();
    }
    REQUIRE(receiver.await_tried(2));
    CHECK(first.wait_for_listener("bill", Position{2}, 10s) == WaitResult::reached);
    is_over = true;
    CHECK(first.wait_for_listener("bill", store.head(), 10s) == WaitResult::reached);
    CHECK(lost == 0);
    CHECK(receiver.got().size() == 6);
}

TEST_CASE("a settlement with an old token, or of an old epoch, writes nothing", "[listeners][D4]") {
    auto store = EventStore::temporary();
    test::seed_in_turns(store, {"a"}, 3);
    test::KeptRows rows{store};
    rows.place("record", {});
    Ledger ledger{rows.control(), "record"};
    REQUIRE(ledger.claim(5, "default", "code"));
    CHECK_FALSE(ledger.claim(4, "default", "code"));
    Settlement settlement;
    settlement.parked.push_back({"a", Position{1}, 1, now(), false});
    settlement.failures.push_back({Position{1}, now(), 1ms, "exception", "no"});
    settlement.deaths.push_back({"a", Position{1}, store.at(Position{1})->id, "Order/a", "OrderPaid"});
    ListenerPlace place;
    place.position = place.read_to = Position{3};
    const auto before = row_of(rows);
    CHECK(ledger.settle(settlement, place, 4, now()).outcome == Ledger::Outcome::fenced);
    place.epoch = 1;
    CHECK(ledger.settle(settlement, place, 5, now()).outcome == Ledger::Outcome::moved);
    CHECK(row_of(rows) == before);
    CHECK(rows.number("SELECT (SELECT count(*) FROM parked) + (SELECT count(*) FROM attempts) + (SELECT count(*) "
                      "FROM dead_letters)") == 0);
    place.epoch = 0;
    CHECK(ledger.settle(settlement, place, 5, now()).outcome == Ledger::Outcome::done);
    CHECK(rows.number("SELECT position FROM listeners") == 3);
}
