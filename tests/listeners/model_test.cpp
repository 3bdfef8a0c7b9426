// A listener against a simple model of what it should do, through random failures, restarts and operators.
#include "kept_rows.hpp"
#include "listening.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/steering.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <iostream>
#include <set>

namespace stele {
namespace {

using namespace std::chrono_literals;

constexpr int attempts = 3;
constexpr auto delay = 1s;

// How an event will fare, whatever is done to it: it fails so often, and then is delivered; or never.
struct Fate {
    int failures = 0;
    bool is_refused = false;
};

// What is known of one event.
struct Known {
    std::string stream;
    Fate fate;
    int attempts = 0;  // that count
    Timestamp due{};
    bool waits = true;  // in its stream's queue
    bool is_held = false;
    bool is_dead = false;
    std::vector<std::string> log;  // what became of each attempt
};

// Listeners as they should be: one key after another, one event after another.
class Model {
public:
    explicit Model(AfterLast after_last) : after_last_(after_last) {}

    void append(Position position, const std::string& stream, const Fate& fate) {
        known_[position].stream = stream;
        known_[position].fate = fate;
    }

    void run(Timestamp time) {
        std::set<std::string> blocked;
        for (auto& [position, event] : known_) {
            if (!event.waits || blocked.contains(event.stream)) continue;
            if (event.is_held || event.due > time || !deliver(event, time)) blocked.insert(event.stream);
        }
    }

    void retry(Position position, Timestamp time) {
        auto& event = known_.at(position);
        event.waits = true;
        event.is_held = false;
        event.attempts = 0;
        event.due = time;
    }
    void discard(Position position) {
        auto& event = known_.at(position);
        event.waits = event.is_held = event.is_dead = false;
    }
    void rewind(Position to) {
        for (auto& [position, event] : known_) {
            if (position <= to) continue;
            event.waits = true;
            event.is_held = event.is_dead = false;
            event.attempts = 0;
            event.due = {};
        }
    }
    void forgive(Position position) { known_.at(position).fate = {}; }

    [[nodiscard]] const std::map<Position, Known>& known() const noexcept { return known_; }

private:
    // False where the events behind it have to wait.
    bool deliver(Known& event, Timestamp time) {
        if (!event.fate.is_refused && event.fate.failures == 0) {
            event.log.emplace_back("delivered");
            event.waits = event.is_dead = false;
            return true;
        }
        event.log.emplace_back("failed");
        if (!event.fate.is_refused) --event.fate.failures;
        if (!event.fate.is_refused && ++event.attempts < attempts) {
            event.due = time + delay;
            return false;
        }
        event.is_dead = true;
        if (after_last_ == AfterLast::hold_key) event.is_held = true;
        event.waits = event.is_held;
        return !event.is_held;
    }

    const AfterLast after_last_;
    std::map<Position, Known> known_;
};

// What really happens.
struct Reality {
    test::FakeClock clock;
    test::TemporaryFolder folder{test::memory()};
    EventStore store =
        EventStore::open((folder / "log.stele").string(), Options{.durability = Durability::relaxed});
    std::map<Position, Fate> fates;
    std::map<Position, std::vector<std::string>> log;
    std::shared_ptr<const Listener> bill;
    std::unique_ptr<Runner> runner;

    explicit Reality(AfterLast after_last) {
        // Operators act at the time of day; what they ask for is due at once.
        clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(now() - clock.now()) + 24h);
        bill = listener("bill", Query{}, [this](const Event& event, const Delivery&) { deliver(event); },
                        {.retry = test::after({delay}, attempts), .after_last = after_last});
        restart();
    }
    void restart() {
        runner.reset();
        runner = std::make_unique<Runner>(store, test::with(clock));
        runner->add(bill);
    }
    void deliver(const Event& event) {
        auto& fate = fates.at(event.position);
        const bool fails = fate.is_refused || fate.failures > 0;
        log[event.position].emplace_back(fails ? "failed" : "delivered");
        if (fate.is_refused) throw Permanent{"refused"};
        if (fate.failures-- > 0) throw std::runtime_error{"no answer"};
        fate.failures = 0;
    }
};

void compare(const Model& model, Reality& reality) {
    test::Numbers dead;
    test::Numbers parked;
    for (const auto& [position, event] : model.known()) {
        CAPTURE(position);
        CHECK(reality.log[position] == event.log);
        if (event.is_dead) dead.push_back(position.value());
        if (event.waits) parked.push_back(position.value());
    }
    test::Numbers found_dead;
    for (const auto& letter : dead_letters(reality.store, {})) found_dead.push_back(letter.position.value());
    std::sort(found_dead.begin(), found_dead.end());
    CHECK(found_dead == dead);
    test::KeptRows rows{reality.store};
    const auto found_parked = rows.control().read([](sqlite3* db) {
        sql::Statement row{db, "SELECT position FROM parked ORDER BY position"};
        test::Numbers positions;
        while (row.step()) positions.push_back(row.integer(0));
        return positions;
    });
    CHECK(found_parked == parked);
    CHECK(rows.number("SELECT position FROM listeners") == reality.store.head().value());
}

void live_through(test::Random& random, AfterLast after_last) {
    Model model{after_last};
    Reality reality{after_last};
    const std::vector<std::string> ids{"a", "b", "c", "d"};
    const auto some_letter = [&]() -> std::optional<DeadLetter> {
        const auto letters = dead_letters(reality.store, {});
        if (letters.empty()) return std::nullopt;
        return letters[random.below(letters.size())];
    };
    for (int round = 0; round < 150; ++round) {
        CAPTURE(round);
        for (auto count = random.below(6); count > 0; --count) {
            Fate fate;
            if (random.one_in(3)) fate.failures = static_cast<int>(1 + random.below(5));
            fate.is_refused = random.one_in(10);
            const auto stream = test::order(random.one_of(ids));
            const auto position = test::seed(reality.store, stream, {"OrderPaid"}).last_position;
            reality.fates[position] = fate;
            model.append(position, stream.name(), fate);
        }
        if (random.one_in(4)) reality.restart();
        reality.clock.advance(std::chrono::milliseconds{random.below(2'500)});
        test::step_through(*reality.runner);
        model.run(reality.clock.now());
        compare(model, reality);

        for (auto count = random.below(3); count > 0; --count) {
            const auto letter = some_letter();
            if (!letter) break;
            DeadLetterFilter filter;
            filter.id = letter->id;
            if (random.one_in(3)) {
                CHECK(discard_dead_letters(reality.store, filter, false).size() == 1);
                model.discard(letter->position);
                continue;
            }
            if (random.one_in(2)) {
                reality.fates[letter->position] = {};
                model.forgive(letter->position);
            }
            CHECK(retry_dead_letters(reality.store, filter, false).size() == 1);
            model.retry(letter->position, reality.clock.now() - 12h);
        }
        if (random.one_in(15)) {
            const Position to{static_cast<std::int64_t>(
                random.below(static_cast<std::size_t>(reality.store.head().value()) + 1))};
            (void)rewind_listener(reality.store, reality.runner->listeners(), "bill", to, false);
            model.rewind(to);
        }
    }
}

}  // namespace

TEST_CASE("a listener does what a simple model of it does, through failures, restarts and operators",
          "[listeners][model][D1][D2][D3]") {
    test::Random random;
    std::cout << "seed " << random.seed() << std::endl;
    CAPTURE(random.seed());
    for (int life = 0; life < 6; ++life) {
        CAPTURE(life);
        live_through(random, life % 2 == 0 ? AfterLast::free_key : AfterLast::hold_key);
    }
}

}  // namespace stele
