// What a process that dies amid the pieces of an event leaves behind: each piece is delivered, in order (D1), and
// each has one effect (L6).
#include "killed_worker.hpp"
#include "listening.hpp"

#include <stele/schema/event_types.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/process.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

namespace stele {
namespace {

using namespace std::chrono_literals;

// A position and a piece.
using Piece = std::pair<std::int64_t, int>;

struct Line {
    Piece piece;
    std::string stream;
};

// What listener_worker has recorded so far, in order.
std::vector<Line> lines_in(const std::string& record) {
    std::vector<Line> lines;
    std::ifstream file{record};
    for (Line line; file >> line.piece.first >> line.stream >> line.piece.second;) lines.push_back(line);
    return lines;
}

// OrderPaid becomes an OrderPaid and, of each third of them, none, one or two Lines.
constexpr auto upcaster =
    "--@ into OrderPaid\n'{}'\n"
    "--@ into Line\nCASE WHEN $position % 3 > 0 THEN '{}' END\n"
    "--@ into Line\nCASE WHEN $position % 3 > 1 THEN '{}' END\n";
std::int64_t pieces_at(Position position) { return 1 + position.value() % 3; }

}  // namespace

// Goal:   after any number of kills each piece of each event was recorded, in the order of its stream and of the
//         event; and there is one effect of each piece of the listener that appends.
// Method: a process delivers under load, on threads, or step by step, some deliveries failing at some piece; it is
//         killed behind a random number of deliveries, or before a random change of the disk, 60 times.
TEST_CASE("a listener killed 60 times amid pieces sees each of them, in order", "[listeners][D1][upcast][crash]") {
    test::Random random;
    std::cout << "seed " << random.seed() << std::endl;
    CAPTURE(random.seed());
    const test::TemporaryFolder folder{test::memory()};
    const auto path = (folder / "log.stele").string();
    const auto record = (folder / "record").string();
    const auto schemas = (folder / "schemas").string();
    std::filesystem::create_directory(schemas);
    std::ofstream{schemas + "/OrderPaid.v1-v2.sql"} << upcaster;
    auto store = EventStore::open(path, Options{.durability = Durability::relaxed});

    std::map<Piece, std::string> wanted;  // and the stream of each
    const std::vector<std::string> ids{"a", "b", "c", "d", "e"};
    const auto append = [&](std::size_t count) {
        for (; count > 0; --count) {
            const auto stream = test::order(random.one_of(ids));
            const auto appended = store.append(stream, expect::any, {event("OrderPaid")});
            for (int piece = 0; piece < pieces_at(appended.last_position); ++piece)
                wanted.emplace(Piece{appended.last_position.value(), piece}, stream.name());
        }
    };
    append(10);

    int killed = 0;
    for (int round = 0; killed < 60; ++round) {
        CAPTURE(round);
        REQUIRE(round < 500);
        append(3 + random.below(8));
        if (test::run_and_kill_worker(random, path, record, {schemas}, 10, append)) ++killed;
    }

    // Left in peace, it delivers the rest.
    test::Process worker{{LISTENER_WORKER, path, record, "threads", schemas}};
    const auto effects = [&] { return test::events_in(store, Read{matching(types("Echo"))}); };
    std::set<Piece> missing;
    for (const auto& [piece, stream] : wanted) missing.insert(piece);
    for (const auto& line : lines_in(record)) missing.erase(line.piece);
    while (!missing.empty()) {
        REQUIRE(worker.read_line());
        for (const auto& line : lines_in(record)) missing.erase(line.piece);
    }
    for (Position head; effects().size() < wanted.size();) {
        const auto next = store.wait_beyond(head, 10s);
        REQUIRE(next > head);
        head = next;
    }
    CHECK(worker.wait() == 0);

    std::set<Piece> got;
    std::map<std::string, Piece> last;
    std::size_t repeats = 0;
    for (const auto& line : lines_in(record)) {
        CAPTURE(line.piece.first, line.piece.second, line.stream);
        REQUIRE(wanted.count(line.piece) == 1);
        CHECK(wanted.at(line.piece) == line.stream);
        if (!got.insert(line.piece).second) {
            ++repeats;
            continue;
        }
        CHECK(last[line.stream] < line.piece);
        last[line.stream] = line.piece;
    }
    CHECK(got.size() == wanted.size());
    std::set<std::string> expected;
    for (const auto& [piece, stream] : wanted)
        expected.insert("Echo/" + std::to_string(piece.first) + "-" + std::to_string(piece.second));
    std::set<std::string> echoed;
    for (const auto& effect : effects()) CHECK(echoed.insert(effect.stream.name()).second);
    CHECK(echoed == expected);
    std::cout << killed << " kills, " << wanted.size() << " pieces, " << repeats << " repeats" << std::endl;
}

}  // namespace stele
