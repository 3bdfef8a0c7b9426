// What happens when a handler cannot take an event in.
#include "database.hpp"
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>

namespace stele {
namespace {

using test::Lines;

// Counts amounts, and cannot take one that is NULL. The first statement succeeds before the second one fails.
std::string counting(const std::string& options) {
    return "--@ projection counting version 1" + options +
           "\n--@ create\n"
           "CREATE TABLE counting (n INTEGER NOT NULL, amount INTEGER NOT NULL);\n"
           "INSERT INTO counting VALUES (0, 0);\n"
           "--@ on Paid\n"
           "UPDATE counting SET n = n + 1;\n"
           "\n"
           "UPDATE counting\n"
           "SET amount = amount + $data(amount);\n";
}
std::shared_ptr<const SqlProjection> stopping() { return SqlProjection::parse(counting(""), "counting.sql"); }
std::shared_ptr<const SqlProjection> skipping() {
    return SqlProjection::parse(counting(" on-error skip"), "counting.sql");
}

void paid(EventStore& store, const std::vector<int>& amounts) {
    for (const int amount : amounts) {
        const auto data = amount < 0 ? nlohmann::json::object() : nlohmann::json{{"amount", amount}};
        store.append(StreamId{"Order", "1"}, expect::any, {event("Paid", data).schema(2)});
    }
}

// Sees every event but those that are refused; and what it does when one is.
struct Seen {
    static constexpr auto name = "seen";
    static constexpr int version = 1;
    OnError on_error = OnError::stop;
    bool hides_errors = false;

    static void setup(Model& model) { model.exec("CREATE TABLE seen (n INTEGER PRIMARY KEY)"); }
    void on(const Event& e, Model& model) const {
        try {
            model.exec("INSERT INTO seen VALUES (?1)", e.position);
        } catch (const sql::SqlError&) {
            if (!hides_errors) throw;
        }
        try {
            model.exec("INSERT INTO seen VALUES (-?1)", e.position);
        } catch (const sql::SqlError&) {
            if (!hides_errors) throw;
        }
    }
};
constexpr auto all_seen = "SELECT n FROM seen WHERE n > 0 ORDER BY n";

// A rollback in a table that somebody has made in another way than by the projection, which may not.
void roll_back_at(const EventStore& store, const std::string& condition) {
    const auto db = open_database(store.models_folder() / "seen.db", Access::write, "");
    sql::execute(db.get(), ("CREATE TRIGGER rolls_back BEFORE INSERT ON seen WHEN " + condition +
                            " BEGIN SELECT RAISE(ROLLBACK, 'no room for it'); END")
                               .c_str());
}

TEST_CASE("SQL that would roll back the transaction is refused with file and line", "[projections][errors]") {
    const auto message = [](const std::string& create, const std::string& handler) -> std::string {
        return test::error_of<sql::DefinitionError>([&] {
                   (void)SqlProjection::parse(
                       "--@ projection r version 1\n--@ create\n" + create + ";\n--@ on *\n" + handler, "r.sql");
               })
            .what();
    };
    constexpr auto table = "CREATE TABLE t (k INTEGER PRIMARY KEY)";
    CHECK_THAT(message(table, "DELETE FROM t;\nINSERT OR ROLLBACK INTO t VALUES ($position)"),
               Catch::Matchers::StartsWith("r.sql:6: ") && ContainsSubstring("found INSERT OR ROLLBACK"));
    CHECK_THAT(message("CREATE TABLE t (k INTEGER\nUNIQUE ON CONFLICT ROLLBACK)", "DELETE FROM t"),
               Catch::Matchers::StartsWith("r.sql:4: ") && ContainsSubstring("found ON CONFLICT ROLLBACK"));
    CHECK_THAT(message(table + std::string{";\nCREATE TRIGGER u BEFORE INSERT ON t BEGIN\n"
                                           "SELECT RAISE(ROLLBACK, 'no'); END"},
                       "DELETE FROM t"),
               Catch::Matchers::StartsWith("r.sql:5: ") && ContainsSubstring("found RAISE(ROLLBACK"));
}

TEST_CASE("an event that rolls back the transaction stops the projection there", "[projections][errors][P1]") {
    auto store = EventStore::temporary();
    paid(store, {1});
    const bool hides_errors = GENERATE(false, true);
    const auto projection = stele::projection(Seen{.hides_errors = hides_errors});
    test::rebuild_now(store, *projection);
    roll_back_at(store, "NEW.n = 5");
    paid(store, {2, 3, 4, 5, 6, 7});

    for (const std::size_t batch : {1000U, 1U, 2U, 3U}) {
        CAPTURE(hides_errors, batch);
        CatchUpOptions options;
        options.batch = batch;
        const auto error = test::error_of<HandlerFailed>([&] { catch_up(store, *projection, options); });
        CHECK(error.position() == Position{5});
        CHECK(error.reason() == "no room for it");
        CHECK(test::rows(store, "seen", all_seen) == Lines{"1", "2", "3", "4"});
        const auto generation = ReadModel::open(store, "seen").generation();
        CHECK(generation.position == Position{4});
        CHECK(generation.state == "failed");
    }
}

TEST_CASE("with on-error skip events that roll back the transaction are passed over", "[projections][errors][P1]") {
    for (const std::size_t batch : {1000U, 1U, 2U, 3U}) {
        CAPTURE(batch);
        auto store = EventStore::temporary();
        paid(store, {1});
        const auto projection = stele::projection(Seen{.on_error = OnError::skip});
        test::rebuild_now(store, *projection);
        roll_back_at(store, "NEW.n IN (3, -4, 7)");
        paid(store, {2, 3, 4, 5, 6, 7, 8});
        CatchUpOptions options;
        options.batch = batch;

        const auto done = catch_up(store, *projection, options);

        CHECK(done.position == Position{8});
        CHECK(done.events == 7);
        CHECK(done.skipped == 3);
        CHECK(test::rows(store, "seen", all_seen) == Lines{"1", "2", "5", "6", "8"});
        CHECK(test::rows(store, "seen", "SELECT position, error FROM stele_skipped ORDER BY position") ==
              Lines{"3 no room for it", "4 no room for it", "7 no room for it"});
    }
}

TEST_CASE("the error names projection, event, statement and reason", "[projections][errors]") {
    auto store = EventStore::temporary();
    paid(store, {1, 2, -1, 4});

    const auto error = test::error_of<HandlerFailed>([&] { rebuild(store, *stopping()); });

    CHECK(error.projection() == "counting");
    CHECK(error.position() == Position{3});
    CHECK(error.type() == "Paid");
    CHECK(error.place() == "counting.sql:8");
    CHECK(error.reason() == "NOT NULL constraint failed: counting.amount");
    CHECK(error.what() ==
          std::string{"projection \"counting\": position 3, Paid v2: counting.sql:8: NOT NULL constraint failed: "
                      "counting.amount; halted at 2"});
}

TEST_CASE("a rebuild that meets such an event leaves the old generation and no litter",
          "[projections][errors][P2]") {
    auto store = EventStore::temporary();
    paid(store, {1, 2});
    rebuild(store, *stopping());
    paid(store, {-1, 4});
    CHECK_THROWS_AS(rebuild(store, *stopping()), HandlerFailed);
    CHECK(test::rows(store, "counting", "SELECT n, amount FROM counting") == Lines{"2 3"});
    CHECK(test::model_files(store) == Lines{"counting.db", "counting.g1.db"});
}

TEST_CASE("a catch-up keeps what came before the event, and tries it again", "[projections][errors][P1]") {
    auto store = EventStore::temporary();
    paid(store, {1, 2});
    rebuild(store, *stopping());
    paid(store, {10, 20, -1, 40});

    for (const std::size_t batch : {1000U, 1U, 2U, 3U}) {
        CAPTURE(batch);
        CatchUpOptions options;
        options.batch = batch;
        CHECK(test::error_of<HandlerFailed>([&] { catch_up(store, *stopping(), options); }).position() ==
              Position{5});
        CHECK(test::rows(store, "counting", "SELECT n, amount FROM counting") == Lines{"4 33"});
        const auto generation = ReadModel::open(store, "counting").generation();
        CHECK(generation.position == Position{4});
        CHECK(generation.state == "failed");
        CHECK_THAT(generation.error, ContainsSubstring("position 5, Paid v2: counting.sql:8: NOT NULL"));
    }
}

TEST_CASE("with on-error skip the event is recorded and passed over", "[projections][errors]") {
    auto store = EventStore::temporary();
    paid(store, {1, -1, 2, -1, -1, 3});
    const auto rebuilt = rebuild(store, *skipping());
    REQUIRE(rebuilt);
    CHECK(rebuilt->generation.skipped == 3);
    CHECK(rebuilt->generation.position == Position{6});
    CHECK(test::rows(store, "counting", "SELECT n, amount FROM counting") == Lines{"3 6"});

    paid(store, {-1, 4});
    const auto result = catch_up(store, *skipping());
    CHECK(result.events == 2);
    CHECK(result.skipped == 1);
    CHECK(test::rows(store, "counting", "SELECT n, amount FROM counting") == Lines{"4 10"});
    CHECK(
        test::rows(store, "counting", "SELECT position, type, place FROM stele_skipped ORDER BY position") ==
        Lines{"2 Paid counting.sql:8", "4 Paid counting.sql:8", "5 Paid counting.sql:8", "7 Paid counting.sql:8"});
    CHECK(test::rows(store, "counting", "SELECT DISTINCT error FROM stele_skipped") ==
          Lines{"NOT NULL constraint failed: counting.amount"});
}

TEST_CASE("a failure that shows only with the data is the handler's as well", "[projections][errors]") {
    auto store = EventStore::temporary();
    store.append(StreamId{"S", "1"}, expect::any, {event("A", {{"at", "now"}})});
    const auto clock = SqlProjection::parse(
        "--@ projection clock version 1\n--@ create\nCREATE TABLE t (at)\n"
        "--@ on A\nINSERT INTO t VALUES (datetime($data(at)))",
        "clock.sql");
    CHECK_THAT(test::error_of<HandlerFailed>([&] { rebuild(store, *clock); }).what(),
               ContainsSubstring("clock.sql:5: datetime() with 'now' depends on the clock"));
}

TEST_CASE("a broken projection does not stop another", "[projections][errors]") {
    auto store = EventStore::temporary();
    paid(store, {1});
    rebuild(store, *stopping());
    rebuild(store, *test::payments());
    paid(store, {-1});
    paid(store, {5});
    CHECK_THROWS_AS(catch_up(store, *stopping()), HandlerFailed);
    const auto skipped_amount = SqlProjection::parse(
        "--@ projection other version 1\n--@ create\nCREATE TABLE t (n); INSERT INTO t VALUES (0);\n"
        "--@ on Paid\nUPDATE t SET n = n + 1",
        "other.sql");
    rebuild(store, *skipped_amount);
    CHECK(test::rows(store, "other", "SELECT n FROM t") == Lines{"3"});
}

}  // namespace
}  // namespace stele
