// Conditions on an append, scenarios 1 to 12: what a query selects, and what a condition refuses.
//
// They follow the Dynamic Consistency Boundary specification (dcb.events), as do those in scenarios_more_test.cpp.
// The fixture, where one is used: e1 is of type t1 with tag X; then one append of e2 (t2; A, B) and e3 (t3; A, C).
#include "contract.hpp"

using namespace stele;
using test::Contract;
using test::Numbers;
using test::positions_in;

namespace {

const StreamId thing{"Thing", "thing-1"};
const StreamId other{"Thing", "thing-2"};

void seed_fixture(EventStore& store) {
    store.append(thing, expect::any, {test::event("t1", {"X"})});
    store.append(thing, expect::any, {test::event("t2", {"A", "B"}), test::event("t3", {"A", "C"})});
}

/// "unless anything of this": how a test writes a condition that must refuse, or must not.
AppendResult append_unless(EventStore& store, const Condition& condition) {
    return store.try_append(Append{}.to(other, expect::any, {test::event("t9", {"nine"})}).unless(condition));
}

const Query t2_and_b = matching(types("t2"), tags("B"));
const Query t3_and_c = matching(types("t3"), tags("C"));

}  // namespace

TEST_CASE_METHOD(Contract, "scenario 1: an empty store has no head, and a read of it gives nothing either way",
                 "[contract][scenario]") {
    auto store = open();
    CHECK(store.head() == Position{0});
    CHECK(positions_in(store, all()).empty());
    CHECK(positions_in(store, all().backward()).empty());
    CHECK(positions_in(store, matching(types("t1"))).empty());
    CHECK(positions_in(store, Read{matching(tags("X"))}.backward()).empty());
    CHECK(positions_in(store, stele::stream(thing)).empty());
    CHECK(positions_in(store, stele::stream(thing).backward()).empty());
    CHECK_FALSE(store.version(thing).has_value());
    CHECK_FALSE(store.at(Position{1}).has_value());
    CHECK(store.types().empty());
}

TEST_CASE_METHOD(Contract, "scenario 2: what is appended comes back byte for byte", "[contract][scenario]") {
    const auto recorded = parse_rfc3339("2026-03-01T12:00:00.123456Z");
    Options options;
    options.clock = [recorded] { return recorded; };
    auto store = open(options);

    NewEvent given;
    given.type = "Größe.Changed v2/β";
    given.data = JsonText::parse("{ \"b\" : 1.50,\t\"a\":[1e2,  null],\r\n\"b2\":\"\\u00e9é\\/\" }");
    given.metadata = JsonText::parse_object("{\"z\":1 ,\"actor\":\"user-7\"}");
    given.occurred_at = parse_rfc3339("1931-04-05T06:07:08.000009Z");
    given.schema_version = 7;
    given.tags = {"z:last", "a:first", "ünïcödé 🙂"};
    const StreamId stream{"acme", "Größe", "a/b:c d"};
    const NewEvent bare = test::event("Bare");
    store.append(stream, expect::none, {given, bare});

    const auto found = test::events_in(store, stream);
    REQUIRE(found.size() == 2);
    CHECK(found[0].position == Position{1});
    CHECK(found[0].version == Version{1});
    CHECK(found[0].stream == stream);
    CHECK(found[0].type == given.type);
    CHECK(found[0].schema_version == 7);
    CHECK(found[0].id == given.id);
    CHECK(found[0].occurred_at == *given.occurred_at);
    CHECK(found[0].recorded_at == recorded);
    CHECK(found[0].data.text() == given.data.text());
    CHECK(found[0].metadata.text() == given.metadata.text());
    CHECK(found[0].tags == given.tags);

    CHECK(found[1].data.text() == "{}");
    CHECK(found[1].metadata.text() == "{}");
    CHECK(found[1].schema_version == 1);
    CHECK(found[1].occurred_at == recorded);
    CHECK(found[1].tags.empty());

    CHECK(store.find(given.id) == found[0]);
    CHECK(store.at(Position{2}) == found[1]);
    CHECK_FALSE(store.find(EventId::generate()).has_value());
}

TEST_CASE_METHOD(Contract, "scenario 3: reads from a position, either way, at and beyond both ends",
                 "[contract][scenario]") {
    auto store = open();
    seed_fixture(store);

    CHECK(positions_in(store, all().after(Position{0})) == Numbers{1, 2, 3});
    CHECK(positions_in(store, all().after(Position{1})) == Numbers{2, 3});
    CHECK(positions_in(store, all().after(Position{2})) == Numbers{3});
    CHECK(positions_in(store, all().after(Position{3})).empty());
    CHECK(positions_in(store, all().after(Position{4})).empty());

    CHECK(positions_in(store, all().backward()) == Numbers{3, 2, 1});
    CHECK(positions_in(store, all().until(Position{0}).backward()).empty());
    CHECK(positions_in(store, all().until(Position{1}).backward()) == Numbers{1});
    CHECK(positions_in(store, all().until(Position{2}).backward()) == Numbers{2, 1});
    CHECK(positions_in(store, all().until(Position{3}).backward()) == Numbers{3, 2, 1});
    CHECK(positions_in(store, all().until(Position{99}).backward()) == Numbers{3, 2, 1});
    CHECK(positions_in(store, all().after(Position{1}).backward()) == Numbers{3, 2});

    for (const bool backward : {false, true}) {
        CAPTURE(backward);
        CHECK(positions_in(store, all().backward(backward).limit(0)).empty());
        CHECK(positions_in(store, stele::stream(thing).backward(backward).limit(0)).empty());
    }
    CHECK(positions_in(store, all().limit(2)) == Numbers{1, 2});
    CHECK(positions_in(store, all().backward().limit(2)) == Numbers{3, 2});
    CHECK(positions_in(store, all().limit(4)) == Numbers{1, 2, 3});
}

TEST_CASE_METHOD(Contract, "scenario 4: a type, a tag, a type and a tag", "[contract][scenario]") {
    auto store = open();
    seed_fixture(store);

    CHECK(positions_in(store, matching(types("t1"))) == Numbers{1});
    CHECK(positions_in(store, matching(types("t2"))) == Numbers{2});
    CHECK(positions_in(store, matching(tags("X"))) == Numbers{1});
    CHECK(positions_in(store, matching(tags("Y"))).empty());
    CHECK(positions_in(store, matching(types("t1"), tags("X"))) == Numbers{1});
    CHECK(positions_in(store, matching(types("t1"), tags("Y"))).empty());
    CHECK(positions_in(store, matching(types("t2"), tags("X"))).empty());
}

TEST_CASE_METHOD(Contract, "scenario 5: several tags are AND, several items are OR", "[contract][scenario]") {
    auto store = open();
    seed_fixture(store);

    CHECK(positions_in(store, matching(tags("A"))) == Numbers{2, 3});
    CHECK(positions_in(store, matching(tags("A", "B"))) == Numbers{2});
    CHECK(positions_in(store, matching(tags("B")) | matching(tags("C"))) == Numbers{2, 3});
    CHECK(positions_in(store, matching(tags("X")) | matching(tags("Y"))) == Numbers{1});
    CHECK(positions_in(store, matching(types("t2"), tags("A"))) == Numbers{2});
    CHECK(positions_in(store, Read{matching(types("t2"), tags("A"))}.after(Position{2})).empty());
    CHECK(positions_in(store, matching(types("t3", "t1"))) == Numbers{1, 3});
}

TEST_CASE_METHOD(Contract, "scenario 6: items select in log order, and an event that two of them match comes once",
                 "[contract][scenario]") {
    auto store = open();
    seed_fixture(store);

    CHECK(positions_in(store, t2_and_b | t3_and_c) == Numbers{2, 3});
    CHECK(positions_in(store, t3_and_c | t2_and_b) == Numbers{2, 3});
    CHECK(positions_in(store, Read{t2_and_b | t3_and_c}.backward()) == Numbers{3, 2});
    CHECK(positions_in(store, Read{t3_and_c | t2_and_b}.backward()) == Numbers{3, 2});
    CHECK(positions_in(store, matching(tags("A")) | matching(types("t2"))) == Numbers{2, 3});
    CHECK(positions_in(store, t2_and_b | t2_and_b) == Numbers{2});
    CHECK(positions_in(store, Read{matching(tags("A")) | matching(types("t2"))}.limit(2)) == Numbers{2, 3});
    CHECK(positions_in(store, Query{} | matching(types("t2"))) == Numbers{1, 2, 3});
}

TEST_CASE_METHOD(Contract, "scenario 7: tags are compared byte for byte", "[contract][scenario]") {
    auto store = open();
    const std::string nul{"a\0b", 3};
    const std::vector<std::string> names{
        nul,           "a",        "a\nb",     "\x01",  "a\x1f\"b", "\\",   "\x7f",       "baz:foos",
        "baz:foosnot", "Baz:foos", "baz:foo%", "%",     "_",        "it's", "\"quoted\"", "a,b",
        "[\"a\"]",     "é",        "e\u0301",  "ß",     "SS",       "ss",   "日本:東京",  "🙂",
        " ",           " x",       "x",        "x ",    "NULL",     "--",   "'; DROP",    "*",
        "a\\b",        "0",        "0.0",      "1e400", "-0"};
    for (const std::string& name : names) store.append(thing, expect::any, {test::event("Tagged", {name})});

    for (std::size_t i = 0; i < names.size(); ++i) {
        CAPTURE(names[i]);
        const auto position = static_cast<std::int64_t>(i) + 1;
        CHECK(positions_in(store, matching(tags(names[i]))) == Numbers{position});
        CHECK(positions_in(store, Read{matching(types("Tagged"), tags(names[i]))}.backward()) == Numbers{position});
        const auto refused = test::outcome<ConditionConflict>(append_unless(store, matching(tags(names[i]))));
        CHECK(refused.position == Position{position});
        CHECK(std::holds_alternative<ConditionConflict>(append_unless(store, matching(tags(names[i])))));
    }
    // All on one event, in this order.
    const StreamId tagged{"Tagged", "all"};
    store.append(tagged, expect::none, {test::event("AllOfThem", names)});
    CHECK(test::events_in(store, tagged).at(0).tags == names);
    CHECK(positions_in(store, matching(types("AllOfThem"), Tags{names})) == Numbers{std::ssize(names) + 1});

    CHECK(positions_in(store, matching(tags("baz:foosn"))).empty());
    CHECK(positions_in(store, matching(tags("baz:%"))).empty());
    CHECK(positions_in(store, matching(types("tagged"))).empty());
}

TEST_CASE_METHOD(Contract, "scenario 8: a condition that an event matches refuses the append",
                 "[contract][scenario]") {
    struct Case {
        const char* name;
        Condition condition;
        std::int64_t newest;  ///< position of the newest event that matches
    };
    const std::vector<Case> cases{
        {"all", Query{}, 3},
        {"all after 1", Query{}.after(Position{1}), 3},
        {"t1", matching(types("t1")), 1},
        {"t2 after 1", matching(types("t2")).after(Position{1}), 2},
        {"X", matching(tags("X")), 1},
        {"A after 1", matching(tags("A")).after(Position{1}), 3},
        {"t1 and X", matching(types("t1"), tags("X")), 1},
        {"t2 and A after 1", matching(types("t2"), tags("A")).after(Position{1}), 2},
        {"A and B", matching(tags("A", "B")), 2},
        {"B or C", matching(tags("B")) | matching(tags("C")), 3},
        {"X or Y", matching(tags("X")) | matching(tags("Y")), 1},
        {"(t2 and B) or (t3 and C)", t2_and_b | t3_and_c, 3},
    };
    auto store = open();
    seed_fixture(store);
    for (const Case& each : cases) {
        CAPTURE(each.name);
        const auto conflict = test::outcome<ConditionConflict>(append_unless(store, each.condition));
        CHECK(conflict.condition == 0);
        CHECK(conflict.query == each.condition.query());
        CHECK(conflict.after == each.condition.after());
        CHECK(conflict.position == Position{each.newest});
        CHECK(store.head() == Position{3});
    }
}

TEST_CASE_METHOD(Contract, "scenario 9: a condition that no event matches lets the append through",
                 "[contract][scenario]") {
    struct Case {
        const char* name;
        Condition condition;
    };
    const std::vector<Case> cases{
        {"an unknown type", matching(types("t4"))},
        {"Y", matching(tags("Y"))},
        {"t1 after 1", matching(types("t1")).after(Position{1})},
        {"X after 1", matching(tags("X")).after(Position{1})},
        {"t1 and X after 1", matching(types("t1"), tags("X")).after(Position{1})},
        {"anything after a position beyond the head", Query{}.after(Position{1000})},
        {"t2 and X", matching(types("t2"), tags("X"))},
        {"A, B and C together", matching(tags("A", "B", "C"))},
        {"a stream without events", matching(StreamId{"Thing", "thing-404"})},
    };
    auto store = open();
    seed_fixture(store);
    std::int64_t head = 3;
    CHECK(store.append(other, expect::any, {test::event("t9")}).last_position == Position{++head});  // no condition
    for (const Case& each : cases) {
        CAPTURE(each.name);
        CHECK(test::outcome<Appended>(append_unless(store, each.condition)).last_position == Position{++head});
    }
}

TEST_CASE_METHOD(Contract, "scenario 10: a refused append leaves nothing behind", "[contract][scenario]") {
    auto store = open();
    seed_fixture(store);
    const std::string rows = backend().rows();
    const auto info = store.info();
    const StreamId fresh{"Fresh", "fresh-1"};
    const auto unheard = test::event("Unheard", {"unheard-of"});

    const std::vector<Append> refused{
        Append{}.to(fresh, expect::any, {unheard}).unless(matching(types("t1"))),
        Append{}.to(fresh, expect::exists, {unheard}),
        Append{}.to(thing, expect::any, {unheard}).to(fresh, expect::exists, {test::event("Unheard2")}),
        Append{}.to(fresh, expect::any, {unheard}).unless(matching(types("t4"))).unless(matching(tags("X"))),
        Append{}.to(fresh, expect::any, {unheard}).tracking("unheard-source", 5).unless(matching(tags("A"))),
    };
    for (const Append& append : refused) CHECK_FALSE(std::holds_alternative<Appended>(store.try_append(append)));

    CHECK(store.head() == Position{3});
    CHECK(backend().rows() == rows);
    CHECK(store.info().streams == info.streams);
    CHECK(store.info().types == info.types);
    CHECK(store.types().size() == 3);
    CHECK_FALSE(store.version(fresh).has_value());
    CHECK(store.version(thing) == Version{3});
    CHECK_FALSE(store.find(unheard.id).has_value());
    CHECK_FALSE(store.tracked("unheard-source").has_value());
    CHECK(positions_in(store, matching(tags("unheard-of"))).empty());
    CHECK(store.append(fresh, expect::none, {unheard}).first_position == Position{4});
}

TEST_CASE_METHOD(Contract, "scenario 11: a condition sees what was committed before, never its own append",
                 "[contract][scenario]") {
    auto store = open();
    const auto reserve = [&] {
        return Append{}
            .to(thing, expect::any, {test::event("SeatReserved", {"seat:12"}), test::event("SeatReserved")})
            .to(other, expect::any, {test::event("SeatReserved", {"seat:12"})})
            .unless(matching(types("SeatReserved")))
            .unless(matching(tags("seat:12")))
            .unless(Query{});
    };
    CHECK(test::outcome<Appended>(store.try_append(reserve())).last_position == Position{3});

    const auto conflict = test::outcome<ConditionConflict>(store.try_append(reserve()));
    CHECK(conflict.condition == 0);
    CHECK(conflict.position == Position{3});

    // The same from a second handle on the store, which has seen nothing of the first one's appends.
    auto second = open();
    CHECK(test::outcome<ConditionConflict>(second.try_append(reserve())).position == Position{3});
    CHECK(store.head() == Position{3});
}

TEST_CASE_METHOD(Contract, "scenario 12: what asks for nothing is refused when it is built, with a reason",
                 "[contract][scenario]") {
    auto store = open();
    const auto reason = [](const auto& build) -> std::string {
        try {
            build();
        } catch (const InvalidInput& refused) {
            return refused.what();
        }
        return "accepted";
    };
    CHECK_THAT(reason([] { Append{}.to(thing, expect::any, {}); }), ContainsSubstring("events"));
    CHECK_THAT(reason([&] { (void)store.try_append(thing, expect::any, std::vector<NewEvent>{}); }),
               ContainsSubstring("events"));
    CHECK_THAT(reason([&] { (void)store.try_append(Append{}); }), ContainsSubstring("expected"));
    CHECK_THAT(reason([&] { store.append(thing, expect::any, {test::event("")}); }), ContainsSubstring("type"));
    CHECK_THAT(reason([] { Query{std::vector<QueryItem>{}}; }), ContainsSubstring("expected"));
    CHECK_THAT(reason([] { Query{std::vector<QueryItem>{QueryItem{}}}; }), ContainsSubstring("expected"));
    CHECK_THAT(reason([] { (void)matching(types(), tags()); }), ContainsSubstring("expected"));
    CHECK_THAT(reason([] {
                   QueryItem full;
                   full.types = {"t1"};
                   Query{std::vector<QueryItem>{full, QueryItem{}}};
               }),
               ContainsSubstring("expected"));
    CHECK(store.head() == Position{0});
}
