// Projections in C++: a struct, and what its handlers do with the model.
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>

#include <optional>

namespace stele {
namespace {

using test::Lines;

// The same read model as payments.sql.
struct Payments {
    static constexpr auto name = "payments_cpp";
    static constexpr int version = 1;
    static Query query() { return matching(types("Paid", "Refunded")); }

    void setup(Model& model) {
        model.exec("CREATE TABLE payments (stream TEXT PRIMARY KEY, n INTEGER, amount INTEGER, last INTEGER)");
    }
    void on(const Event& e, Model& model) {
        const auto amount = e.data.value().at("amount").get<int>();
        if (e.type == "Paid") {
            model.exec(
                "INSERT INTO payments VALUES (?1, 1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + 1, "
                "amount = amount + ?2, last = ?3",
                e.stream.name(), amount, e.position);
        } else {
            model.exec("UPDATE payments SET amount = amount - ?2, last = ?3 WHERE stream = ?1", e.stream.name(),
                       amount, e.position);
        }
    }
};

TEST_CASE("a projection in C++ gives the rows of the same one in SQL", "[projections][cpp]") {
    auto store = EventStore::temporary();
    test::pay(store, 500);
    rebuild(store, *test::payments());
    rebuild(store, *projection<Payments>());
    const auto rows = test::rows(store, "payments", test::all_payments);
    CHECK(rows.size() == 11);
    CHECK(test::rows(store, "payments_cpp", test::all_payments) == rows);
}

struct EveryKind {
    static constexpr auto name = "every_kind";
    static constexpr int version = 2;

    void setup(Model& model) { model.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, v); CREATE TABLE seen (x);"); }
    void on(const Event& e, Model& model) {
        const auto add = [&](const auto& value) { model.exec("INSERT INTO t (v) VALUES (?1)", value); };
        add(nullptr);
        add(true);
        add(std::int64_t{1} << 40);
        add(1.5);
        add("text");
        add(std::string{"it's"});
        add(std::string_view{""});
        add(e.position);
        add(e.version);
        add(Timestamp{});
        add(EventId{});
        add(e.data);
        add(std::optional<int>{});
        add(std::optional<std::string>{"there"});
    }
};

TEST_CASE("arguments keep their kind", "[projections][cpp]") {
    auto store = EventStore::temporary();
    store.append(StreamId{"S", "1"}, expect::none, {event("A", {{"a", 1}})});
    rebuild(store, *projection<EveryKind>());
    CHECK(test::rows(store, "every_kind", "SELECT quote(v) FROM t ORDER BY n") ==
          Lines{"NULL", "1", "1099511627776", "1.5", "'text'", "'it''s'", "''", "1", "1",
                "'1970-01-01T00:00:00.000000Z'", "'00000000-0000-0000-0000-000000000000'", "'{\"a\":1}'", "NULL",
                "'there'"});
}

// Writes, for each event, how many it saw of each type before: a handler that reads its own rows.
struct Before {
    static constexpr auto name = "before";
    static constexpr int version = 1;

    void setup(Model& model) { model.exec("CREATE TABLE seen (position INTEGER PRIMARY KEY, type TEXT, before)"); }
    void on(const Event& e, Model& model) {
        const std::string query = "SELECT count(*) FROM seen WHERE type = ?1";
        std::int64_t before = -1;
        for (const Row& outer : model.query(query, std::string{e.type})) {
            // The same query again while its rows are read.
            for (const Row& inner : model.query(query, e.type)) before = inner.integer(0);
            CHECK(outer.integer(0) == before);
        }
        model.exec("INSERT INTO seen VALUES (?1, ?2, ?3)", e.position, e.type, before);
    }
};

TEST_CASE("a handler sees the rows that it has written", "[projections][cpp]") {
    auto store = EventStore::temporary();
    test::seed(store, StreamId{"S", "1"}, {"A", "B", "A", "A"});
    rebuild(store, *projection<Before>());
    CHECK(test::rows(store, "before", "SELECT type, before FROM seen ORDER BY position") ==
          Lines{"A 0", "B 0", "A 1", "A 2"});
}

template <int N>
struct Wrong {
    static constexpr auto name = "wrong";
    static constexpr int version = 1;
    void setup(Model& model) { model.exec("CREATE TABLE t (a)"); }
    void on(const Event&, Model& model) {
        if (N == 0) model.exec("INSERT INTO t VALUES (random())");
        if (N == 1) model.exec("COMMIT");
        if (N == 2) model.exec("CREATE TABLE u (a)");
        if (N == 3) model.exec("INSERT INTO t VALUES (?1)", 1, 2);
        if (N == 4) throw std::runtime_error{"no such luck"};
        if (N == 5) model.exec("INSERT INTO t VALUES (1); DELETE FROM t");
    }
};

template <int N>
std::string message_of_wrong() {
    auto store = EventStore::temporary();
    test::seed(store, StreamId{"S", "1"}, {"A"});
    return test::error_of<HandlerFailed>([&] { rebuild(store, *projection<Wrong<N>>()); }).what();
}

TEST_CASE("what a handler in C++ must not do stops it at the event, with the reason", "[projections][cpp]") {
    CHECK_THAT(message_of_wrong<0>(), ContainsSubstring("projection \"wrong\": position 1, A v1: "));
    CHECK_THAT(message_of_wrong<0>(), ContainsSubstring("expected a deterministic function"));
    CHECK_THAT(message_of_wrong<1>(), ContainsSubstring("found BEGIN, COMMIT or ROLLBACK"));
    CHECK_THAT(message_of_wrong<2>(), ContainsSubstring("found CREATE, ALTER or DROP"));
    CHECK_THAT(message_of_wrong<3>(), ContainsSubstring("expected 1 arguments, found 2"));
    CHECK_THAT(message_of_wrong<4>(), ContainsSubstring("no such luck; halted at 0"));
    CHECK_THAT(message_of_wrong<5>(), ContainsSubstring("expected one statement, found a second one"));
}

struct BadName {
    std::string name;
    int version = 1;
    void setup(Model&) {}
    void on(const Event&, Model&) {}
};

TEST_CASE("a projection's name is fit for a file name, and its version counts from 1", "[projections][cpp]") {
    for (const std::string name : {"", "a b", "a/b", "..", "a.db", "\xC3\xA9", "a\n"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(projection(BadName{name}), InvalidInput);
    }
    CHECK_THROWS_AS(projection(BadName{std::string(101, 'a')}), InvalidInput);
    CHECK_THROWS_AS(projection(BadName{"fine", 0}), InvalidInput);
    CHECK(projection(BadName{"Fine_9-x", 4})->version() == 4);
}

}  // namespace
}  // namespace stele
