#include <stele/schema/sql/condition.hpp>
#include <stele/schema/sql/workbench.hpp>
#include <stele/test/catch.hpp>

#include <sqlite3.h>

#include <nlohmann/json.hpp>

#include <string>

using namespace stele;

namespace {

Event event_of(JsonText data) {
    return {.position = Position{5},
            .version = Version{2},
            .stream = StreamId{"Order", "7"},
            .type = "OrderPlaced",
            .data = std::move(data)};
}

sql::Condition over_event(const std::string& text) { return {{text, "condition"}, sql::Condition::Over::event}; }

// The most memory that SQLite had since the last time this was asked.
std::int64_t most_memory() {
    sqlite3_int64 now = 0;
    sqlite3_int64 most = 0;
    sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &now, &most, 1);
    return most;
}

}  // namespace

TEST_CASE("a condition that makes a value of a gigabyte fails in words and takes no memory", "[sql][condition]") {
    const auto event = event_of(JsonText::parse(R"({"total":7})"));
    for (const auto* text :
         {"length(zeroblob(1e9)) > 0", "hex(zeroblob(400000000)) IS NOT NULL",
          "replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000))) > 0",
          "(WITH RECURSIVE a(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM a LIMIT 31) SELECT max(length(t)) FROM "
          "a)"}) {
        CAPTURE(text);
        auto condition = over_event(text);
        most_memory();
        try {
            const bool holds = condition.holds(event);
            FAIL_CHECK("it has an answer: " << holds);
        } catch (const sql::ConditionError& error) {
            CHECK(std::string{error.what()} ==
                  "condition: Order/7: version 2, position 5, OrderPlaced: expected SQL that has a value for this "
                  "event, found a text or blob of more than 16777216 bytes");
            CHECK(error.code() == "condition_failed");
        }
        CHECK(most_memory() < 100'000'000);
    }
    // Where it is printf() that makes it, SQLite gives NULL instead.
    CHECK(over_event("printf('%900000000d', 1) IS NULL").holds(event));
    CHECK(most_memory() < 100'000'000);
    CHECK(over_event("length(zeroblob(16000000)) = 16000000").holds(event));
}

TEST_CASE("a condition sees an event and a state that are larger than its own values may be", "[sql][condition]") {
    const std::string long_text(std::size_t{20} << 20, 'x');
    const auto large = event_of(JsonText{nlohmann::json{{"text", long_text}}});
    const auto small = event_of(JsonText::parse(R"({"text":"x"})"));
    auto condition =
        over_event("length($data(text) || $data(text)) = 2 * length($data(text)) AND $data(text) > ''");
    CHECK(condition.holds(large));
    CHECK(condition.holds(small));
    // What a large one may take is no limit for the next.
    auto greedy = over_event("length(zeroblob(17000000)) > 0");
    CHECK(greedy.holds(large));
    CHECK_THROWS_AS(greedy.holds(small), sql::ConditionError);

    sql::Condition over_state{{"length($state(text)) = 20971520", "condition"},
                              sql::Condition::Over::event_and_state};
    CHECK(over_state.holds(small, large.data));
}

TEST_CASE("what is no condition of this limit has SQLite's own", "[sql][condition]") {
    sql::Workbench workbench;
    auto statement = workbench.expression({"length(zeroblob(17000000))", "aggregate"});
    REQUIRE(statement.step());
    CHECK(statement.integer(0) == 17'000'000);
    statement.reset();
    workbench.limit_values(1'000'000);
    CHECK_THROWS_AS(statement.step(), sql::SqlError);
}
