// check(): a read model that is as the log makes it passes, and every kind of difference is found and named.
#include "vocabulary.hpp"

#include <stele/projections/check.hpp>
#include <stele/projections/lifecycle.hpp>

#include <sqlite3.h>

#include <fstream>

namespace stele {
namespace {

using Kind = Difference::Kind;
using test::Lines;
using test::payments;

// A table by each kind of key, a table without one, an index and a view.
std::shared_ptr<const Projection> kinds(const std::string& heading = "version 1") {
    return SqlProjection::parse("--@ projection kinds " + heading + R"sql(
--@ create
CREATE TABLE by_number (n INTEGER PRIMARY KEY, stream TEXT NOT NULL, amount);
CREATE TABLE by_text (stream TEXT PRIMARY KEY, total REAL NOT NULL, last TEXT) WITHOUT ROWID;
CREATE TABLE by_pair (stream TEXT COLLATE NOCASE, type TEXT, n INTEGER, PRIMARY KEY (stream, type));
CREATE TABLE without_key (type TEXT, bucket INTEGER);
CREATE INDEX by_stream ON by_number (stream);
CREATE VIEW totals AS SELECT sum(total) AS total FROM by_text;
--@ on *
INSERT INTO by_number VALUES ($position, $stream, $data(amount));
INSERT INTO by_text VALUES ($stream, $position * 0.5, $recorded_at)
    ON CONFLICT (stream) DO UPDATE SET total = total + excluded.total, last = excluded.last;
INSERT INTO by_pair VALUES ($stream, $type, 1) ON CONFLICT DO UPDATE SET n = n + 1;
INSERT INTO without_key VALUES ($type, $position % 3);
)sql",
                                "kinds.sql");
}

// A store of `count` events with the read model of `projection`.
struct Built {
    explicit Built(std::shared_ptr<const Projection> of, int count = 200) : projection(std::move(of)) {
        test::pay(store, count);
        test::rebuild_now(store, *projection);
    }

    // Writes to the read model behind everybody's back.
    void tamper(const std::string& sql) const {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open((store.models_folder() / (projection->name() + ".db")).c_str(), &db) == SQLITE_OK);
        const auto rc = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
        INFO(sqlite3_errmsg(db));
        CHECK(rc == SQLITE_OK);
        sqlite3_close(db);
    }

    [[nodiscard]] Checked check(const CheckOptions& options = {}) const {
        const auto checked = stele::check(store, *projection, options);
        REQUIRE(checked);
        return *checked;
    }

    EventStore store = EventStore::temporary({.durability = Durability::relaxed});
    std::shared_ptr<const Projection> projection;
};

std::string described(const Difference& difference) {
    constexpr const char* words[]{"value", "missing", "extra", "count", "definition", "file"};
    std::string text = std::string{words[static_cast<int>(difference.kind)]} + " " + difference.table + " [";
    for (const auto& [name, value] : difference.key) text += (text.back() == '[' ? "" : ",") + to_text(value);
    return text + "] " + difference.column + " " + to_text(difference.stored) + " " + to_text(difference.computed);
}

Lines described(const Checked& checked) {
    Lines lines;
    for (const auto& difference : checked.first) lines.push_back(described(difference));
    return lines;
}

Lines names_in(const std::filesystem::path& folder) {
    Lines names;
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
        const auto name = entry.path().filename().string();
        // Whoever reads a database makes these beside it.
        if (!name.ends_with("-wal") && !name.ends_with("-shm")) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

TEST_CASE("a read model that is as the log makes it passes, and all of its rows are compared",
          "[projections][check]") {
    const Built built{kinds()};
    const auto before = names_in(built.store.models_folder());
    const auto checked = built.check();
    CHECK(described(checked).empty());
    CHECK(checked.ok());
    CHECK(checked.generation.position == built.store.head());
    CHECK(checked.events == 200);
    REQUIRE(checked.tables.size() == 4);
    CHECK(checked.tables[0].name == "by_number");
    for (const auto& table : checked.tables) {
        CAPTURE(table.name);
        CHECK(table.rows > 0);
        CHECK(table.compared == table.rows);
    }
    CHECK(names_in(built.store.models_folder()) == before);
}

TEST_CASE("each kind of change to the rows is found by a check, with table, key and column",
          "[projections][check]") {
    struct Change {
        const char* sql;
        Lines found;
    };
    const auto change = GENERATE(
        Change{"UPDATE by_number SET amount = -1 WHERE n = 17", {"value by_number [17] amount -1 "}},
        Change{"UPDATE by_number SET amount = amount + 0.0 WHERE n = 17", {"value by_number [17] amount "}},
        Change{"UPDATE by_number SET stream = NULL || stream, amount = NULL WHERE 0", {}},
        Change{"DELETE FROM by_number WHERE n IN (1, 200)", {"missing by_number [1]", "missing by_number [200]"}},
        Change{"INSERT INTO by_number VALUES (0, 'x', 1), (999, 'y', 2)",
               {"extra by_number [0]", "extra by_number [999]"}},
        Change{"UPDATE by_text SET total = total + 1e-9", {"value by_text ["}},
        Change{"UPDATE by_pair SET stream = upper(stream) WHERE rowid = 1",
               {"missing by_pair [", "extra by_pair ["}},
        Change{"UPDATE without_key SET bucket = 7 WHERE rowid = 5",
               {"missing without_key [", "extra without_key ["}},
        Change{"INSERT INTO without_key SELECT * FROM without_key LIMIT 1", {"extra without_key ["}},
        Change{"DELETE FROM without_key WHERE rowid = 9", {"missing without_key ["}});
    CAPTURE(change.sql);
    const Built built{kinds()};
    built.tamper(change.sql);
    const auto checked = built.check();
    CAPTURE(described(checked));
    CHECK(checked.ok() == change.found.empty());
    for (const auto& expected : change.found) {
        CAPTURE(expected);
        CHECK(std::any_of(checked.first.begin(), checked.first.end(),
                          [&](const Difference& is) { return described(is).starts_with(expected); }));
    }
}

TEST_CASE("a check tells the first differences and counts all", "[projections][check]") {
    const Built built{kinds()};
    built.tamper("UPDATE by_number SET amount = 'x'");
    const auto checked = built.check({.most_differences = 3});
    CHECK(checked.differences == 200);
    REQUIRE(checked.first.size() == 3);
    CHECK_THAT(described(checked.first[2]), ContainsSubstring("value by_number [3] amount \"x\" "));
    CHECK(checked.tables[0].differences == 200);
}

TEST_CASE("tables, indexes and views that the definition does not make, or makes otherwise, are found by a check",
          "[projections][check]") {
    const Built built{kinds()};
    built.tamper(
        "CREATE TABLE another (x); DROP INDEX by_stream; DROP VIEW totals; "
        "CREATE VIEW totals AS SELECT 1 AS total; DROP TABLE by_pair;");
    const auto found = described(built.check());
    REQUIRE(found.size() == 4);
    CHECK(found[0] == "definition another []  \"CREATE TABLE another (x)\" null");
    CHECK_THAT(found[1], ContainsSubstring("definition by_pair []  null \"CREATE TABLE"));
    CHECK_THAT(found[2], ContainsSubstring("definition by_stream []  null"));
    CHECK_THAT(found[3], ContainsSubstring("definition totals []"));
}

TEST_CASE("events that a skipping projection passed over are part of a check", "[projections][check]") {
    const auto picky = SqlProjection::parse(
        "--@ projection picky version 1 on-error skip\n--@ create\nCREATE TABLE picky (n CHECK (n % 5 <> 0));\n"
        "--@ on *\nINSERT INTO picky VALUES ($position);\n",
        "picky.sql");
    const Built built{picky};
    const auto before = built.check();
    CHECK(before.ok());
    CHECK(before.tables.back().name == "stele_skipped");
    CHECK(before.tables.back().rows == 40);
    built.tamper("DELETE FROM stele_skipped WHERE position = 10");
    CHECK(described(built.check()) == Lines{"missing stele_skipped [10]  null null"});
}

TEST_CASE("rows of a full-text table are compared by a check", "[projections][check]") {
    const auto words = SqlProjection::parse(
        "--@ projection words version 1\n--@ create\nCREATE VIRTUAL TABLE words USING fts5(stream, type);\n"
        "--@ on *\nINSERT INTO words (rowid, stream, type) VALUES ($position, $stream, $type);\n",
        "words.sql");
    Built built{words};
    test::pay(built.store, 30);
    catch_up(built.store, *words, {.batch = 7});  // in other transactions than a check: its index is another one
    const auto checked = built.check();
    CHECK(described(checked).empty());
    REQUIRE(checked.tables.size() == 1);
    CHECK(checked.tables[0].rows == 230);
    built.tamper("UPDATE words SET type = 'Other' WHERE rowid = 3");
    CHECK_THAT(described(built.check()).at(0), ContainsSubstring("value words [3] type \"Other\" "));
}

TEST_CASE("a file whose bytes were changed is found by a check", "[projections][check]") {
    const Built built{kinds(), 2'000};
    built.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    const auto file = std::filesystem::canonical(built.store.models_folder() / "kinds.db");
    const auto at = GENERATE(0, 100, 4'096 * 3 + 8);
    CAPTURE(at);
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(at);
    bytes << std::string(32, '\xEE');
    bytes.close();
    const auto checked = built.check();
    CHECK_FALSE(checked.ok());
    REQUIRE_FALSE(checked.first.empty());
    CHECK(checked.first.front().kind == Kind::file);
}

// Goal:   a check compares rows and position of one moment, however far its projection is advanced meanwhile.
// Method: behind each transaction of the check's own fold, the log grows and the projection catches up with it.
TEST_CASE("a check finds no difference while the log grows and the projection follows it", "[projections][check]") {
    Built built{payments(), 500};
    int rounds = 0;
    CheckOptions options;
    options.progress = [&](const FoldProgress&) {
        ++rounds;
        test::pay(built.store, 100);
        catch_up(built.store, *built.projection);
    };
    const auto checked = built.check(options);
    CHECK(rounds == 2);  // up to 500; then, with a snapshot of 600, up to that
    CHECK(described(checked).empty());
    CHECK(checked.generation.position == Position{600});
    CHECK(ReadModel::open(built.store, "payments").generation().position == Position{700});
}

TEST_CASE("a check of a generation goes on when a rebuild replaces it", "[projections][check]") {
    Built built{payments(), 500};
    bool replaced = false;
    CheckOptions options;
    options.progress = [&](const FoldProgress&) {
        if (std::exchange(replaced, true)) return;
        test::pay(built.store, 50);
        test::rebuild_now(built.store, *built.projection);
    };
    const auto checked = built.check(options);
    CHECK(replaced);
    CHECK(checked.generation.number == 1);
    CHECK(described(checked).empty());
    CHECK(built.check().generation.number == 2);
}

TEST_CASE("a read model of the past is checked as of its position", "[projections][check]") {
    Built built{payments()};
    test::rebuild_now(built.store, *built.projection, {.until = Position{77}});
    const auto checked = built.check();
    CHECK(checked.ok());
    CHECK(checked.generation.position == Position{77});
}

TEST_CASE("a read model that cannot be compared is refused by a check, with what to do", "[projections][check]") {
    const Built built{kinds()};
    CHECK(test::error_of<ProjectionError>([&] { (void)check(built.store, *kinds("version 2")); }).code() ==
          "projection_changed");
    CHECK_THROWS_AS(check(built.store, *payments()), NotFound);
}

TEST_CASE("a check that is stopped leaves nothing behind", "[projections][check]") {
    const Built built{kinds()};
    const auto before = names_in(built.store.models_folder());
    std::stop_source stop;
    stop.request_stop();
    CHECK_FALSE(check(built.store, *built.projection, {.stop = stop.get_token()}));
    CHECK(names_in(built.store.models_folder()) == before);
}

TEST_CASE("one check of a projection at a time", "[projections][check]") {
    const Built built{payments()};
    std::string code;
    CheckOptions options;
    options.progress = [&](const FoldProgress&) {
        code = test::error_of<ProjectionError>([&] { (void)built.check(); }).code();
    };
    CHECK(built.check(options).ok());
    CHECK(code == "projection_busy");
    CHECK(built.check().ok());
}

TEST_CASE("a sampling check folds only what is new, and compares as many rows as it is asked for",
          "[projections][check][sample]") {
    Built built{kinds()};
    const auto first = built.check({.sample = 10});
    CHECK(first.ok());
    CHECK(first.events == 200);
    CHECK(first.tables[0].compared == 10);
    CHECK(first.tables[0].rows == 200);

    test::pay(built.store, 35);
    catch_up(built.store, *built.projection);
    const auto second = built.check({.sample = 10});
    CHECK(described(second).empty());
    CHECK(second.events == 35);
    CHECK(built.check({.sample = 10}).events == 0);

    drop(built.store, "kinds");
    CHECK_FALSE(std::filesystem::exists(check_folder(built.store.models_folder(), "kinds")));
}

TEST_CASE("a sampling check begins anew where its copy is of another definition, or further than the read model",
          "[projections][check][sample]") {
    Built built{payments()};
    CHECK(built.check({.sample = 5}).events > 0);
    test::rebuild_now(built.store, *built.projection, {.until = Position{100}});
    const auto past = built.check({.sample = 5});
    CHECK(past.ok());
    CHECK(past.generation.position == Position{100});
    const auto copy = check_folder(built.store.models_folder(), "payments") / "copy.db";
    std::ofstream{copy, std::ios::trunc} << "no database";
    CHECK(built.check({.sample = 5}).ok());
}

TEST_CASE("a sample finds rows that are missing or too many always, and wrong ones by the share that it draws",
          "[projections][check][sample]") {
    const Built built{kinds(), 1'000};
    CHECK(built.check({.sample = 100}).ok());

    SECTION("missing") {
        built.tamper("DELETE FROM by_number WHERE n = 500");
        const auto checked = built.check({.sample = 1});
        CHECK(described(checked).back() == "count by_number []  999 1000");
    }
    SECTION("too many") {
        built.tamper("INSERT INTO by_text VALUES ('x', 1.0, 'y')");
        CHECK_FALSE(built.check({.sample = 1}).ok());
    }
    SECTION("every row drawn") {
        built.tamper(
            "UPDATE by_number SET amount = 'x' WHERE n = 777; UPDATE by_pair SET n = n + 1 WHERE rowid = 1");
        const auto found = described(built.check({.sample = 1'000}));
        REQUIRE(found.size() == 2);
        CHECK_THAT(found[0], ContainsSubstring("value by_number [777] amount \"x\" "));
    }
    SECTION("half of the rows wrong, twenty drawn") {
        built.tamper("UPDATE by_number SET amount = 'x' WHERE n % 2 = 0");
        int found = 0;
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            const auto checked = built.check({.sample = 20, .seed = seed});
            if (!checked.ok()) ++found;
            CHECK(described(built.check({.sample = 20, .seed = seed})) == described(checked));
        }
        CHECK(found == 10);  // each by a chance of one in a million, at most, not
    }
}

}  // namespace
}  // namespace stele
