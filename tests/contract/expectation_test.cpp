// Expectations, and the facts that a conflict carries.
#include "contract.hpp"

using namespace stele;
using test::Contract;

namespace {

const StreamId site{"Site", "site-42"};
const StreamId empty_site{"Site", "site-43"};

}  // namespace

// Trap 29: an expectation that is accepted and not checked. None on an absent stream and each on a filled one.
TEST_CASE_METHOD(Contract, "each expectation is checked on an absent and on a filled stream",
                 "[contract][append]") {
    struct Case {
        ExpectedVersion expected;
        bool on_absent;
        bool on_filled;  ///< which is at 3
    };
    const std::vector<Case> cases{
        {expect::any, true, true},
        {expect::none, true, false},
        {expect::exists, false, true},
        {expect::exactly(0), true, false},
        {expect::exactly(1), false, false},
        {expect::exactly(2), false, false},
        {expect::exactly(3), false, true},
        {expect::exactly(4), false, false},
        {expect::exactly(1'000'000'000'000), false, false},
    };
    for (const Case& each : cases) {
        CAPTURE(each.expected);
        auto store = EventStore::open(backend().address());
        const StreamId absent{"Absent", EventId::generate().to_string()};
        const StreamId filled{"Filled", EventId::generate().to_string()};
        test::seed(store, filled, {"a", "b", "c"});
        const Position head = store.head();

        const auto on_absent = store.try_append(absent, each.expected, {test::event("d")});
        CHECK(std::holds_alternative<Appended>(on_absent) == each.on_absent);
        if (!each.on_absent) {
            const auto conflict = test::outcome<VersionConflict>(on_absent);
            CHECK(conflict.stream == absent);
            CHECK(conflict.expected == each.expected);
            CHECK_FALSE(conflict.actual.has_value());
            CHECK_FALSE(conflict.position.has_value());
            CHECK_FALSE(store.version(absent).has_value());
        }

        const auto on_filled = store.try_append(filled, each.expected, {test::event("d")});
        CHECK(std::holds_alternative<Appended>(on_filled) == each.on_filled);
        if (!each.on_filled) {
            const auto conflict = test::outcome<VersionConflict>(on_filled);
            CHECK(conflict.stream == filled);
            CHECK(conflict.expected == each.expected);
            CHECK(conflict.actual == Version{3});
            CHECK(conflict.position == head);
            CHECK(store.version(filled) == Version{3});
        }
    }
}

TEST_CASE_METHOD(Contract, "an append says where its events are", "[contract][append]") {
    Options options;
    const auto time = parse_rfc3339("2026-01-05T10:00:00Z");
    options.clock = [time] { return time; };
    auto store = open(options);
    test::seed(store, site, {"SiteCreated"});

    const auto appended = store.append(site, expect::exactly(1), {test::event("a"), test::event("b")});
    CHECK(appended.first_position == Position{2});
    CHECK(appended.last_position == Position{3});
    CHECK(appended.version == Version{3});
    CHECK(appended.recorded_at == time);
    CHECK_FALSE(appended.duplicate);
    CHECK(store.head() == Position{3});
    CHECK(store.version(site) == Version{3});
}

TEST_CASE_METHOD(Contract, "append throws as Conflict what try_append returns, with the same facts",
                 "[contract][append]") {
    auto store = open();
    test::seed(store, site, {"SiteCreated", "SiteProvisioned"});
    const auto thrown = [&](const Append& append) {
        try {
            store.append(append);
        } catch (const Conflict& conflict) {
            return conflict;
        }
        throw std::logic_error("the append was taken");
    };

    const auto version = thrown(Append{}.to(site, expect::exactly(1), {test::event("a")}));
    REQUIRE(std::holds_alternative<VersionConflict>(version.details()));
    CHECK(std::get<VersionConflict>(version.details()).actual == Version{2});
    CHECK_THAT(version.what(), ContainsSubstring(store.name()));
    CHECK_THAT(version.what(), ContainsSubstring("Site/site-42"));
    CHECK_THAT(version.what(), ContainsSubstring("expected version 1"));
    CHECK_THAT(version.what(), ContainsSubstring("2"));
    CHECK_THAT(version.what(), ContainsSubstring("nothing was written"));
    CHECK_FALSE(version.facts().empty());

    const auto condition = thrown(Append{}
                                      .to(site, expect::any, {test::event("a")})
                                      .unless(matching(types("Unheard")))
                                      .unless(matching(types("SiteProvisioned")).after(Position{1})));
    REQUIRE(std::holds_alternative<ConditionConflict>(condition.details()));
    CHECK(std::get<ConditionConflict>(condition.details()).condition == 1);
    CHECK(std::get<ConditionConflict>(condition.details()).position == Position{2});
    CHECK(std::get<ConditionConflict>(condition.details()).after == Position{1});
    CHECK_THAT(condition.what(), ContainsSubstring("SiteProvisioned"));

    store.append(Append{}.tracking("feed", 7));
    const auto tracking = thrown(Append{}.to(site, expect::any, {test::event("a")}).tracking("feed", 7));
    REQUIRE(std::holds_alternative<TrackingConflict>(tracking.details()));
    CHECK(std::get<TrackingConflict>(tracking.details()).expected_above == 7);
    CHECK_THAT(tracking.what(), ContainsSubstring("feed"));

    CHECK(test::types_in(store, site) == std::vector<std::string>{"SiteCreated", "SiteProvisioned"});
}

TEST_CASE_METHOD(Contract, "an append to several streams is checked in each and says each one's version",
                 "[contract][append]") {
    auto store = open();
    test::seed(store, site, {"SiteCreated"});
    const StreamId backup{"Backup", "b-1"};

    const auto appended = store.append(Append{}
                                           .to(site, expect::exactly(1), test::events({"a", "b"}))
                                           .to(backup, expect::none, test::events({"c"})));
    CHECK(appended.first_position == Position{2});
    CHECK(appended.last_position == Position{4});
    CHECK(appended.version == Version{3});
    CHECK(appended.versions == std::vector{Version{3}, Version{1}});

    const auto conflict = test::outcome<VersionConflict>(store.try_append(
        Append{}.to(site, expect::exactly(3), test::events({"d"})).to(backup, expect::none, test::events({"e"}))));
    CHECK(conflict.stream == backup);
    CHECK(conflict.actual == Version{1});
    CHECK(conflict.position == Position{4});
    CHECK(test::types_in(store) == std::vector<std::string>{"SiteCreated", "a", "b", "c"});
}

TEST_CASE_METHOD(Contract, "streams interleave within an append when one is named again", "[contract][append]") {
    auto store = open();
    const StreamId backup{"Backup", "b-1"};
    const auto appended = store.append(Append{}
                                           .to(site, expect::none, test::events({"a"}))
                                           .to(backup, expect::none, test::events({"b"}))
                                           .to(site, expect::any, test::events({"c"}))
                                           .to(backup, expect::any, test::events({"d", "e"})));
    CHECK(appended.last_position == Position{5});
    CHECK(appended.version == Version{2});
    CHECK(test::types_in(store) == std::vector<std::string>{"a", "b", "c", "d", "e"});
    CHECK(test::versions_in(store, all()) == test::Numbers{1, 1, 2, 2, 3});
    CHECK_THROWS_AS(
        Append{}.to(site, expect::any, test::events({"a"})).to(site, expect::exactly(1), test::events({"b"})),
        InvalidInput);
}

TEST_CASE_METHOD(Contract, "an event that breaks a limit is refused, and its whole append with it",
                 "[contract][append]") {
    Options options;
    options.limits.event_bytes = 100;
    auto store = open(options);
    const auto refused = [&](const StreamId& stream, const NewEvent& bad) -> std::string {
        try {
            (void)store.try_append(stream, expect::any, {test::event("Good"), bad});
        } catch (const InvalidInput& error) {
            return error.field();
        }
        return "accepted";
    };
    CHECK(refused(site, stele::event("Big", {{"text", std::string(100, 'x')}})) == "data");
    CHECK(refused(site, test::event(std::string(256, 't'))) == "type");
    CHECK(refused(site, test::event("Tagged", {"fine", std::string(151, 't')})) == "tags[1]");
    CHECK(refused(site, test::event("Tagged", {"twice", "twice"})) == "tags[1]");
    CHECK(refused(StreamId{"Site", std::string(256, 'i')}, test::event("Good")) == "aggregate_id");
    CHECK(refused(site, test::event("Old").schema(0)) == "schema_version");
    CHECK(refused(site, test::event("Nil").with_id(EventId{})) == "id");
    CHECK(store.head() == Position{0});
    CHECK(test::seed(store, site, {std::string(255, 't')}).last_position == Position{1});
}

TEST_CASE_METHOD(Contract, "a store is as it was left when it is opened again", "[contract][open]") {
    std::vector<Event> before;
    {
        auto store = open();
        test::seed(store, site, {"a", "b"});
        store.append(StreamId{"acme", "Site", "site-42"}, expect::none, {test::event("c", {"x", "y"})});
        store.append(Append{}.tracking("feed", 3, "half way"));
        before = test::events_in(store);
    }
    Options options;
    options.mode = OpenMode::existing;
    auto store = open(options);
    CHECK(test::events_in(store) == before);
    CHECK(store.head() == Position{3});
    CHECK(store.version(site) == Version{2});
    CHECK(store.tracked("feed") == Tracking{"feed", 3, "half way"});
    CHECK(store.append(site, expect::exactly(2), {test::event("d")}).last_position == Position{4});
}

// Trap 14: a statement keyed by a number, or a name, that is only unique within a tenant.
TEST_CASE_METHOD(Contract, "the same type and id in two tenants are two streams", "[contract][append]") {
    auto store = open();
    const StreamId acme{"acme", "Site", "site-42"};
    const StreamId beta{"beta", "Site", "site-42"};
    test::seed(store, acme, {"a1", "a2"});
    test::seed(store, beta, {"b1"});
    test::seed(store, site, {"n1"});

    CHECK(store.version(acme) == Version{2});
    CHECK(store.version(beta) == Version{1});
    CHECK(store.version(site) == Version{1});
    CHECK(store.append(beta, expect::exactly(1), {test::event("b2")}).version == Version{2});
    CHECK(test::types_in(store, acme) == std::vector<std::string>{"a1", "a2"});
    CHECK(test::types_in(store, beta) == std::vector<std::string>{"b1", "b2"});
    CHECK(test::types_in(store, site) == std::vector<std::string>{"n1"});
    CHECK(test::types_in(store, all().tenant("acme")) == std::vector<std::string>{"a1", "a2"});
    CHECK(test::types_in(store, all().tenant("")) == std::vector<std::string>{"n1"});

    QueryItem only_beta;
    only_beta.tenant = "beta";
    only_beta.types = {"a1", "a2"};
    const auto append = Append{}.to(beta, expect::any, {test::event("b3")}).unless(Query{std::vector{only_beta}});
    CHECK(test::outcome<Appended>(store.try_append(append)).version == Version{3});

    // Event ids are unique over tenants.
    const auto one = test::event("c");
    store.append(acme, expect::any, {one});
    CHECK_THROWS_AS(store.try_append(beta, expect::any, {one}), IdConflict);
}
