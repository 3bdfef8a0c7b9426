// Keyed projections: the rows of a fold, whatever the batches and however little memory.
#include "vocabulary.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/test/random.hpp>

#include <algorithm>

namespace stele::bank {

struct Paid {
    static constexpr auto type = "Paid";
    static constexpr int version = 1;
    std::int64_t amount = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Paid, amount)
};
struct Closed {
    static constexpr auto type = "Closed";
    static constexpr int version = 1;
};
struct Account {
    std::int64_t balance = 0;
    std::int64_t payments = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Account, balance, payments)
};

}  // namespace stele::bank

namespace stele {
namespace {

using namespace bank;
using test::Lines;

void check_amount(const Paid& paid) {
    if (paid.amount == 13) throw std::runtime_error{"thirteen"};
}

struct Accounts {
    static constexpr auto name = "accounts";
    static constexpr int version = 1;
    static constexpr auto on_error = OnError::skip;
    using State = Account;
    using events = Events<Paid, Closed>;

    static State fold(State account, const Paid& paid, const Envelope&) {
        account.balance += paid.amount;
        ++account.payments;
        check_amount(paid);
        return account;
    }
    static std::optional<State> fold(State, const Closed&, const Envelope&) { return std::nullopt; }
};
const std::string all_accounts =
    "SELECT key, state ->> '$.balance', state ->> '$.payments' FROM accounts ORDER BY key";

template <std::size_t States>
struct AccountsInLittleMemory : Accounts {
    static constexpr std::size_t states_in_memory = States;
};

// The same with columns, in a table whose rows are numbered as they come.
struct AccountColumns : Accounts {
    static constexpr auto name = "account_columns";
    static constexpr std::size_t states_in_memory = 3;
    static void setup(Model& model) {
        model.exec("CREATE TABLE accounts (id TEXT UNIQUE, balance INTEGER, payments INTEGER)");
    }
    static std::optional<State> load(const std::string& key, Model& model) {
        for (const Row& row : model.query("SELECT balance, payments FROM accounts WHERE id = ?1", key)) {
            return State{row.integer(0), row.integer(1)};
        }
        return std::nullopt;
    }
    static void save(const std::string& key, const State& account, Model& model) {
        model.exec("INSERT OR REPLACE INTO accounts VALUES (?1, ?2, ?3)", key, account.balance, account.payments);
    }
    static void remove(const std::string& key, Model& model) {
        model.exec("DELETE FROM accounts WHERE id = ?1", key);
    }
};

// The same without keys: every event is written.
struct Unkeyed {
    static constexpr auto name = "unkeyed";
    static constexpr int version = 1;
    static constexpr auto on_error = OnError::skip;
    using events = Events<Paid, Closed>;
    static void setup(Model& model) {
        model.exec("CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INTEGER, payments INTEGER)");
    }
    static void on(const Paid& paid, const Envelope& e, Model& model) {
        model.exec(
            "INSERT INTO accounts VALUES (?1, ?2, 1) ON CONFLICT DO UPDATE SET balance = balance + ?2, "
            "payments = payments + 1",
            e.stream.name(), paid.amount);
        check_amount(paid);
    }
    static void on(const Closed&, const Envelope& e, Model& model) {
        model.exec("DELETE FROM accounts WHERE id = ?1", e.stream.name());
    }
};

const std::string all_skipped = "SELECT position, error FROM stele_skipped ORDER BY position";
const std::string columns = "SELECT id, balance, payments FROM accounts ORDER BY id";

void append_at_random(EventStore& store, test::Random& random, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const StreamId account{"Account", std::to_string(random.below(12))};
        const auto amount = static_cast<std::int64_t>(random.below(60));
        const auto paid =
            random.one_in(50) ? event("Paid", {{"amount", "much"}}) : event("Paid", {{"amount", amount}});
        store.append(account, expect::any,
                     {random.one_in(9)   ? event("Closed")
                      : random.one_in(9) ? event("Noted")
                                         : paid});
    }
}

// Goal:   a keyed projection's rows are those of one that writes every event, at every commit.
// Method: random events, some of which fail, are taken in by both in steps of random size, with room for few
// states,
//         and the rows are compared after each step; at the end, with rebuilds of random batches too.
TEST_CASE("a keyed projection gives the rows of one that writes every event", "[projections][keyed]") {
    test::Random random;
    CAPTURE(random.seed());
    auto store = EventStore::temporary();
    append_at_random(store, random, 100);
    const std::vector<std::shared_ptr<const Projection>> keyed{
        projection<AccountsInLittleMemory<0>>(), projection<AccountsInLittleMemory<5>>(), projection<Accounts>()};
    const auto with_columns = projection<AccountColumns>();
    const auto unkeyed = projection<Unkeyed>();
    const auto options_at_random = [&](auto options) {
        options.batch = 1 + random.below(40);
        return options;
    };

    for (const auto& accounts : keyed) {
        for (const auto& each : {accounts, with_columns, unkeyed}) {
            test::rebuild_now(store, *each, options_at_random(RebuildOptions{}));
        }
        for (int step = 0; step < 12; ++step) {
            if (step > 0) append_at_random(store, random, random.below(60));
            for (const auto& each : {accounts, with_columns, unkeyed}) {
                catch_up(store, *each, options_at_random(CatchUpOptions{}));
            }
            const auto expected = test::rows(store, "unkeyed", columns);
            CHECK(test::rows(store, "accounts", all_accounts) == expected);
            CHECK(test::rows(store, "account_columns", columns) == expected);
            const auto skipped = test::rows(store, "unkeyed", all_skipped);
            CHECK(test::rows(store, "accounts", all_skipped) == skipped);
            CHECK(test::rows(store, "account_columns", all_skipped) == skipped);
        }
    }
    CHECK(test::rows(store, "unkeyed", "SELECT count(*) > 3 FROM stele_skipped") == Lines{"1"});
}

struct Stopping : Accounts {
    static constexpr auto on_error = OnError::stop;
};
TEST_CASE("a keyed projection that stops has the rows up to the event before", "[projections][keyed][P1]") {
    auto store = EventStore::temporary();
    const auto pay = [&](int amount) {
        store.append(StreamId{"Account", "1"}, expect::any, {event("Paid", {{"amount", amount}})});
    };
    pay(1);
    test::rebuild_now(store, *projection<Stopping>());
    for (const int amount : {2, 4, 13, 8}) pay(amount);
    const auto error = test::error_of<HandlerFailed>([&] { catch_up(store, *projection<Stopping>()); });
    CHECK(error.position() == Position{4});
    CHECK(error.reason() == "thirteen");
    CHECK(test::rows(store, "accounts", all_accounts) == Lines{"Account/1 7 3"});
}

// Keys that are integers, or none.
struct ByAmount {
    static constexpr auto name = "by-amount";
    static constexpr int version = 1;
    using State = int;
    static std::optional<int> key(const Event& e) {
        if (e.type != "Paid") return std::nullopt;
        return e.data.value().at("amount").get<int>();
    }
    static State fold(State count, const Event&) { return count + 1; }
};
TEST_CASE("a key may be an integer, and an event without a key is passed over", "[projections][keyed]") {
    auto store = EventStore::temporary();
    const StreamId account{"Account", "1"};
    for (const int amount : {10, 9, 10}) store.append(account, expect::any, {event("Paid", {{"amount", amount}})});
    store.append(account, expect::any, {event("Noted")});
    CHECK(test::rebuild_now(store, *projection<ByAmount>()).events == 4);
    CHECK(test::rows(store, "by-amount", "SELECT key, state FROM \"by-amount\" ORDER BY key") ==
          Lines{"9 1", "10 2"});
}

// Counts what is written.
struct Counted {
    static constexpr auto name = "counted";
    static constexpr int version = 1;
    using State = int;
    std::shared_ptr<int> loads = std::make_shared<int>(0);
    std::shared_ptr<int> saves = std::make_shared<int>(0);
    static void setup(Model& model) { model.exec("CREATE TABLE counted (key TEXT PRIMARY KEY, n INTEGER)"); }
    [[nodiscard]] std::optional<int> load(const std::string& key, Model& model) const {
        ++*loads;
        for (const Row& row : model.query("SELECT n FROM counted WHERE key = ?1", key)) {
            return static_cast<int>(row.integer(0));
        }
        return std::nullopt;
    }
    void save(const std::string& key, int n, Model& model) const {
        ++*saves;
        model.exec("INSERT OR REPLACE INTO counted VALUES (?1, ?2)", key, n);
    }
    static State fold(State n, const Event&) { return n + 1; }
};

TEST_CASE("a state is read once, and written once a batch", "[projections][keyed]") {
    auto store = EventStore::temporary();
    test::pay(store, 440);  // eleven streams, in turn
    Counted counted;
    RebuildOptions options;
    options.batch = 55;  // times four
    test::rebuild_now(store, *projection(counted), options);
    CHECK(*counted.loads == 11);
    CHECK(*counted.saves == 2 * 11);
    CHECK(test::rows(store, "counted", "SELECT count(*), min(n), max(n) FROM counted") == Lines{"11 40 40"});
}

}  // namespace
}  // namespace stele
