// P1 over events that an upcaster makes into several, when the process dies amid their pieces.
#include "vocabulary.hpp"

#include <stele/schema/event_types.hpp>
#include <stele/test/kill_at_every_step.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <fstream>

namespace stele {
namespace {

using test::Lines;

// An Ordered has no, one, two or three lines: so many Lines it becomes, behind an Opened.
constexpr auto upcaster =
    "--@ into Opened\n'{}'\n"
    "--@ into Line\nCASE WHEN $data(lines) > 0 THEN '{\"line\":1}' END\n"
    "--@ into Line\nCASE WHEN $data(lines) > 1 THEN '{\"line\":2}' END\n"
    "--@ into Line\nCASE WHEN $data(lines) > 2 THEN '{\"line\":3}' END\n";

// A row for each piece, numbered as they came.
constexpr auto pieces_sql =
    "--@ projection pieces version 1\n"
    "--@ create\n"
    "CREATE TABLE pieces (number INTEGER PRIMARY KEY, position INTEGER NOT NULL, type TEXT NOT NULL, line "
    "INTEGER);\n"
    "--@ on Opened, Line\n"
    "INSERT INTO pieces (position, type, line) VALUES ($position, $type, $data(line));\n";
constexpr auto every_row = "SELECT number, position, type, ifnull(line, '-') FROM pieces ORDER BY number";

// A store whose events become several, and a program that works on a read model of them.
class Orders {
public:
    Orders() {
        std::filesystem::create_directory(schemas_);
        std::ofstream{schemas_ + "/Ordered.v1-v2.sql"} << upcaster;
        std::ofstream{definition_} << pieces_sql;
        append(40);
    }

    [[nodiscard]] const EventStore& store() const { return store_; }
    [[nodiscard]] std::shared_ptr<const SqlProjection> projection() const {
        return SqlProjection::load(definition_);
    }
    [[nodiscard]] std::vector<std::string> command(const std::string& task) const {
        return {PROJECTION_WORKER, path_, definition_, task, schemas_};
    }
    void append(int count) {
        for (; count > 0; --count) {
            const auto lines = static_cast<int>(random_.below(4));
            store_.append(StreamId{"Order", "1"}, expect::any, {event("Ordered", {{"lines", lines}})});
            lines_.push_back(lines);
        }
    }
    [[nodiscard]] std::uint64_t seed() const { return random_.seed(); }

    /// The rows up to a position, from what was appended: nothing of it goes through upcasters or projections.
    [[nodiscard]] Lines expected(Position position) const {
        Lines rows;
        const auto add = [&](std::int64_t at, const std::string& rest) {
            rows.push_back(std::to_string(rows.size() + 1) + " " + std::to_string(at) + " " + rest);
        };
        for (std::int64_t at = 1; at <= position.value(); ++at) {
            add(at, "Opened -");
            for (int line = 1; line <= lines_[static_cast<std::size_t>(at - 1)]; ++line)
                add(at, "Line " + std::to_string(line));
        }
        return rows;
    }

    /// The rows are those of its position, with all of the pieces of the last event, and none of the next.
    Position whole_position() const {
        const auto model = ReadModel::open(store_, "pieces");
        const auto position = model.generation().position;
        CHECK(test::lines_of(model.query(every_row)) == expected(position));
        return position;
    }

private:
    [[nodiscard]] Options options() const {
        Options options;
        options.durability = Durability::relaxed;
        options.event_types =
            std::make_shared<const EventTypes>(EventTypes{}.upcast_sql("Ordered", 1, upcaster, "x"));
        return options;
    }

    test::Random random_;
    test::TemporaryFolder folder_;
    std::string path_ = (folder_ / "log.stele").string();
    std::string schemas_ = (folder_ / "schemas").string();
    std::string definition_ = (folder_ / "pieces.sql").string();
    EventStore store_ = EventStore::open(path_, options());
    std::vector<int> lines_;  ///< of each event
};

}  // namespace

// The worker's transactions hold ten events, or the pieces of a few more.
TEST_CASE("a catch-up killed at any step amid the pieces of events leaves rows and position together",
          "[projections][P1][upcast][crash]") {
    Orders orders;
    CAPTURE(orders.seed());
    test::rebuild_now(orders.store(), *orders.projection());
    auto built = orders.whole_position();
    const auto killed = test::kill_at_every_step(
        [&](int) {
            orders.append(35);
            return orders.command("catch_up");
        },
        [&](int nth, const std::string&, int) {
            CAPTURE(nth);
            CHECK(orders.whole_position() >= built);
            built = catch_up(orders.store(), *orders.projection()).position;
            CHECK(built == orders.store().head());
            CHECK(orders.whole_position() == built);
        });
    CHECK(killed > 10);
}

TEST_CASE("a rebuild killed at any step amid the pieces of events is gone on with, and no piece is there twice",
          "[projections][P1][P2][upcast][crash]") {
    Orders orders;
    CAPTURE(orders.seed());
    test::rebuild_now(orders.store(), *orders.projection());
    auto built = orders.whole_position();
    orders.append(35);
    int gone_on = 0;
    const auto killed = test::kill_at_every_step(
        [&](int) { return orders.command("rebuild"); },
        [&](int nth, const std::string&, int) {
            CAPTURE(nth);
            CHECK(orders.whole_position() >= built);
            const auto left = test::unfinished(orders.store(), "pieces");
            if (left && left->position > Position{0}) ++gone_on;
            built = test::rebuild_now(orders.store(), *orders.projection()).generation.position;
            CHECK(built == orders.store().head());
            CHECK(orders.whole_position() == built);
        });
    CHECK(killed > 20);
    CHECK(gone_on > 10);
}

}  // namespace stele
