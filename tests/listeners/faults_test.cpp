// What happens when what has happened cannot be written (trap 9), or where a listener is cannot be read.
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/steering.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/temporary_folder.hpp>

#include <set>

using namespace stele;
using namespace std::chrono_literals;
using test::after;

namespace {

// A sound log whose control.db is on a disk that fails when told.
struct Sick {
    test::FaultyDisk disk{{.models_power = false, .is_default = false, .root = {}}};
    EventStore store = EventStore::open((disk / "log.stele").string(), Options{.durability = Durability::relaxed});
    std::vector<std::string> troubles;

    [[nodiscard]] RunnerOptions options() {
        RunnerOptions options;
        options.sqlite_vfs = disk.vfs();
        options.news = [this](const RunnerNews& news) {
            if (news.kind == RunnerNews::Kind::trouble) troubles.push_back(news.text);
        };
        return options;
    }
};

void refuse_even(const Event& event, const Delivery&) {
    if (event.position.value() % 2 == 0) throw Permanent{"refused"};
}

test::Numbers positions_of(const std::vector<DeadLetter>& letters) {
    test::Numbers positions;
    for (const auto& letter : letters) positions.push_back(letter.position.value());
    std::sort(positions.begin(), positions.end());
    return positions;
}

}  // namespace

TEST_CASE("while control.db cannot be written nothing is delivered, loudly, and all goes on when it can (trap 9)",
          "[listeners][fault][trap-9]") {
    Sick sick;
    const test::Receiver receiver{refuse_even};
    Runner runner{sick.store, sick.options()};
    runner.add(listener("bill", Query{}, receiver.function()));
    test::seed_in_turns(sick.store, {"a", "b"}, 1);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{1});

    sick.disk.fail({.op = test::Op::write | test::Op::sync, .nth = 1, .file = "control.db-wal"},
                   {.for_good = true});
    test::seed_in_turns(sick.store, {"a", "b"}, 2);  // 3 to 6
    test::step_through(runner);
    const auto tried = receiver.tried().size();
    REQUIRE(sick.troubles.size() == 1);  // said once
    CHECK(sick.troubles[0].find("control.db") != std::string::npos);
    test::seed_in_turns(sick.store, {"a", "b"}, 2);  // 7 to 10
    for (int i = 0; i < 5; ++i) test::step_through(runner);
    CHECK(receiver.tried().size() == tried);

    sick.disk.heal();
    test::step_through(runner);
    auto positions = receiver.positions();
    std::sort(positions.begin(), positions.end());
    CHECK(positions == test::Numbers{1, 3, 5, 7, 9});  // and none twice: what was done was known
    CHECK(positions_of(dead_letters(sick.store, {})) == test::Numbers{2, 4, 6, 8, 10});
}

// Goal:   whichever change of control.db fails, each event is delivered, or a dead letter, and the letter of each
// is
//         there.
// Method: fail the 1st change, the 2nd, and so on, until all of a run's have passed. Events fail once and are tried
//         again, or fail for good, or are delivered.
TEST_CASE("whichever write of control.db fails no event and no dead letter is lost (trap 9)",
          "[listeners][fault][trap-9]") {
    bool completed = false;
    int nth = 1;
    for (; !completed; nth += 1) {
        CAPTURE(nth);
        Sick sick;
        test::seed_in_turns(sick.store, {"a", "b", "c"}, 3);
        const test::Receiver receiver{[](const Event& event, const Delivery& delivery) {
            if (event.position.value() % 4 == 2) throw Permanent{"refused"};
            if (event.position.value() % 3 == 1 && delivery.attempt() == 1) throw std::runtime_error{"no answer"};
        }};
        { ControlDb made{sick.store.models_folder().parent_path(), sick.disk.vfs()}; }
        Runner runner{sick.store, sick.options()};
        runner.add(listener("bill", Query{}, receiver.function(), {.retry = after({0ms}, 5)}));
        sick.disk.fail({.op = test::Op::write | test::Op::sync | test::Op::truncate, .nth = nth, .file = {}});
        for (int i = 0; i < 3; ++i) {
            try {
                test::step_through(runner);
            } catch (const StoreError&) {  // the runner could not even begin
                CHECK(sick.disk.hit());
            }
        }
        completed = !sick.disk.hit();
        CHECK((completed || !sick.troubles.empty() || receiver.got().size() == 7));
        sick.disk.heal();
        test::step_through(runner);
        std::set<std::int64_t> got;
        for (const auto position : receiver.positions()) CHECK(got.insert(position).second);
        CHECK(test::Numbers(got.begin(), got.end()) == test::Numbers{1, 3, 4, 5, 7, 8, 9});
        CHECK(positions_of(dead_letters(sick.store, {})) == test::Numbers{2, 6});
        CHECK(listener_status(sick.store, runner.listeners(), "bill").parked == 0);
    }
    CHECK(nth > 10);
}

TEST_CASE("a box of very many dead letters drops none, and neither does a full disk (trap 9)",
          "[listeners][fault][trap-9]") {
    constexpr int many = 5'000;
    Sick sick;
    for (int i = 0; i < many; i += 1'000)
        test::seed(sick.store, test::order("a"), std::vector<std::string>(1'000, "OrderPaid"));
    const test::Receiver receiver{[](const Event&, const Delivery&) { throw Permanent{"refused"}; }};
    Runner runner{sick.store, sick.options()};
    runner.add(listener("bill", Query{}, receiver.function()));
    { ControlDb made{sick.store.models_folder().parent_path(), sick.disk.vfs()}; }
    sick.disk.limit_space(600'000);
    test::step_through(runner);
    CHECK_FALSE(sick.troubles.empty());
    const auto before = dead_letters(sick.store, {}).size();
    CHECK(before < many);
    sick.disk.limit_space({});
    test::step_through(runner);
    CHECK(positions_of(dead_letters(sick.store, {})) == test::numbers(1, many));
    CHECK(receiver.tried().size() == many);  // each once
}

// A log that was restored from an older backup: the listener is ahead of it. Nothing must be sent again, and the
// place must stay what it was.
TEST_CASE("a listener that is ahead of its log delivers nothing until it is rewound", "[listeners][fault]") {
    test::TemporaryFolder folder;
    auto store = EventStore::open((folder / "log.stele").string());
    test::seed_in_turns(store, {"a"}, 3);
    test::KeptRows rows{store};
    rows.place("bill", {.position = 7, .read_to = 7});
    const test::Receiver receiver;
    std::vector<std::string> troubles;
    RunnerOptions options;
    options.news = [&](const RunnerNews& news) {
        if (news.kind == RunnerNews::Kind::trouble) troubles.push_back(news.text);
    };
    {
        Runner runner{store, options};
        runner.add(listener("bill", Query{}, receiver.function()));
        for (int i = 0; i < 3; ++i) test::step_through(runner);
        CHECK(receiver.tried().empty());
        REQUIRE(troubles.size() == 1);
        CHECK(troubles[0].find("the log lost events") != std::string::npos);
    }
    CHECK(rows.number("SELECT position FROM listeners") == 7);

    Runner runner{store, options};
    runner.add(listener("bill", Query{}, receiver.function()));
    test::step_through(runner);
    (void)rewind_listener(store, runner.listeners(), "bill", Position{3}, false);
    test::step_through(runner);
    test::seed_in_turns(store, {"a"}, 1);
    test::step_through(runner);
    CHECK(receiver.positions() == test::Numbers{4});
}
