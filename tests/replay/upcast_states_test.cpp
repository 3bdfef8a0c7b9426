// States over upcasters: a cached state is what a read gives, and a snapshot belongs to the upcasters it was made
// with.
#include "sites.hpp"

#include <stele/replay/decision.hpp>
#include <stele/schema/event_types.hpp>
#include <stele/test/temporary_folder.hpp>

namespace stele {
namespace {

using namespace test;

const StreamId site{"Site", "site-1"};

std::shared_ptr<const EventTypes> shared(EventTypes types) {
    return std::make_shared<const EventTypes>(std::move(types));
}

// What was called SiteMoved is DomainChanged; Restarted is split in two; Noted is dropped.
EventTypes todays_types(const std::string& prefix) {
    EventTypes types;
    types.rename("SiteMoved", "DomainChanged");
    types.upcast_into({"Restarted", 1}, {{"SiteDeleted", 1}, {"SiteCreated", 1}},
                      [prefix](const nlohmann::json& data) {
                          return std::vector<Upcast>{
                              {{"SiteDeleted", 1}, nlohmann::json::object()},
                              {{"SiteCreated", 1}, {{"domain", prefix + data.at("domain").get<std::string>()}}}};
                      });
    types.upcast("Noted", 1, [](const nlohmann::json&) { return std::optional<nlohmann::json>{}; });
    types.revision(prefix);
    return types;
}

Options with(EventTypes types) {
    Options options;
    options.durability = Durability::relaxed;
    options.event_types = shared(std::move(types));
    return options;
}

std::vector<NewEvent> of(std::initializer_list<NewEvent> events) { return events; }

TEST_CASE("a cached state sees its own events upcast as a read gives them", "[replay][handle][upcast]") {
    auto store = EventStore::temporary(with(todays_types("")));
    CommandHandler<Site> sites{store};
    const auto append = [&](std::vector<NewEvent> events) {
        return sites.handle(site, [&](const Site::State&) { return events; });
    };
    append(of({event(SiteCreated{"a"}), event("SiteMoved", {{"domain", "b"}}), event("Noted")}));
    append(of({event("Restarted", {{"domain", "c"}})}));
    append(of({event("SiteMoved", {{"domain", "d"}})}));

    const auto folded = load<Site>(store, site);
    CHECK(folded.state == Site::State{true, {"c", "d"}, 5});
    CHECK(sites.load(site).state == folded.state);
    CHECK(sites.cache().misses == 1);
    CHECK(sites.load(site).version == Version{5});
}

TEST_CASE("a stream that ends with events nothing is made of can be written to", "[replay][handle][upcast]") {
    auto store = EventStore::temporary(with(todays_types("")));
    store.append(site, expect::none, of({event(SiteCreated{"a"}), event("Noted"), event("Noted")}));
    CommandHandler<Site> sites{store};
    CHECK(sites.handle(site, ChangeDomain{"b"}).appended->version == Version{4});
    CHECK(sites.handle(site, ChangeDomain{"c"}).attempts == 1);

    const StreamId empty{"Site", "site-2"};
    store.append(empty, expect::none, of({event("Noted")}));
    CHECK(sites.handle(empty, CreateSite{"a"}).appended->version == Version{2});
}

TEST_CASE("a stream that ends with events nothing is made of costs no attempt", "[replay][handle][upcast]") {
    auto store = EventStore::temporary(with(todays_types("")));
    store.append(site, expect::none, of({event(SiteCreated{"a"}), event("Noted"), event("Noted")}));
    CHECK(load<Site>(store, site).version == Version{3});
    CHECK(load<Site>(store, site).position == Position{3});

    CommandHandler<Site> sites{store, {.attempts = 1}};
    CHECK(sites.handle(site, ChangeDomain{"b"}).appended->version == Version{4});
    store.append(site, expect::any, of({event("Noted")}));
    CHECK_THROWS_AS(sites.handle(site, ChangeDomain{"c"}), TooManyConflicts);  // the cached state was behind
    CHECK(sites.handle(site, ChangeDomain{"c"}).appended->version == Version{6});
    store.append(site, expect::any, of({event("Noted")}));
    CHECK(sites.load(site).version == Version{7});
    CHECK(handle<Site>(store, site, ChangeDomain{"d"}).attempts == 1);
}

TEST_CASE("a command of whose events nothing is made gives its first answer", "[replay][handle][upcast][L6]") {
    auto store = EventStore::temporary(with(todays_types("")));
    CommandHandler<Site> sites{store};
    sites.handle(site, CreateSite{"a"});
    std::vector<NewEvent> decided;
    SECTION("of the first") { decided = of({event("Noted"), event("SiteMoved", {{"domain", "b"}})}); }
    SECTION("of the last") { decided = of({event("SiteMoved", {{"domain", "b"}}), event("Noted")}); }
    SECTION("of all") { decided = of({event("Noted"), event("Noted")}); }
    const CommandOptions once{.id = EventId::generate()};
    const auto first = sites.handle(
        site, [&](const Site::State&) { return decided; }, once);
    sites.handle(site, ChangeDomain{"c"});

    for (const auto* actor : {"", "user-1"}) {  // the same content, and another
        if (*actor != '\0') decided.front().by(actor);
        const auto again = handle<Site>(
            store, site, [&](const Site::State&) { return decided; }, once);
        CHECK(again.duplicate());
        CHECK(again.appended->first_position == first.appended->first_position);
        CHECK(again.appended->last_position == first.appended->last_position);
        CHECK(again.appended->version == Version{3});
    }
    CHECK(store.version(site) == Version{4});
}

TEST_CASE("a command of which upcasters drop the first event and that is refused now gives its first answer",
          "[replay][handle][upcast][L6]") {
    auto store = EventStore::temporary(with(todays_types("")));
    CommandHandler<Site> sites{store};
    const auto create = [](const Site::State& state) {
        return std::tuple{event("Noted"), Site::decide(state, CreateSite{"a"})};
    };
    const CommandOptions once{.id = EventId::generate()};
    const auto first = sites.handle(site, create, once);

    const auto again = sites.handle(site, create, once);  // from the cache
    const auto elsewhere = handle<Site>(store, site, create, once);

    for (const auto& answer : {again, elsewhere}) {
        CHECK(answer.duplicate());
        CHECK(answer.appended->first_position == first.appended->first_position);
        CHECK(answer.appended->last_position == first.appended->last_position);
        CHECK(answer.appended->version == Version{2});
        CHECK(answer.appended->recorded_at == first.appended->recorded_at);
    }
    CHECK_THROWS_AS(sites.handle(site, create, {.id = EventId::generate()}), SiteExists);
    CHECK(store.version(site) == Version{2});
}

struct Anything {
    static constexpr auto name = "Anything";
    struct State {};
    static State evolve(State state, const Event&) { return state; }
};

struct Counted {
    static constexpr auto name = "Counted";
    static constexpr int version = 1;
    using State = int;
    static State evolve(State state, const Event&) { return state + 1; }
};

struct CountOf {
    std::string aggregate_type;
    using State = int;
    [[nodiscard]] Query query() const { return Query{{{.aggregate_type = aggregate_type}}}; }
    [[nodiscard]] static State evolve(State count, const Event&) { return count + 1; }
};

TEST_CASE("a command repeated after its aggregate type was renamed gives its first answer",
          "[replay][handle][upcast][L6]") {
    const TemporaryFolder folder;
    const auto path = folder / "x.stele";
    const StreamId before{"Website", "1"};
    const StreamId today{"Site", "1"};
    const auto decide = [](const Anything::State&) { return of({event("Noted"), event("Said")}); };
    const CommandOptions once{.id = EventId::generate()};
    {
        auto store = EventStore::open(path);
        CHECK_FALSE(handle<Anything>(store, before, decide, once).duplicate());
    }
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    SECTION("and its first event is dropped") {
        types.upcast("Noted", 1, [](const nlohmann::json&) { return std::optional<nlohmann::json>{}; });
    }
    auto store = EventStore::open(path, with(std::move(types)));
    for (const auto& stream : {before, today}) {
        const auto again = handle<Anything>(store, stream, decide, once);
        CHECK(again.duplicate());
        CHECK(again.appended->version == Version{2});
    }
    CHECK(store.head() == Position{2});
}

TEST_CASE("an aggregate whose type was renamed has snapshots under any of its names",
          "[replay][snapshots][upcast]") {
    const TemporaryFolder folder;
    const auto path = folder / "x.stele";
    const StreamId before{"Website", "1"};
    {
        auto store = EventStore::open(path);
        store.append(before, expect::none, of({event("Noted"), event("Noted")}));
    }
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    auto store = EventStore::open(path, with(std::move(types)));
    for (const auto& stream : {StreamId{"Site", "1"}, before}) {
        Snapshots snapshots{store, {.every = 1}};
        CommandHandler<Counted> handler{store};
        handler.keep_snapshots_in(snapshots);
        CHECK(handler.load(stream).version == Version{2});
        CHECK(snapshots.counts().failures == 0);
        INFO("kept or found for " << stream);
        CHECK((stream == before ? snapshots.counts().found : snapshots.counts().kept) == 1);
    }
}

TEST_CASE("a decision that names an aggregate type by a name of before sees its events",
          "[replay][decide][upcast]") {
    const TemporaryFolder folder;
    const auto path = folder / "x.stele";
    {
        auto store = EventStore::open(path);
        store.append(StreamId{"Website", "1"}, expect::none, of({event("Noted"), event("Noted")}));
    }
    EventTypes types;
    types.rename_aggregate("Website", "Site");
    auto store = EventStore::open(path, with(std::move(types)));
    for (const auto* name : {"Website", "Site"}) {
        INFO(name);
        int seen = 0;
        decide(store, StreamId{"Audit", name}, model(CountOf{name}), [&](int count) {
            seen = count;
            return of({event("Counted")});
        });
        CHECK(seen == 2);
    }
}

TEST_CASE("snapshots are of the upcasters that they were made with", "[replay][snapshots][upcast]") {
    auto first = EventStore::temporary(with(todays_types("one.")));
    first.append(site, expect::none,
                 of({event("Restarted", {{"domain", "a"}}), event("SiteMoved", {{"domain", "b"}})}));
    const auto domains = [](EventStore& store, SnapshotCounts& counts) {
        Snapshots snapshots{store, {.every = 1}};
        CommandHandler<Site> sites{store};
        sites.keep_snapshots_in(snapshots);
        auto found = sites.load(site).state.domains;
        counts = snapshots.counts();
        return found;
    };
    SnapshotCounts counts;
    CHECK(domains(first, counts) == std::vector<std::string>{"one.a", "b"});
    CHECK(counts.kept == 1);
    CHECK(domains(first, counts) == std::vector<std::string>{"one.a", "b"});
    CHECK(counts.found == 1);

    auto second = EventStore::open(first.name(), with(todays_types("two.")));
    CHECK(domains(second, counts) == std::vector<std::string>{"two.a", "b"});
    CHECK(counts.found == 0);
}

}  // namespace
}  // namespace stele
