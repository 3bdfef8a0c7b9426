// Processes that append are killed: what they had been promised is there, once, whole and in order.
#include "appender.hpp"
#include "sound_log.hpp"

#include <stele/test/catch.hpp>
#include <stele/test/kill_at_every_step.hpp>
#include <stele/test/store.hpp>
#include <stele/test/temporary_folder.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <random>

using namespace stele;
using namespace stele::test;

namespace {

int between(int least, int most, std::mt19937_64& random) {
    return std::uniform_int_distribution<int>{least, most}(random);
}

// The process of the round that is to die: after some lines of its output, or at some change of the disk.
struct Death {
    std::string disk;
    int after_lines;
};

Death draw_death(std::mt19937_64& random) {
    if (between(0, 1, random) == 0) return {on_sound_disk(), between(1, 40, random)};
    return {kill_at({.op = changes, .nth = between(1, 250, random), .file = {}}), 1'000'000};
}

// Reads the log from end to end, again and again: checkpoints wait for it, and kills come while they do.
class ReaderBeside {
public:
    explicit ReaderBeside(const std::string& store)
        : reading_(std::async(std::launch::async, [this, log = EventStore::open(store)] {
              int whole = 0;
              for (; !done_; ++whole) {
                  Position last{0};
                  for (const Event& event : log.read(all())) {
                      if (event.position != last.next()) return -whole - 1;
                      last = event.position;
                  }
              }
              return whole;
          })) {}
    ~ReaderBeside() { done_ = true; }
    // How often it has read all of it; negative where there was a gap. Throws what a read threw.
    int end() {
        done_ = true;
        return reading_.get();
    }

private:
    std::atomic<bool> done_ = false;
    std::future<int> reading_;  // last: what it runs uses what stands above, and is waited for when this goes
};

}  // namespace

// Goal:   L2 to L6 over processes: no kill takes an acknowledged append, doubles one, or leaves half of one; the
//         others go on, and the next ones open the store without help.
// Method: rounds on one store. In each, a few processes of several threads append at once; the first one of them is
//         killed after a number of acknowledgements, or before a change of the disk, both drawn from a seed. In
//         every other round this process reads the log meanwhile; in those between, whoever opens the store next
//         may be the first. At the end every acknowledgement that ever came is checked against the log.
TEST_CASE("acknowledged events survive SIGKILL, over 60 rounds", "[fault][process]") {
    constexpr int rounds = 60;
    const std::uint64_t seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const TemporaryFolder folder{memory()};
    const auto store = folder / "many.stele";
    Promises promises;
    int killed = 0;

    int read = 0;
    for (int round = 0; round < rounds; ++round) {
        CAPTURE(round);
        const Death death = draw_death(random);
        const int processes = between(1, 3, random);
        std::optional<ReaderBeside> reader;
        if (round % 2 == 1) reader.emplace(store.string());
        std::vector<Process> appenders;
        for (int p = 0; p < processes; ++p) {
            const AppenderPlan plan{.name = std::to_string(round) + "." + std::to_string(p),
                                    .threads = between(1, 3, random),
                                    .appends = 12,
                                    .seed = random(),
                                    .relaxed = between(0, 3, random) == 0,
                                    .checkpoint_pages = between(5, 60, random)};
            appenders.push_back(start_appender(store, plan, p == 0 ? death.disk : on_sound_disk()));
        }

        Process& victim = appenders.front();
        for (int n = 0; n < death.after_lines; ++n) {
            const auto line = victim.read_line();
            if (!line) break;
            promises.note(*line);
        }
        victim.kill();
        for (Process& appender : appenders) promises.note_rest(appender);
        killed += victim.wait() == 128 + SIGKILL;
        for (std::size_t p = 1; p < appenders.size(); ++p) CHECK(appenders[p].wait() == 0);
        if (reader) {
            const int times = reader->end();
            REQUIRE(times >= 0);
            read += times;
        }
        if (round % 10 == 9) promises.check(sound_log(store));
    }
    CHECK(read > rounds / 2);
    CHECK(killed > rounds / 2);
    CHECK(promises.acknowledged() > rounds);
}

TEST_CASE("acknowledged events survive SIGKILL on the real disk", "[fault][process]") {
    const TemporaryFolder folder;
    const auto store = folder / "real.stele";
    Promises promises;
    for (int round = 0; round < 5; ++round) {
        CAPTURE(round);
        Process appender{{STELE_FAULT_APPENDER, store.string(), std::to_string(round), "4", "1000",
                          std::to_string(round), "full", "20"}};
        for (int n = 0; n < 10 + 7 * round; ++n) {
            const auto line = appender.read_line();
            REQUIRE(line);
            promises.note(*line);
        }
        appender.kill();
        promises.note_rest(appender);
        CHECK(appender.wait() == 128 + SIGKILL);
    }
    promises.check(sound_log(store));
}

TEST_CASE("a process killed at every step of making a store and appending leaves whole appends",
          "[fault][process]") {
    const TemporaryFolder folder{memory()};
    std::filesystem::path store;
    std::uint64_t seed = 7;
    const int killed = kill_at_every_step(
        [&](int nth) {
            store = folder / ("step-" + std::to_string(nth) + ".stele");
            return std::vector<std::string>{STELE_FAULT_APPENDER, store.string(), "p", "1", "3",
                                            std::to_string(seed), "full",         "2"};
        },
        [&](int nth, const std::string& output, int status) {
            CAPTURE(nth, output);
            Promises promises;
            std::istringstream lines{output};
            for (std::string line; std::getline(lines, line);) promises.note(line);
            promises.check(sound_log(store));
            if (status == 0) CHECK(promises.acknowledged() == 3);

            // the next process opens what is there and goes on
            Process next = start_appender(store, {.name = "next", .appends = 2, .seed = seed});
            promises.note_rest(next);
            CHECK(next.wait() == 0);
            promises.check(sound_log(store));
        });
    CHECK(killed > 40);
}

// Trap 16: the largest backlog that can be: nothing was ever copied out of the WAL.
TEST_CASE("a store killed with all of its events in the WAL reopens", "[fault][process][trap16]") {
    const TemporaryFolder folder;
    const auto store = folder / "backlog.stele";
    Promises promises;
    Process appender =
        start_appender(store, {.name = "p", .threads = 4, .appends = 500, .checkpoint_pages = 1'000'000});
    while (promises.acknowledged() < 1'500) {
        const auto line = appender.read_line();
        REQUIRE(line);
        promises.note(*line);
    }
    appender.kill();
    promises.note_rest(appender);
    CHECK(appender.wait() == 128 + SIGKILL);

    CHECK(std::filesystem::file_size(store / "events.db-wal") > 4'000'000);
    const auto events = sound_log(store);
    CHECK(events.size() >= promises.acknowledged());
    promises.check(events);
}

TEST_CASE("a process stopped in the midst of its commit holds others up, and loses nothing", "[fault][process]") {
    const TemporaryFolder folder;
    const auto store = folder / "stopped.stele";
    { (void)EventStore::open(store.string(), on(sound_disk())); }
    Promises promises;
    Process stopped = start_appender(store, {.name = "stopped", .appends = 3},
                                     stop_at({.op = Op::sync, .nth = 2, .file = "events.db-wal"}));
    REQUIRE(stopped.wait_until_stopped());

    Process impatient = start_appender(store, {.name = "impatient", .deadline = std::chrono::milliseconds{50}});
    CHECK(impatient.read_line() == "open");
    const auto answer = impatient.read_line();
    REQUIRE(answer);
    CHECK(*answer == "busy impatient/0 0");  // and it goes on trying
    promises.note(*answer);

    stopped.kill(SIGCONT);
    promises.note_rest(stopped);
    promises.note_rest(impatient);
    CHECK(stopped.wait() == 0);
    CHECK(impatient.wait() == 0);
    CHECK(promises.acknowledged() == 4);
    promises.check(sound_log(store));
}
