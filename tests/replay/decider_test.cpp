// Deciders by themselves: what a decision may return, what a fold takes in, what it says of an event that does not
// fit.
#include "history.hpp"
#include "sites.hpp"

namespace stele {
namespace {

using namespace test;
using Types = std::vector<std::string>;

const StreamId site{"Site", "site-1"};

TEST_CASE("a fold by a decider takes each event by the overload of its type", "[replay][decider]") {
    const auto events = history(site, {{"SiteCreated", {{"domain", "a.example"}}},
                                       {"Noted", {}},
                                       {"DomainChanged", {{"domain", "b.example"}}},
                                       {"SiteDeleted", {}}});
    const auto state = fold<Site>(events);
    CHECK(state == Site::State{false, {"a.example", "b.example"}, 31});
    CHECK(fold<Site>(std::vector<Event>{}) == Site::State{});
}

TEST_CASE("an event that cannot be taken in is named together with its decider", "[replay][decider]") {
    const auto events = history(site, {{"SiteCreated", {{"domain", 5}}}});
    CHECK_THROWS_WITH(fold<Site>(events),
                      "decider Site: Site/site-1: version 1, position 11, SiteCreated v1: "
                      "/domain: expected string, found 5");
    CHECK_THROWS_AS(fold<Site>(events), ReplayError);
}

// Answers whatever it is asked, in every form.
struct Forms {
    static constexpr auto name = "Forms";
    using events = Events<SiteDeleted>;
    struct State {};
    static State evolve(State state, const SiteDeleted&) { return state; }

    static SiteDeleted decide(const State&, int) { return {}; }
    static NewEvent decide(const State&, char) { return event("Said").tag("t").schema(3); }
    static std::tuple<SiteCreated, std::optional<SiteDeleted>, SiteDeleted> decide(const State&, long) {
        return {{"a"}, std::nullopt, {}};
    }
    using Either = std::variant<std::monostate, SiteCreated, SiteDeleted>;
    static std::vector<Either> decide(const State&, short) {
        return {SiteDeleted{}, std::monostate{}, SiteCreated{}};
    }
    static Either decide(const State&, bool) { return std::monostate{}; }
    static std::pair<std::vector<NewEvent>, std::array<SiteDeleted, 2>> decide(const State&, double) { return {}; }
    static void decide(const State&, float) {}
};

TEST_CASE("a decision returns events in whatever form suits it", "[replay][decider]") {
    const Forms::State state;
    CHECK(types_of(decide<Forms>(state, 1)) == Types{"SiteDeleted"});
    const auto said = decide<Forms>(state, 'c');
    CHECK(types_of(said) == Types{"Said"});
    CHECK(said[0].tags == Types{"t"});
    CHECK(said[0].schema_version == 3);
    CHECK(types_of(decide<Forms>(state, 1L)) == Types{"SiteCreated", "SiteDeleted"});
    CHECK(types_of(decide<Forms>(state, short{1})) == Types{"SiteDeleted", "SiteCreated"});
    CHECK(decide<Forms>(state, true).empty());
    CHECK(types_of(decide<Forms>(state, 1.0)) == Types{"SiteDeleted", "SiteDeleted"});
    CHECK(decide<Forms>(state, 1.0F).empty());
    CHECK(types_of(decide<Forms>(state, [](const Forms::State&) { return SiteCreated{}; })) ==
          Types{"SiteCreated"});
}

TEST_CASE("each event that is decided has an id of its own", "[replay][decider]") {
    const auto events = decide<Forms>({}, 1.0);
    CHECK(events[0].id != events[1].id);
    CHECK_FALSE(events[0].id.is_nil());
}

// Members of its own, a beginning of its own, and events as they are stored.
struct Counting {
    static constexpr auto name = "Counting";
    struct State {
        explicit State(int from) : n(from) {}
        int n;
    };
    int begin = 0;
    [[nodiscard]] State initial() const { return State{begin}; }
    static State evolve(State state, const Event& event) {
        if (event.type == "Bad") throw std::runtime_error{"bad"};
        ++state.n;
        return state;
    }
    [[nodiscard]] NewEvent decide(const State& state, int) const { return event("Counted", {{"n", state.n}}); }
};

TEST_CASE("a decider may have members and a beginning and take any event", "[replay][decider]") {
    const Counting from_seven{7};
    CHECK(fold<Counting>(history(site, {{"A", {}}, {"B", {}}}), from_seven).n == 9);
    CHECK(decide<Counting>(Counting::State{3}, 0)[0].data.text() == R"({"n":3})");
    CHECK_THROWS_WITH(fold<Counting>(history(site, {{"Bad", {}}})),
                      ContainsSubstring("decider Counting: Site/site-1: version 1") && ContainsSubstring(": bad"));
}

// One template for all that is listed, and events that are not listed as they are stored.
struct Tally {
    static constexpr auto name = "Tally";
    using events = Events<SiteCreated, SiteDeleted>;
    struct State {
        int listed = 0;
        int others = 0;
    };
    static State evolve(State state, const auto& /*event*/, const Envelope&) {
        ++state.listed;
        return state;
    }
    static State evolve(State state, const Event&) {
        ++state.others;
        return state;
    }
};

TEST_CASE("one template may take several events and a plain overload all others", "[replay][decider]") {
    const auto state = fold<Tally>(
        history(site, {{"SiteCreated", {{"domain", "a"}}}, {"Noted", {}}, {"SiteDeleted", {}}, {"Noted", {}}}));
    CHECK(state.listed == 2);
    CHECK(state.others == 2);
}

TEST_CASE("load folds the stream and says how far it has come", "[replay][decider]") {
    auto store = EventStore::temporary();
    store.append(StreamId{"Other", "1"}, expect::none, {event("Noted")});
    CHECK(load<Site>(store, site).version == Version{0});
    store.append(site, expect::none, {event(SiteCreated{"a.example"}), event(DomainChanged{"b.example"})});

    const auto loaded = load<Site>(store, site);
    CHECK(loaded.state == Site::State{true, {"a.example", "b.example"}, 3});
    CHECK(loaded.version == Version{2});
    CHECK(loaded.position == Position{3});
    CHECK_THROWS_WITH(load<Site>(store, StreamId{"Other", "1"}),
                      "stream of decider Site: expected Site/…, found Other/1");
}

}  // namespace
}  // namespace stele
