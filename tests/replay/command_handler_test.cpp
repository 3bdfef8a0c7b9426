// handle(): decided on what it follows, again where another writer came between, and a cache that changes nothing.
#include "counter.hpp"
#include "sites.hpp"

#include <stele/schema/causation.hpp>
#include <stele/test/faulty_disk.hpp>

#include <atomic>
#include <barrier>
#include <set>
#include <thread>

namespace stele {
namespace {

using namespace test;
using Types = std::vector<std::string>;

const StreamId site{"Site", "site-1"};

TEST_CASE("a command is decided on the stream's state and what was decided is appended", "[replay][handle]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store};

    const auto created = sites.handle(site, CreateSite{"a.example"}, {.by = "user-7"});
    REQUIRE(created.appended);
    CHECK(created.appended->version == Version{1});
    CHECK(created.attempts == 1);
    CHECK(store.at(Position{1})->metadata.text() == R"({"actor":"user-7"})");

    CHECK_THROWS_AS(sites.handle(site, CreateSite{"b.example"}), SiteExists);
    CHECK(sites.handle(site, ChangeDomain{"b.example"}).appended->version == Version{2});
    CHECK(types_in(store, site) == Types{"SiteCreated", "DomainChanged"});
    CHECK(sites.load(site).state == load<Site>(store, site).state);
}

TEST_CASE("where nothing is decided nothing is appended", "[replay][handle]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store};
    CHECK_FALSE(sites.handle(site, DeleteSite{}).appended);
    CHECK(store.head() == Position{0});
    sites.handle(site, CreateSite{"a.example"});
    CHECK_FALSE(sites.handle(site, ChangeDomain{"a.example"}).appended);
    CHECK(store.head() == Position{1});
}

TEST_CASE("a function that takes the state does for a command", "[replay][handle]") {
    auto store = EventStore::temporary();
    const auto done = handle<Site>(store, site, [](const Site::State& state) {
        return std::vector<SiteCreated>(state.is_there ? 0 : 1, SiteCreated{"a.example"});
    });
    CHECK(done.appended->version == Version{1});
}

TEST_CASE("a stream of another aggregate type is refused", "[replay][handle]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store};
    CHECK_THROWS_WITH(sites.handle(StreamId{"Order", "1"}, DeleteSite{}),
                      "stream of decider Site: expected Site/…, found Order/1");
    CHECK_THROWS_WITH((CommandHandler<Site>{store, {.attempts = 0}}), "attempts: expected 1 or more, found 0");
}

// Another writer, who comes between reading and appending: as often as it is told to.
struct Meddling : Site {
    EventStore* store = nullptr;
    int* times = nullptr;
    [[nodiscard]] DomainChanged decide(const State& state, const ChangeDomain& change) const {
        if (*times > 0) {
            --*times;
            store->append(site, expect::any, {event(DomainChanged{"meddled.example"})});
        }
        return {change.domain + "/" + std::to_string(state.domains.size())};
    }
};

TEST_CASE("when another writer comes between it is decided again on what is new", "[replay][handle]") {
    auto store = EventStore::temporary();
    store.append(site, expect::none, {event(SiteCreated{"a.example"})});
    int times = 2;
    CommandHandler<Meddling> sites{store, {}, Meddling{{}, &store, &times}};

    const auto done = sites.handle(site, ChangeDomain{"b.example"});

    CHECK(done.attempts == 3);
    CHECK(done.appended->version == Version{4});
    CHECK(sites.load(site).state.domains ==
          Types{"a.example", "meddled.example", "meddled.example", "b.example/3"});
}

TEST_CASE("after so many conflicts it gives up and says how many there were", "[replay][handle]") {
    auto store = EventStore::temporary();
    store.append(site, expect::none, {event(SiteCreated{"a.example"})});
    int times = 100;
    CommandHandler<Meddling> sites{store, {.attempts = 4}, Meddling{{}, &store, &times}};
    try {
        sites.handle(site, ChangeDomain{"b.example"});
        FAIL("it did not give up");
    } catch (const TooManyConflicts& error) {
        CHECK(error.attempts() == 4);
        CHECK(error.facts().at("attempts") == 4);
        CHECK(error.code() == "conflict");
        CHECK_THAT(error.what(),
                   ContainsSubstring("append to Site/site-1: expected version 4, stream is at 5; nothing "
                                     "was written; decided 4 times, and other writers were quicker each "
                                     "time"));
        CHECK(std::holds_alternative<VersionConflict>(error.details()));
    }
    CHECK(store.version(site) == Version{5});
    CHECK_THROWS_AS(sites.handle(site, ChangeDomain{"b.example"}), Conflict);
}

TEST_CASE("who refuses or decides nothing on a state that is behind decides again", "[replay][handle]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> here{store};
    CommandHandler<Site> there{store};
    here.handle(site, CreateSite{"a.example"});
    there.handle(site, DeleteSite{});

    SECTION("a refusal that is out of date does not count") {
        CHECK(here.handle(site, CreateSite{"b.example"}).appended->version == Version{3});
    }
    SECTION("nor does a decision that nothing is to be done") {
        there.handle(site, CreateSite{"c.example"});
        CHECK(here.handle(site, ChangeDomain{"a.example"}).appended->version == Version{4});
    }
    SECTION("a refusal on the newest state does") {
        CHECK_THROWS_AS(here.handle(site, ChangeDomain{"b.example"}), NoSuchSite);
        CHECK(store.version(site) == Version{2});
    }
}

TEST_CASE("a handler inside its own decision is refused and does not wait for itself", "[replay][handle]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store};
    const auto nested = [&](const Site::State&) { sites.handle(site, CreateSite{"a.example"}); };
    try {
        sites.handle(site, nested);
        FAIL("it went through");
    } catch (const Error& error) {
        CHECK(error.code() == "nested_command");
    }
    sites.handle(site, CreateSite{"a.example"});  // the turn is free again
}

// ---- Repetition

TEST_CASE("a command that was handled before gives its first answer", "[replay][handle][L6]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store};
    const CommandOptions once{.id = EventId::generate()};
    const auto both = [](const Site::State&) { return std::tuple{SiteCreated{"a.example"}, SiteDeleted{}}; };
    const auto first = sites.handle(site, both, once);
    sites.handle(site, CreateSite{"b.example"});

    CommandHandler<Site> elsewhere{store};
    const auto again = elsewhere.handle(site, both, once);

    CHECK_FALSE(first.duplicate());
    CHECK(again.duplicate());
    CHECK(again.appended->first_position == first.appended->first_position);
    CHECK(again.appended->last_position == first.appended->last_position);
    CHECK(again.appended->version == first.appended->version);
    CHECK(store.version(site) == Version{3});
    CHECK_THROWS_WITH(sites.handle(StreamId{"Site", "other"}, both, once),
                      ContainsSubstring("id of the command: expected one that no other event has, found"));
}

TEST_CASE("a command handled elsewhere meanwhile gives the first answer whatever it decides",
          "[replay][handle][L6]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> one{store};
    CommandHandler<Site> other{store};
    one.handle(site, CreateSite{"a.example"});
    const bool is_cached = GENERATE(false, true);
    if (is_cached) (void)other.load(site);
    const CommandOptions once{.id = EventId::generate()};
    std::optional<Handled> first;
    const auto win = [&] {
        if (first) return;
        first = one.handle(
            site,
            [](const Site::State&) {
                return std::tuple{DomainChanged{"b.example"}, SiteDeleted{}};
            },
            once);
    };
    const auto lose = [&](const auto& decide) {
        return other.handle(
            site,
            [&](const Site::State&) {
                win();
                return decide();
            },
            once);
    };
    const auto require_first = [&](const Handled& handled) {
        CHECK(handled.duplicate());
        CHECK(handled.appended->first_position == first->appended->first_position);
        CHECK(handled.appended->version == Version{3});
    };

    SECTION("another event") {
        require_first(lose([] { return DomainChanged{"c.example"}; }));
    }
    SECTION("fewer events") {
        require_first(lose([] { return DomainChanged{"b.example"}; }));
    }
    SECTION("more events") {
        require_first(lose([] { return std::vector(3, DomainChanged{"b.example"}); }));
    }
    SECTION("nothing on a state that is behind") {
        if (is_cached) require_first(lose([] { return std::vector<DomainChanged>{}; }));
    }
    SECTION("a refusal on a state that is behind") {
        if (is_cached) require_first(lose([]() -> DomainChanged { throw NoSuchSite{}; }));
    }
    win();
    CHECK(store.version(site) == Version{3});
    CHECK(other.load(site).state == load<Site>(store, site).state);
}

TEST_CASE("an append whose outcome is unknown is repeated with the same ids", "[replay][handle][L6]") {
    FaultyDisk disk;
    Options options;
    options.sqlite_vfs = disk.vfs();
    auto store = EventStore::open(disk / "x.stele", options);
    CommandHandler<Site> sites{store};
    sites.handle(site, CreateSite{"a.example"});
    disk.fail({.op = Op::sync, .nth = 1, .file = "events.db-wal"});

    const auto done = sites.handle(site, ChangeDomain{"b.example"});

    CHECK(done.appended->version == Version{2});
    CHECK(types_in(store, site) == Types{"SiteCreated", "DomainChanged"});
    CHECK(sites.load(site).state == load<Site>(store, site).state);
}

TEST_CASE("a disk that fails for longer shows and a command with an id is safe to repeat", "[replay][handle][L6]") {
    FaultyDisk disk;
    Options options;
    options.sqlite_vfs = disk.vfs();
    const CommandOptions once{.id = EventId::generate()};
    {
        auto store = EventStore::open(disk / "x.stele", options);
        CommandHandler<Site> sites{store};
        sites.handle(site, CreateSite{"a.example"});
        disk.fail({.op = Op::sync, .nth = 1, .file = "events.db-wal"}, {.for_good = true});
        CHECK_THROWS_AS(sites.handle(site, ChangeDomain{"b.example"}, once), StoreError);
        disk.heal();
    }
    auto store = EventStore::open(disk / "x.stele", options);
    CommandHandler<Site> sites{store};
    for (int i = 0; i < 2; ++i)
        CHECK(sites.handle(site, ChangeDomain{"b.example"}, once).appended->version == Version{2});
    CHECK(types_in(store, site) == Types{"SiteCreated", "DomainChanged"});
}

// ---- The cache

TEST_CASE("a cached state evolves by the events of its own appends without reading", "[replay][handle][cache]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store};
    sites.handle(site, CreateSite{"a.example"});
    for (int i = 0; i < 20; ++i) sites.handle(site, ChangeDomain{"d" + std::to_string(i)});

    CHECK(sites.cache().misses == 1);
    CHECK(sites.cache().hits == 20);
    CHECK(sites.cache().entries == 1);
    CHECK(sites.load(site).state == load<Site>(store, site).state);
    CHECK(sites.load(site).version == Version{21});
}

// Keeps every envelope that it was shown.
struct Witness {
    static constexpr auto name = "Witness";
    using events = Events<SiteDeleted>;
    struct State {
        std::vector<Event> seen;
    };
    static State evolve(State state, const SiteDeleted&, const Envelope& event) {
        state.seen.push_back(event);
        return state;
    }
    static State evolve(State state, const Event& event) {
        state.seen.push_back(event);
        return state;
    }
};

TEST_CASE("what a cached state sees of its own events is what a read gives", "[replay][handle][cache][P3]") {
    auto store = EventStore::temporary();
    store.append(StreamId{"Other", "1"}, expect::none, {event("Noted"), event("Noted")});
    CommandHandler<Witness> sites{store};
    sites.handle(site, [](const Witness::State&) {
        return std::vector{event(SiteDeleted{}),
                           event("Noted", {{"x", 1.5}, {"y", nullptr}}).by("ann").tag("b").tag("a").schema(7),
                           event("Noted").at(parse_rfc3339("2020-01-02T03:04:05.123456Z"))};
    });
    sites.handle(site, [](const Witness::State&) { return SiteDeleted{}; },
                 {.by = "bob", .id = EventId::generate()});

    const auto cached = sites.load(site).state.seen;
    CHECK(sites.cache().misses == 1);
    CHECK(cached.size() == 4);
    CHECK(cached == load<Witness>(store, site).state.seen);
}

TEST_CASE("what is decided while an event is handled names its cause, in the cached state too",
          "[replay][handle][cache][causation]") {
    auto store = EventStore::temporary();
    store.append(StreamId{"Other", "1"}, expect::none, {event("Asked")});
    const auto asked = *store.at(Position{1});
    CommandHandler<Witness> sites{store};
    {
        const CausationScope scope{asked};
        sites.handle(site, [](const Witness::State&) { return SiteDeleted{}; });
    }
    const auto cached = sites.load(site).state.seen;
    CHECK(sites.cache().misses == 1);
    CHECK(cached == load<Witness>(store, site).state.seen);
    CHECK(cached.at(0).metadata.value().at("causation_id") == asked.id.to_string());
}

TEST_CASE("a cache holds so many states and no more and is right all the same", "[replay][handle][cache]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store, {.cache = {.entries = 3}}};
    const auto id = [](int i) { return StreamId{"Site", std::to_string(i)}; };
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 5; ++i) {
            if (round == 0) sites.handle(id(i), CreateSite{"a"});
            sites.handle(id(i), ChangeDomain{"r" + std::to_string(round)});
        }
    }
    CHECK(sites.cache().entries == 3);
    CHECK(sites.cache().evictions == 12);
    for (int i = 0; i < 5; ++i) CHECK(sites.load(id(i)).state == load<Site>(store, id(i)).state);
}

TEST_CASE("without a cache every command reads", "[replay][handle][cache]") {
    auto store = EventStore::temporary();
    CommandHandler<Site> sites{store, {.cache = {.entries = 0}}};
    sites.handle(site, CreateSite{"a"});
    sites.handle(site, ChangeDomain{"b"});
    CHECK(sites.cache().hits == 0);
    CHECK(sites.cache().misses == 2);
    CHECK(sites.cache().entries == 0);
}

// An evolution that fails half way, for what a decision made.
struct Fragile : Site {
    static State evolve(State state, const SiteCreated& created, const Envelope& event) {
        return Site::evolve(std::move(state), created, event);
    }
    static State evolve(State state, const DomainChanged& changed, const Envelope& event) {
        if (changed.domain == "bad") throw std::runtime_error{"bad domain"};
        return Site::evolve(std::move(state), changed, event);
    }
    static State evolve(State state, const SiteDeleted& deleted) { return Site::evolve(std::move(state), deleted); }
};

TEST_CASE("an event that cannot be taken in is appended and shows at the next command", "[replay][handle][cache]") {
    auto store = EventStore::temporary();
    CommandHandler<Fragile> sites{store};
    sites.handle(site, CreateSite{"a"});
    CHECK(sites.handle(site, ChangeDomain{"bad"}).appended->version == Version{2});
    CHECK_THROWS_WITH(sites.handle(site, ChangeDomain{"b"}),
                      ContainsSubstring("version 2") && ContainsSubstring("bad domain"));
    CHECK(sites.cache().entries == 0);
}

// ---- Races

TEST_CASE("threads that share a handler never make each other decide again", "[replay][handle][race]") {
    constexpr int threads = 16;
    constexpr int commands = 40;
    auto store = EventStore::temporary(quick());
    CommandHandler<Counter> counters{store, {.attempts = 1}};
    const std::array streams{StreamId{"Counter", "a"}, StreamId{"Counter", "b"}};
    std::barrier start{threads};
    {
        std::vector<std::jthread> racers;
        for (int i = 0; i < threads; ++i) {
            racers.emplace_back([&, i] {
                start.arrive_and_wait();
                for (int n = 0; n < commands; ++n) {
                    counters.handle(streams.at(static_cast<std::size_t>((i + n) % 2)), 1);
                    (void)counters.load(streams.at(static_cast<std::size_t>(i % 2)));
                }
            });
        }
    }
    for (const auto& stream : streams) require_counted(store, stream, threads * commands / 2);
    CHECK(counters.load(streams[0]).state.n == threads * commands / 2);
}

TEST_CASE("handlers of their own race for a stream and lose no command", "[replay][handle][race]") {
    constexpr int threads = 8;
    constexpr int commands = 25;
    auto store = EventStore::temporary(quick());
    const StreamId stream{"Counter", "a"};
    std::barrier start{threads};
    {
        std::vector<std::jthread> racers;
        for (int i = 0; i < threads; ++i) {
            racers.emplace_back([&] {
                CommandHandler<Counter> counters{store, {.attempts = 10'000}};
                start.arrive_and_wait();
                for (int n = 0; n < commands; ++n) counters.handle(stream, 1);
            });
        }
    }
    require_counted(store, stream, threads * commands);
}

TEST_CASE("one command sent by many at once is done once", "[replay][handle][race][L6]") {
    constexpr int threads = 8;
    auto store = EventStore::temporary(quick());
    const StreamId stream{"Counter", "a"};
    const CommandOptions once{.id = EventId::generate()};
    std::barrier start{threads};
    std::atomic<int> first{0};
    {
        std::vector<std::jthread> racers;
        for (int i = 0; i < threads; ++i) {
            racers.emplace_back([&] {
                CommandHandler<Counter> counters{store};
                start.arrive_and_wait();
                if (!counters.handle(stream, 1, once).duplicate()) ++first;
            });
        }
    }
    CHECK(first == 1);
    CHECK(store.version(stream) == Version{1});
}

TEST_CASE("one command of which each decides something else is done once", "[replay][handle][race][L6]") {
    constexpr int threads = 4;
    constexpr int rounds = 10;
    auto store = EventStore::temporary(quick());
    std::array<EventId, rounds> ids;
    for (auto& id : ids) id = EventId::generate();
    std::barrier start{threads};
    std::atomic<int> first{0};
    std::atomic<int> duplicates{0};
    {
        std::vector<std::jthread> racers;
        for (int i = 0; i < threads; ++i) {
            racers.emplace_back([&, i] {
                CommandHandler<Site> sites{store};
                for (const auto& id : ids) {
                    start.arrive_and_wait();
                    const auto decide = [i](const Site::State&) { return DomainChanged{std::to_string(i)}; };
                    const bool again = sites.handle(site, decide, {.id = id}).duplicate();
                    ++(again ? duplicates : first);
                }
            });
        }
    }
    CHECK(first == rounds);
    CHECK(duplicates == rounds * (threads - 1));
    CHECK(store.version(site) == Version{rounds});
}

}  // namespace
}  // namespace stele
