// Reads through upcasters: every kind of read gives what the upcasters make of what is stored, and nothing that is
// stored changes.
#include "contract.hpp"

#include <stele/schema/event_types.hpp>
#include <stele/test/random.hpp>

#include <stop_token>
#include <thread>

using namespace stele;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Contract;
using Texts = std::vector<std::string>;

namespace {

const StreamId order{"Order", "o-1"};

Options with(EventTypes types) {
    Options options;
    options.event_types = std::make_shared<const EventTypes>(std::move(types));
    return options;
}

/// OrderPlaced v1 becomes OrderOpened and, for each of two items, ItemAdded; Noise nothing; OrderShut is
/// OrderClosed.
EventTypes shop() {
    EventTypes types;
    types.upcast_sql("OrderPlaced", 1,
                     "--@ into OrderOpened\njson_object('by', $data(by))\n"
                     "--@ into ItemAdded\n$data(a)\n"
                     "--@ into ItemAdded\n$data(b)\n",
                     "split.sql");
    types.upcast("ItemAdded", 1, [](json data) { return json{{"sku", std::move(data)}}; });
    types.upcast_sql("Noise", 1, "--@ drop", "noise.sql");
    types.rename("OrderShut", "OrderClosed");
    return types;
}

NewEvent placed(const json& a, const json& b) {
    json data{{"by", "ann"}};
    if (!a.is_null()) data["a"] = a.dump();
    if (!b.is_null()) data["b"] = b.dump();
    return event("OrderPlaced", data).tag("shop:1");
}

/// Positions 1 to 5: Noise, a split into three, another type, a split into two, a renamed one.
void fill(EventStore& store) {
    store.append(order, expect::none, {event("Noise"), placed(1, 2), event("OrderPaid")});
    store.append(StreamId{"Order", "o-2"}, expect::none,
                 {placed(3, nullptr), event("OrderShut", {{"why", "done"}})});
}

Texts brief(const std::vector<Event>& events) {
    Texts all;
    for (const auto& event : events) {
        all.push_back(std::to_string(event.position.value()) + "." + std::to_string(event.piece) + " " +
                      event.type);
    }
    return all;
}
Texts brief(const EventStore& store, const Read& read) { return brief(test::events_in(store, read)); }

const Texts everything{"2.0 OrderOpened", "2.1 ItemAdded", "2.2 ItemAdded",  "3.0 OrderPaid",
                       "4.0 OrderOpened", "4.1 ItemAdded", "5.0 OrderClosed"};

Texts backward(Texts texts) {
    std::reverse(texts.begin(), texts.end());
    return texts;
}

}  // namespace

TEST_CASE_METHOD(Contract, "every read gives what upcasters make of the log, and a raw one what is stored",
                 "[contract][upcast]") {
    auto store = open(with(shop()));
    fill(store);

    CHECK(brief(store, all()) == everything);
    CHECK(brief(store, all().backward()) == backward(everything));
    CHECK(brief(store, Read{matching(types("ItemAdded"))}) ==
          Texts{"2.1 ItemAdded", "2.2 ItemAdded", "4.1 ItemAdded"});
    CHECK(brief(store, Read{matching(types("ItemAdded"))}.backward()) ==
          Texts{"4.1 ItemAdded", "2.2 ItemAdded", "2.1 ItemAdded"});
    CHECK(brief(store, Read{matching(types("OrderClosed", "OrderPaid"))}) ==
          Texts{"3.0 OrderPaid", "5.0 OrderClosed"});
    CHECK(brief(store, Read{matching(types("OrderShut"))}).empty());
    CHECK(brief(store, Read{matching(types("OrderOpened"), tags("shop:1"))}) ==
          Texts{"2.0 OrderOpened", "4.0 OrderOpened"});
    CHECK(brief(store, stream(order)) ==
          Texts{"2.0 OrderOpened", "2.1 ItemAdded", "2.2 ItemAdded", "3.0 OrderPaid"});
    CHECK(brief(store, stream(order).from(Version{3})) == Texts{"3.0 OrderPaid"});
    CHECK(brief(store, stream(order).until(Version{2}).backward()) ==
          Texts{"2.2 ItemAdded", "2.1 ItemAdded", "2.0 OrderOpened"});
    CHECK(brief(store, all().after(Position{2}).until(Position{4})) ==
          Texts{"3.0 OrderPaid", "4.0 OrderOpened", "4.1 ItemAdded"});
    CHECK(brief(store, all().aggregate_type("Order").types({"OrderPaid"})) == Texts{"3.0 OrderPaid"});

    auto plain = open();
    CHECK(test::events_in(store, all().raw()) == test::events_in(plain));
    CHECK(test::types_in(store, Read{matching(types("OrderShut"))}.raw()) == Texts{"OrderShut"});
    CHECK(plain.types().size() == store.types().size());
}

TEST_CASE_METHOD(Contract, "a limit counts what comes out, and never tears the pieces of one event apart",
                 "[contract][upcast]") {
    auto store = open(with(shop()));
    fill(store);

    CHECK(brief(store, all().limit(0)).empty());
    CHECK(brief(store, all().limit(1)) == Texts{"2.0 OrderOpened", "2.1 ItemAdded", "2.2 ItemAdded"});
    CHECK(brief(store, all().limit(3)).size() == 3);
    CHECK(brief(store, all().limit(4)).size() == 4);
    CHECK(brief(store, all().limit(5)).size() == 6);
    CHECK(brief(store, Read{matching(types("ItemAdded"))}.limit(1)).size() == 2);
    CHECK(brief(store, all().backward().limit(2)) == Texts{"5.0 OrderClosed", "4.1 ItemAdded", "4.0 OrderOpened"});
}

TEST_CASE_METHOD(Contract, "pieces have ids by which they are found, and share all else but type and data",
                 "[contract][upcast]") {
    auto store = open(with(shop()));
    fill(store);
    const auto stored = *open().at(Position{2});

    const auto pieces = test::events_in(store, all().after(Position{1}).until(Position{2}));
    REQUIRE(pieces.size() == 3);
    CHECK(pieces[0].id == stored.id);
    for (const auto& piece : pieces) {
        CHECK(piece.pieces == 3);
        CHECK(piece.version == stored.version);
        CHECK(piece.recorded_at == stored.recorded_at);
        CHECK(piece.tags == stored.tags);
        CHECK(store.find(piece.id) == piece);
    }
    CHECK(pieces[1].id != pieces[2].id);
    CHECK(pieces[1].data.value() == json{{"sku", 1}});
    CHECK(store.at(Position{2}) == pieces[0]);
    CHECK_FALSE(store.at(Position{1}));
    CHECK_FALSE(store.find(open().at(Position{1})->id));
    CHECK_FALSE(store.find(EventId::generate()));
    CHECK(store.find_stored(open().at(Position{1})->id) == open().at(Position{1}));
    CHECK(store.find_stored(stored.id) == stored);
    CHECK_FALSE(store.find_stored(pieces[1].id));
    CHECK(store.head() == Position{5});
    CHECK(store.version(order) == Version{3});
}

TEST_CASE_METHOD(Contract, "a subscription gives upcast events as they come", "[contract][upcast]") {
    auto store = open(with(shop()));
    fill(store);
    auto subscription = store.subscribe(matching(types("ItemAdded", "OrderClosed")));

    std::vector<Event> seen;
    while (seen.size() < 4) {
        for (const auto& event : subscription.next_page(10s)) seen.push_back(event);
    }
    CHECK(brief(seen) == Texts{"2.1 ItemAdded", "2.2 ItemAdded", "4.1 ItemAdded", "5.0 OrderClosed"});
    CHECK(subscription.next_page(0s).empty());
    CHECK(subscription.position() == Position{5});

    auto one_by_one = store.subscribe(matching(types("ItemAdded")));
    CHECK(one_by_one.next()->piece == 1);
    CHECK(one_by_one.position() == Position{1});
    CHECK(one_by_one.next()->piece == 2);
    CHECK(one_by_one.position() == Position{2});

    open().append(order, expect::any, {placed(nullptr, 9)});
    const auto page = subscription.next_page(10s);
    REQUIRE(page.size() == 1);
    CHECK(page[0].data.value() == json{{"sku", 9}});
    CHECK(page[0].piece == 1);
    CHECK(page[0].pieces == 2);
}

TEST_CASE_METHOD(Contract, "an upcaster that fails stops the read at its event, behind those before it",
                 "[contract][upcast]") {
    bool broken = true;
    EventTypes types;
    types.upcast("B", 1, [&](json data) {
        if (broken) throw std::runtime_error{"no such plan"};
        return data;
    });
    auto store = open(with(std::move(types)));
    test::seed(store, order, {"A", "B", "C"});

    Texts seen;
    auto range = store.read(all());
    const auto take = [&] {
        std::vector<Event> page;
        while (const auto filled = range.next_page(page)) {
            for (std::size_t i = 0; i < filled; ++i) seen.push_back(page[i].type);
        }
    };
    CHECK_THROWS_AS(take(), UpcastError);
    CHECK(seen == Texts{"A"});
    CHECK_THROWS_AS(take(), UpcastError);
    broken = false;
    take();
    CHECK(seen == Texts{"A", "B", "C"});

    broken = true;
    auto subscription = store.subscribe();
    CHECK(subscription.next()->type == "A");
    try {
        (void)subscription.next();
        FAIL("expected an error");
    } catch (const UpcastError& error) {
        CHECK(error.position() == Position{2});
        CHECK(error.code() == "upcast");
    }
    CHECK(subscription.position() == Position{1});
    broken = false;
    CHECK(subscription.next()->type == "B");
    CHECK(test::types_in(store, all().types({"A", "C"})) == Texts{"A", "C"});
}

TEST_CASE_METHOD(Contract, "a read of parts gives upcasters the data they need", "[contract][upcast]") {
    EventTypes types;
    types.upcast_sql("A", 1, "CASE WHEN $data(keep) AND $metadata(actor) = 'ann' THEN $data END", "a.sql");
    auto store = open(with(std::move(types)));
    store.append(order, expect::any,
                 {event("A", {{"keep", true}}).by("ann"), event("A", {{"keep", true}}).by("bob"),
                  event("A", {{"keep", false}}).by("ann")});

    CHECK(test::positions_in(store, all().only({false, false, false, false})) == test::Numbers{1});
    CHECK(test::positions_in(store, all().types({"A"}).only({true, false, false, false}).backward()) ==
          test::Numbers{1});
}

TEST_CASE_METHOD(Contract, "a condition meets what would be upcast into what it names", "[contract][upcast]") {
    auto store = open(with(shop()));
    fill(store);

    const auto unless = [&](const Query& query, std::int64_t after) {
        return store.try_append(
            Append{}.to(order, expect::any, {event("OrderPaid")}).unless(query.after(Position{after})));
    };
    const auto conflict = test::outcome<ConditionConflict>(unless(matching(types("OrderClosed")), 0));
    CHECK(conflict.position == Position{5});
    CHECK(conflict.query == matching(types("OrderClosed")));
    CHECK(test::outcome<ConditionConflict>(unless(matching(types("ItemAdded")), 0)).position == Position{4});
    CHECK(std::holds_alternative<Appended>(unless(matching(types("OrderClosed")), 5)));
    CHECK(std::holds_alternative<Appended>(unless(matching(types("Unheard")), 0)));
}

// ---- Any log, any registry: the store gives what plain functions of this test make of what is stored

namespace {

/// What becomes of one type and version, said twice: for the registry, and as a fold of this test.
struct Rule {
    std::vector<TypeVersion> into;  ///< none: dropped
    std::vector<int> divisors;      ///< an event goes into the i-th unless its "n" is divisible by it; 0: always
    bool in_sql = false;
};

std::string label_of(const TypeVersion& kind, std::size_t place) {
    return kind.type + std::to_string(kind.version) + "/" + std::to_string(place);
}

class Evolution {
public:
    explicit Evolution(test::Random& random) {
        // Types only lead to later ones, so there is no circle.
        for (std::size_t type = 0; type < names.size(); ++type) {
            if (random.one_in(5) && type + 1 < names.size()) {
                renames_[names[type]] = names[type + 1 + random.below(names.size() - type - 1)];
                continue;
            }
            const auto versions = 1 + random.below(4);
            for (std::size_t version = 1; version < versions; ++version) {
                const TypeVersion from{names[type], static_cast<int>(version)};
                rules_[from] = random_rule(random, from, type);
            }
        }
        aggregate_renamed_ = random.one_in(2);
    }

    [[nodiscard]] EventTypes registry() const {
        EventTypes types;
        for (const auto& [name, to] : renames_) types.rename(name, to);
        if (aggregate_renamed_) types.rename_aggregate("Old", "New");
        for (const auto& [from, rule] : rules_) declare(types, from, rule);
        return types;
    }

    [[nodiscard]] std::vector<Event> upcast(const Event& stored) const {
        std::vector<Event> made;
        follow(stored, {stored.type, stored.schema_version}, stored.data.value(), made);
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i].piece = static_cast<int>(i);
            made[i].pieces = static_cast<int>(made.size());
            made[i].id = stored.id.of_piece(made[i].piece);
            if (aggregate_renamed_ && stored.stream.aggregate_type() == "Old") {
                made[i].stream = StreamId{stored.stream.tenant(), "New", stored.stream.aggregate_id()};
            }
        }
        return made;
    }

    static inline const Texts names{"A", "B", "C", "D", "E", "F"};

private:
    static Rule random_rule(test::Random& random, const TypeVersion& from, std::size_t type) {
        Rule rule;
        rule.in_sql = random.one_in(2);
        const TypeVersion next{from.type, from.version + 1};
        const auto pieces = random.below(4);
        for (std::size_t i = 0; i < pieces; ++i) {
            const bool other = type + 1 < names.size() && random.one_in(3);
            rule.into.push_back(other ? TypeVersion{names[type + 1 + random.below(names.size() - type - 1)],
                                                    1 + static_cast<int>(random.below(3))}
                                      : next);
            rule.divisors.push_back(random.one_in(3) ? 2 + static_cast<int>(random.below(3)) : 0);
        }
        return rule;
    }

    void declare(EventTypes& types, const TypeVersion& from, const Rule& rule) const {
        if (rule.in_sql) {
            std::string text;
            for (std::size_t i = 0; i < rule.into.size(); ++i) {
                const auto appended = "json_set($data, '$.path[#]', '" + label_of(from, i) + "')";
                const auto divisor = std::to_string(rule.divisors[i]);
                text += "--@ into " + rule.into[i].type + " version " + std::to_string(rule.into[i].version) +
                        "\n" +
                        (rule.divisors[i] == 0
                             ? appended
                             : "CASE WHEN $data(n) % " + divisor + " <> 0 THEN " + appended + " END") +
                        "\n";
            }
            types.upcast_sql(from.type, from.version, text.empty() ? "--@ drop" : text, "rule.sql");
            return;
        }
        types.upcast_into(from, rule.into, [from, rule](json data) {
            std::vector<Upcast> made;
            for (std::size_t i = 0; i < rule.into.size(); ++i) {
                if (rule.divisors[i] != 0 && data["n"].get<int>() % rule.divisors[i] == 0) continue;
                auto copy = data;
                copy["path"].push_back(label_of(from, i));
                made.push_back({rule.into[i], std::move(copy)});
            }
            return made;
        });
    }

    void follow(const Event& stored, TypeVersion kind, const json& data, std::vector<Event>& made) const {
        while (renames_.count(kind.type) != 0) kind.type = renames_.at(kind.type);
        const auto rule = rules_.find(kind);
        if (rule == rules_.end()) {
            auto event = stored;
            event.type = kind.type;
            event.schema_version = kind.version;
            event.data = JsonText{data};
            made.push_back(std::move(event));
            return;
        }
        for (std::size_t i = 0; i < rule->second.into.size(); ++i) {
            const auto divisor = rule->second.divisors[i];
            if (divisor != 0 && data.at("n").get<int>() % divisor == 0) continue;
            auto next = data;
            next["path"].push_back(label_of(kind, i));
            follow(stored, rule->second.into[i], next, made);
        }
    }

    std::map<std::string, std::string> renames_;
    std::map<TypeVersion, Rule> rules_;
    bool aggregate_renamed_ = false;
};

Read random_read(test::Random& random, std::int64_t head) {
    Read read;
    if (random.one_in(2)) {
        Texts types{random.one_of(Evolution::names)};
        if (random.one_in(2)) types.push_back(random.one_of(Evolution::names));
        read = Read{matching(Types{types})};
        if (random.one_in(3)) {
            read = Read{matching(Types{types}) | matching(tags("odd"))};
        }
    }
    if (random.one_in(4)) {
        read.stream(StreamId{random.one_in(2) ? "New" : "Other", std::to_string(random.below(3))});
        if (random.one_in(3)) read.from(Version{random.between(1, 10)});
        if (random.one_in(3)) read.until(Version{random.between(1, 20)});
    } else if (random.one_in(4)) {
        read.aggregate_type(random.one_in(2) ? "New" : "Other");
    }
    if (random.one_in(5)) read.tag("odd");
    if (random.one_in(3)) read.after(Position{random.between(0, head)});
    if (random.one_in(3)) read.until(Position{random.between(0, head)});
    if (random.one_in(3)) read.limit(random.below(12));
    return read.backward(random.one_in(2));
}

std::vector<Event> expected_of(const std::vector<Event>& stored, const Evolution& evolution, const Read& read) {
    std::vector<Event> expected;
    auto log = stored;
    if (read.is_backward()) std::reverse(log.begin(), log.end());
    for (const auto& event : log) {
        if (event.position <= read.after()) continue;
        if (read.until_position() && event.position > *read.until_position()) continue;
        if (read.from_version() && event.version < *read.from_version()) continue;
        if (read.until_version() && event.version > *read.until_version()) continue;
        if (read.limit() && expected.size() >= *read.limit()) break;
        auto pieces = evolution.upcast(event);
        if (read.is_backward()) std::reverse(pieces.begin(), pieces.end());
        for (auto& piece : pieces) {
            if (read.query().matches(piece)) expected.push_back(std::move(piece));
        }
    }
    return expected;
}

}  // namespace

// Goal:   whatever is stored, and however types have changed since, a read gives what the upcasters make of it.
// Method: random logs of events in random versions, random registries with chains, splits, drops and renames in SQL
//         and C++, random reads; beside them, the same rules as plain recursion over what is stored.
TEST_CASE_METHOD(Contract, "any read of any log through any upcasters is the fold of what is stored",
                 "[contract][upcast]") {
    test::Random random;
    CAPTURE(random.seed());
    {
        auto store = open();
        for (int append = 0; append < 150; ++append) {
            const StreamId stream{random.one_in(2) ? "Old" : "Other", std::to_string(random.below(3))};
            std::vector<NewEvent> events;
            for (auto left = 1 + random.below(6); left > 0; --left) {
                const auto n = random.between(0, 100);
                auto made = event(random.one_of(Evolution::names), {{"n", n}, {"path", json::array()}})
                                .schema(1 + static_cast<int>(random.below(4)));
                if (n % 2 == 1) made.tag("odd");
                events.push_back(std::move(made));
            }
            store.append(stream, expect::any, events);
        }
    }
    const auto stored = test::events_in(open());
    const auto head = static_cast<std::int64_t>(stored.size());
    for (int round = 0; round < 8; ++round) {
        const Evolution evolution{random};
        auto types = evolution.registry();
        if (round % 2 == 1) types.rename_aggregate("Never", "Was");
        auto store = open(with(std::move(types)));
        for (int reads = 0; reads < 25; ++reads) {
            const auto read = random_read(random, head);
            CAPTURE(round, reads, read.query(), read.is_backward());
            const auto found = test::events_in(store, read);
            REQUIRE(brief(found) == brief(expected_of(stored, evolution, read)));
            REQUIRE(found == expected_of(stored, evolution, read));
        }
        Position looked_to;
        std::vector<Event> subscribed;
        auto subscription = store.subscribe();
        while (subscription.position() < Position{head}) {
            for (const auto& event : subscription.next_page(1s)) {
                looked_to = event.position;
                subscribed.push_back(event);
            }
        }
        CHECK(subscribed == expected_of(stored, evolution, all()));
        for (int finds = 0; finds < 20 && !subscribed.empty(); ++finds) {
            const auto& wanted = random.one_of(subscribed);
            CHECK(store.find(wanted.id) == wanted);
        }
    }
    CHECK(test::events_in(open()) == stored);
}
