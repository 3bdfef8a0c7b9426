// Projections over upcast events: the pieces of one stored event are one step of the fold, what cannot be upcast
// stops it as a handler's failure does, and other upcasters make another read model.
#include "vocabulary.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/projection_status.hpp>
#include <stele/projections/rebuild_all.hpp>
#include <stele/projections/runner.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/temporary_folder.hpp>

namespace stele {
namespace {

using test::Lines;

constexpr auto split =
    "--@ into Opened\n$data\n"
    "--@ into Line\njson_object('amount', $data(lines[0]))\n"
    "--@ into Line\njson_object('amount', $data(lines[1]))\n";

EventTypes shop(const std::string& text = split) {
    EventTypes types;
    types.upcast_sql("Placed", 1, text, "Placed.v1-v2.sql");
    return types;
}

Options with(EventTypes types) {
    Options options;
    options.durability = Durability::relaxed;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    return options;
}

// Every event that it sees, in one row; an amount that is no number cannot be taken.
std::string seen_sql(const std::string& options = "") {
    return "--@ projection seen version 1" + options +
           "\n--@ create\nCREATE TABLE seen (n INTEGER PRIMARY KEY, position INTEGER NOT NULL, type TEXT NOT NULL, "
           "amount INTEGER);\n"
           "--@ on Opened, Paid\nINSERT INTO seen (position, type) VALUES ($position, $type);\n"
           "--@ on Line\nINSERT INTO seen (position, type, amount) VALUES ($position, $type, "
           "CASE WHEN $data(amount) IS NULL THEN json('no json') ELSE $data(amount) END);\n";
}
std::shared_ptr<const SqlProjection> seen(const std::string& options = "") {
    return SqlProjection::parse(seen_sql(options), "seen.sql");
}
constexpr auto all_seen = "SELECT position, type, amount FROM seen ORDER BY n";

NewEvent placed(const nlohmann::json& first, const nlohmann::json& second) {
    return event("Placed", {{"lines", {first, second}}});
}

void fill(EventStore& store, int orders) {
    for (int i = 1; i <= orders; ++i) {
        store.append(StreamId{"Order", std::to_string(i)}, expect::none, {placed(i, 10 * i), event("Paid")});
    }
}

// What the rows are up to `until`, without SQL.
Lines expected(const EventStore& store, Position until) {
    Lines lines;
    auto read = all();
    read.types({"Opened", "Line", "Paid"}).until(until);
    for (const Event& event : store.read(read)) {
        const auto amount = event.type == "Line" ? event.data.value().at("amount").dump() : "NULL";
        lines.push_back(std::to_string(event.position.value()) + " " + event.type + " " + amount);
    }
    return lines;
}

TEST_CASE("a transaction never ends between the pieces of an event, however small it is (P1)",
          "[projections][upcast]") {
    const auto batch = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5});
    const auto limit = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{4});
    CAPTURE(batch, limit);
    auto store = EventStore::temporary(with(shop()));
    (void)test::rebuild_now(store, *seen());
    fill(store, 6);

    Position before;
    while (before < store.head()) {
        CatchUpOptions options;
        options.batch = batch;
        options.limit = limit;
        const auto caught = catch_up(store, *seen(), options);
        REQUIRE(caught.position > before);
        before = caught.position;
        REQUIRE(test::rows(store, "seen", all_seen) == expected(store, caught.position));
    }
    CHECK(expected(store, store.head()).size() == 24);
    const auto stored = ReadModel::open(store, "seen").generation();
    CHECK(stored.event_id == test::events_in(store, all().raw()).back().id);
}

TEST_CASE("a handler that fails at a piece leaves nothing of its event (P1)", "[projections][upcast]") {
    auto store = EventStore::temporary(with(shop()));
    const auto skips = GENERATE(false, true);
    const auto projection = seen(skips ? " on-error skip" : "");
    (void)test::rebuild_now(store, *projection);
    fill(store, 2);
    store.append(StreamId{"Order", "bad"}, expect::none, {placed(1, nullptr), event("Paid")});
    const auto batch = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{100});
    CAPTURE(batch);
    CatchUpOptions options;
    options.batch = batch;
    if (skips) {
        (void)catch_up(store, *projection, options);
        auto lines = expected(store, store.head());
        std::erase(lines, "5 Line null");
        CHECK(test::rows(store, "seen", all_seen) == lines);
        CHECK(ReadModel::open(store, "seen").generation().skipped == 1);
        return;
    }
    CHECK_THROWS_AS(catch_up(store, *projection, options), HandlerFailed);
    CHECK(test::rows(store, "seen", all_seen) == expected(store, Position{4}));
    const auto generation = ReadModel::open(store, "seen").generation();
    CHECK(generation.position == Position{4});
    CHECK(generation.state == "failed");
}

TEST_CASE("an event that cannot be upcast stops a projection as a handler that fails does",
          "[projections][upcast]") {
    auto types = shop();
    types.upcast("Paid", 1, [](nlohmann::json data, const Event& event) {
        if (event.position == Position{4}) throw std::runtime_error{"no such currency"};
        return data;
    });
    auto store = EventStore::temporary(with(types));
    (void)test::rebuild_now(store, *seen());
    fill(store, 3);

    const auto failed = test::error_of<HandlerFailed>([&] { (void)catch_up(store, *seen()); });
    CHECK(failed.position() == Position{4});
    CHECK(failed.type() == "Paid");
    CHECK(failed.place() == "C++ upcaster of Paid v1");
    CHECK_THAT(failed.what(), ContainsSubstring("no such currency"));
    CHECK(ReadModel::open(store, "seen").generation().position == Position{3});
    const auto status = [&] {
        ProjectionRegistry registry;
        registry.add(seen());
        return projection_status(store, registry, "seen");
    }();
    CHECK(status.state == "failed");
    REQUIRE(status.failure);
    CHECK(status.failure->position == Position{4});
    CHECK(status.failure->type == "Paid");

    (void)test::rebuild_now(store, *seen(" on-error skip"));
    CHECK(test::rows(store, "seen", "SELECT count(*) FROM seen") == Lines{"11"});
    CHECK(test::rows(store, "seen", "SELECT position, type FROM stele_skipped") == Lines{"4 Paid"});
}

TEST_CASE("an upcaster that changes makes the projections that it concerns changed", "[projections][upcast]") {
    const test::TemporaryFolder folder;
    const auto path = (folder / "log.stele").string();
    const auto paid = SqlProjection::parse(
        "--@ projection paid version 1\n--@ create\nCREATE TABLE paid (n INTEGER);\n--@ on Paid\nINSERT INTO paid "
        "VALUES (1);\n",
        "paid.sql");
    ProjectionRegistry registry;
    registry.add(seen());
    registry.add(paid);
    {
        auto store = EventStore::open(path, with(shop()));
        fill(store, 2);
        (void)test::rebuild_now(store, *seen());
        (void)test::rebuild_now(store, *paid);
    }
    const auto state = [&](const EventStore& store, const char* name) {
        return projection_status(store, registry, name).state;
    };
    {
        const auto same = EventStore::open(path, with(shop()));
        CHECK(state(same, "seen") == "live");
        CHECK(state(same, "paid") == "live");
    }
    auto other = EventStore::open(path, with(shop("--@ into Opened\n$data\n")));
    CHECK(state(other, "seen") == "changed");
    CHECK(state(other, "paid") == "live");
    CHECK(test::error_of<ProjectionError>([&] { (void)catch_up(other, *seen()); }).code() == "projection_changed");

    Runner runner{other};
    runner.add(registry);
    runner.start();
    REQUIRE(runner.wait_for("seen", other.head(), std::chrono::seconds{60}) == WaitResult::reached);
    CHECK(test::rows(other, "seen", all_seen) == expected(other, other.head()));
    CHECK(state(other, "seen") == "live");
    CHECK(check(other, *seen())->differences == 0);

    // And a store without upcasters knows a projection by its own definition alone.
    const auto plain = EventStore::open(path);
    CHECK(state(plain, "paid") == "live");
}

// Every piece, as it came.
struct Pieces {
    std::string_view name;
    int version = 1;
    ProjectionMode mode = ProjectionMode::async;
    void setup(Model& model) { model.exec("CREATE TABLE pieces (line TEXT)"); }
    void on(const Event& e, Model& model) {
        std::ostringstream line;
        line << e << ' ' << e.piece << '/' << e.pieces;
        model.exec("INSERT INTO pieces VALUES (?1)", line.str());
    }
};

TEST_CASE("sync and async projections see the same pieces (P3)", "[projections][upcast]") {
    auto store = EventStore::temporary(with(shop()));
    Runner runner{store};
    runner.add(projection(Pieces{.name = "sync_pieces", .mode = ProjectionMode::sync}));
    runner.add(projection(Pieces{.name = "async_pieces"}));
    runner.start();
    for (const auto* name : {"sync_pieces", "async_pieces"})
        REQUIRE(runner.wait_for(name, Position{}, std::chrono::seconds{60}) == WaitResult::reached);
    fill(store, 3);
    REQUIRE(runner.wait_for("async_pieces", store.head(), std::chrono::seconds{60}) == WaitResult::reached);
    const auto sync = test::rows(store, "sync_pieces", "SELECT line FROM pieces ORDER BY rowid");
    CHECK(sync.size() == 12);
    CHECK(sync == test::rows(store, "async_pieces", "SELECT line FROM pieces ORDER BY rowid"));
}

TEST_CASE("projections that are built together see pieces as those built alone", "[projections][upcast]") {
    auto store = EventStore::temporary(with(shop()));
    fill(store, 40);
    const std::vector<std::shared_ptr<const Projection>> together{seen(), projection(Pieces{.name = "pieces"})};
    RebuildAllOptions options;
    options.each.batch = 3;
    options.each.grace = {};
    for (const auto& result : rebuild_all(store, together, options)) {
        CAPTURE(result.message);
        CHECK_FALSE(result.error);
    }
    CHECK(test::rows(store, "seen", all_seen) == expected(store, store.head()));
    CHECK(test::rows(store, "pieces", "SELECT count(*) FROM pieces") == Lines{"160"});
}

TEST_CASE("of projections that are built together, an event that cannot be upcast stops those that take it",
          "[projections][upcast]") {
    auto types = shop();
    types.upcast("Paid", 1, [](nlohmann::json data, const Event& event) {
        if (event.position == Position{20}) throw std::runtime_error{"no such currency"};
        return data;
    });
    auto store = EventStore::temporary(with(types));
    fill(store, 40);
    const auto lines = SqlProjection::parse(
        "--@ projection lines version 1\n--@ create\nCREATE TABLE lines (n INTEGER);\n"
        "--@ on Line\nINSERT INTO lines VALUES ($data(amount));\n",
        "lines.sql");
    RebuildAllOptions options;
    options.each.grace = {};
    const std::vector<std::shared_ptr<const Projection>> both{seen(), lines};
    const auto results = rebuild_all(store, both, options);

    REQUIRE(results.size() == 2);
    CHECK_THAT(results[0].message, ContainsSubstring("position 20, Paid v1"));
    CHECK_FALSE(results[1].error);
    CHECK(test::rows(store, "lines", "SELECT count(*) FROM lines") == Lines{"80"});
}

}  // namespace
}  // namespace stele
