// What a process that dies while it delivers leaves behind: everything is delivered, in order, and nothing again
// that control.db says is settled (D1, D4, L6).
#include "killed_worker.hpp"
#include "listening.hpp"

#include "control_db.hpp"
#include "listeners/ledger.hpp"

#include <stele/test/faulty_disk.hpp>
#include <stele/test/process.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>
#include <iostream>
#include <optional>
#include <set>

namespace stele {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t window = 64;  // of listener_worker

// The lines that were recorded so far, in order; a new look takes up where the last one ended.
class Record {
public:
    explicit Record(std::string path) : path_(std::move(path)) {}

    struct Line {
        Position position;
        std::string stream;
    };
    [[nodiscard]] const std::vector<Line>& lines() {
        std::ifstream file{path_};
        file.seekg(static_cast<std::streamoff>(read_));
        for (std::string line; std::getline(file, line);) {
            read_ += line.size() + 1;
            const auto space = line.find(' ');
            lines_.push_back({Position{std::stoll(line.substr(0, space))}, line.substr(space + 1)});
        }
        return lines_;
    }

private:
    std::string path_;
    std::size_t read_ = 0;
    std::vector<Line> lines_;
};

// What control.db says of a listener that nobody runs now.
struct Left {
    Position read_to;
    std::set<Position> under_way;
    std::set<Position> parked;

    Left(const EventStore& store, const std::string& listener) {
        ControlDb control{store.models_folder().parent_path()};
        const auto place = Ledger{control, listener}.place();
        if (!place) return;
        read_to = place->read_to;
        under_way.insert(place->under_way.begin(), place->under_way.end());
        control.read([&](sqlite3* db) {
            sql::Statement rows{db, "SELECT position FROM parked WHERE listener = ?1"};
            rows.bind(1, std::string_view{listener});
            while (rows.step()) parked.insert(Position{rows.integer(0)});
        });
    }
    [[nodiscard]] bool has_settled(Position position) const {
        return position <= read_to && !under_way.contains(position) && !parked.contains(position);
    }
};

}  // namespace

// Goal:   after any number of kills every event was recorded, each stream in order; an event is recorded again only
//         if it was under way, read since, or parked when its process died; and there is one effect of each event
//         of the listener that appends, whatever happened (L6).
// Method: a process delivers under load, on threads, or step by step; it is killed behind a random number of
//         deliveries, or before a random change of the disk, 200 times. After each, what control.db says is set
//         beside the record.
// Bound:  of what was recorded and is not settled in control.db, at most `window` events are from the log, as many
//         as a listener has in memory; the others are parked.
TEST_CASE("a listener killed 200 times sees every event, in order, and again only what was under way",
          "[listeners][D1][crash]") {
    test::Random random;
    std::cout << "seed " << random.seed() << std::endl;
    CAPTURE(random.seed());
    const test::TemporaryFolder folder{test::memory()};
    const auto path = (folder / "log.stele").string();
    auto store = EventStore::open(path, Options{.durability = Durability::relaxed});
    const auto record_path = (folder / "record").string();
    Record record{record_path};
    const std::vector<std::string> ids{"a", "b", "c", "d", "e", "f", "g"};
    const auto append = [&](std::size_t count) {
        for (; count > 0; --count) test::seed(store, test::order(random.one_of(ids)), {"OrderPaid"});
    };
    append(10);

    std::set<Position> before;  // what was recorded up to the last kill
    std::size_t seen = 0;       // in so many lines
    std::optional<Left> left;   // by whom was killed last
    std::size_t repeats = 0;
    std::size_t most_unsettled = 0;
    int killed = 0;
    for (int round = 0; killed < 200; ++round) {
        CAPTURE(round);
        REQUIRE(round < 1'000);
        append(5 + random.below(10));
        if (test::run_and_kill_worker(random, path, record_path, {}, 20, append)) ++killed;

        const auto& lines = record.lines();
        for (auto i = seen; i < lines.size(); ++i) {
            if (!before.contains(lines[i].position)) continue;
            ++repeats;
            CAPTURE(lines[i].position);
            CHECK_FALSE(left->has_settled(lines[i].position));
        }
        for (; seen < lines.size(); ++seen) before.insert(lines[seen].position);

        left.emplace(store, "record");
        std::size_t unsettled = 0;
        std::size_t of_the_log = 0;
        for (const auto position : before) {
            if (left->has_settled(position)) continue;
            ++unsettled;
            if (!left->parked.contains(position)) ++of_the_log;
        }
        CHECK(of_the_log <= window);
        most_unsettled = std::max(most_unsettled, unsettled);
    }

    // Left in peace, it delivers the rest.
    std::set<Position> wanted;
    for (const auto& event : test::events_in(store, Read{matching(types("OrderPaid"))}))
        wanted.insert(event.position);
    std::set<Position> missing = wanted;
    for (const auto& line : record.lines()) missing.erase(line.position);
    test::Process worker{{LISTENER_WORKER, path, record_path, "threads"}};
    while (!missing.empty()) {
        const auto line = worker.read_line();
        REQUIRE(line);
        missing.erase(Position{std::stoll(*line)});
    }
    const auto effects = [&] { return test::events_in(store, Read{matching(types("Echo"))}); };
    for (Position head; effects().size() < wanted.size();) {
        const auto next = store.wait_beyond(head, 10s);
        REQUIRE(next > head);
        head = next;
    }
    CHECK(worker.wait() == 0);

    std::set<Position> got;
    std::map<std::string, Position> last;
    for (const auto& line : record.lines()) {
        if (!got.insert(line.position).second) continue;
        CHECK(last[line.stream] < line.position);
        last[line.stream] = line.position;
    }
    CHECK(got == wanted);
    std::set<std::string> echoed;
    for (const auto& effect : effects()) CHECK(echoed.insert(effect.stream.name()).second);
    CHECK(echoed.size() == wanted.size());
    std::cout << killed << " kills, " << wanted.size() << " events, " << repeats << " repeats, at most "
              << most_unsettled << " recorded and not settled at a kill" << std::endl;
}

}  // namespace stele
