// Snapshots: a load that begins at one ends where a fold from the first event ends, and nothing depends on any.
#include "sites.hpp"

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/snapshot_replay.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/random.hpp>
#include <stele/test/temporary_folder.hpp>

#include <sqlite3.h>

#include <barrier>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

namespace stele {
namespace {

using namespace test;

const StreamId site{"Site", "site-1"};
const FoldDefinition first_definition{"Site", "Site version 1"};

Options quick() {
    Options options;
    options.durability = Durability::relaxed;
    return options;
}

void change_domains(EventStore& store, int times) {
    std::vector<NewEvent> events;
    for (int i = 0; i < times; ++i) events.push_back(event(DomainChanged{"d" + std::to_string(i)}));
    store.append(site, expect::any, events);
}

// A site of so many changes.
EventStore store_with(int changes) {
    auto store = EventStore::temporary(quick());
    store.append(site, expect::none, {event(SiteCreated{"a.example"})});
    if (changes > 0) change_domains(store, changes);
    return store;
}

// As a program that has just been started.
Loaded<Site::State> loaded(EventStore& store, Snapshots& snapshots) {
    CommandHandler<Site> sites{store};
    sites.keep_snapshots_in(snapshots);
    return sites.load(site);
}

void require_folded(EventStore& store, Snapshots& snapshots) {
    const auto resumed = loaded(store, snapshots);
    const auto folded = load<Site>(store, site);
    CHECK(resumed.state == folded.state);
    CHECK(resumed.version == folded.version);
    CHECK(resumed.position == folded.position);
}

void run_sql(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner{db, sqlite3_close};
    REQUIRE(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
}

TEST_CASE("a load goes on from the snapshot and ends where a whole fold ends", "[replay][snapshots]") {
    auto store = store_with(24);
    Snapshots snapshots{store, {.every = 10}};
    CHECK_FALSE(std::filesystem::exists(snapshots.file()));
    require_folded(store, snapshots);
    CHECK(snapshots.counts().kept == 1);
    change_domains(store, 5);
    require_folded(store, snapshots);
    CHECK(snapshots.counts().found == 1);
    CHECK(snapshots.counts().kept == 1);  // it had gone on by five events only
    CHECK(snapshots.file().parent_path() == store.models_folder().parent_path());
}

// Deletes all of them and compares.
TEST_CASE("nothing depends on snapshots", "[replay][snapshots]") {
    auto store = store_with(100);
    Snapshots snapshots{store, {.every = 10}};
    require_folded(store, snapshots);
    change_domains(store, 3);
    const auto with = loaded(store, snapshots);

    SECTION("cleared") { snapshots.clear(); }
    SECTION("file deleted while it is open") { std::filesystem::remove(snapshots.file()); }
    SECTION("file of another kind") {
        std::ofstream{snapshots.file(), std::ios::trunc} << "this is no database at all";
    }
    SECTION("file damaged") {
        const auto size = std::filesystem::file_size(snapshots.file());
        std::fstream file{snapshots.file(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(100);
        file << std::string(size - 100, '\x5a');
    }
    SECTION("file of no format") { run_sql(snapshots.file(), "PRAGMA user_version = -7"); }
    SECTION("tables gone") { run_sql(snapshots.file(), "DROP TABLE snapshots"); }
    SECTION("state changed behind our back") {
        run_sql(snapshots.file(), "UPDATE snapshots SET state = replace(state, 'a.example', 'z.example')");
    }
    SECTION("state that is no state") {
        run_sql(snapshots.file(), "UPDATE snapshots SET state = '[1]', checksum = 0");
    }

    Snapshots anew{store, {.every = 10}};
    for (auto* each : {&snapshots, &anew}) {
        require_folded(store, *each);
        CHECK(loaded(store, *each).state == with.state);
    }
    CHECK(anew.counts().found > 0);  // one was made again
}

TEST_CASE("a file of a newer Stele is left alone", "[replay][snapshots]") {
    auto store = store_with(30);
    std::filesystem::path file;
    {
        Snapshots snapshots{store, {.every = 10}};
        require_folded(store, snapshots);
        file = snapshots.file();
    }
    run_sql(file, "PRAGMA user_version = 7");
    const auto size = std::filesystem::file_size(file);

    Snapshots snapshots{store, {.every = 10}};
    require_folded(store, snapshots);

    CHECK(snapshots.counts().found == 0);
    CHECK(snapshots.counts().kept == 0);
    CHECK_THAT(snapshots.counts().failure, ContainsSubstring("expected format 1 or before, found 7"));
    run_sql(file, "SELECT state FROM snapshots");
    CHECK(std::filesystem::file_size(file) == size);
}

TEST_CASE("a damaged file that another writes to is left to it and its journal too", "[replay][snapshots]") {
    auto store = store_with(30);
    Snapshots snapshots{store, {.every = 10}};
    require_folded(store, snapshots);
    const auto journal = snapshots.file().string() + "-journal";
    run_sql(snapshots.file(), "DROP TABLE snapshots");
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(snapshots.file().c_str(), &db) == SQLITE_OK);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> other{db, sqlite3_close};
    REQUIRE(sqlite3_exec(db, "BEGIN IMMEDIATE; CREATE TABLE mine (a)", nullptr, nullptr, nullptr) == SQLITE_OK);
    REQUIRE(std::filesystem::exists(journal));

    Snapshots anew{store, {.every = 10}};
    require_folded(store, anew);

    CHECK(anew.counts().failures > 0);
    CHECK(std::filesystem::exists(journal));
    CHECK(sqlite3_exec(db, "COMMIT; SELECT * FROM mine", nullptr, nullptr, nullptr) == SQLITE_OK);
    require_folded(store, anew);
    require_folded(store, anew);
    CHECK(anew.counts().found > 0);  // nobody is in the way any more
}

TEST_CASE("a row that came to another definition is passed over", "[replay][snapshots]") {
    auto store = store_with(1);
    Snapshots snapshots{store};
    const auto state = [](int n) {
        return Snapshot{Version{1}, Position{1}, JsonText::parse("{\"n\":" + std::to_string(n) + "}")};
    };
    snapshots.keep({"a", "a 1"}, site, state(1));
    snapshots.keep({"b", "b 1"}, site, state(2));
    REQUIRE(snapshots.find({"a", "a 1"}, site)->state.text() == R"({"n":1})");
    run_sql(snapshots.file(), "DELETE FROM snapshots WHERE definition = 1; UPDATE snapshots SET definition = 1");
    CHECK_FALSE(snapshots.find({"a", "a 1"}, site));
    CHECK(snapshots.counts().passed_over == 1);
}

TEST_CASE("a file that is locked or cannot be made is done without", "[replay][snapshots]") {
    auto store = store_with(30);
    Snapshots snapshots{store, {.every = 10}};
    SECTION("locked") {
        require_folded(store, snapshots);
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(snapshots.file().c_str(), &db) == SQLITE_OK);
        const std::unique_ptr<sqlite3, int (*)(sqlite3*)> owner{db, sqlite3_close};
        REQUIRE(sqlite3_exec(db, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr) == SQLITE_OK);
        require_folded(store, snapshots);
        CHECK_THAT(snapshots.counts().failure, ContainsSubstring("locked"));
        CHECK(std::filesystem::exists(snapshots.file()));
    }
    SECTION("a folder stands there") {
        std::filesystem::create_directory(snapshots.file());
        std::ofstream{snapshots.file() / "something"} << "that keeps it from being removed";
        require_folded(store, snapshots);
        CHECK(snapshots.counts().failures > 0);
    }
    CHECK(snapshots.counts().found == 0);
}

// Goal:   a read or a write that fails, of the log or of the snapshots, takes no snapshot that was kept.
// Method: one snapshot is kept; another is looked for and kept while the n-th operation fails, until none does.
TEST_CASE("a disk that fails once costs no snapshot", "[replay][snapshots][fault]") {
    FaultyDisk disk{{.models_power = false, .is_default = true, .root = {}}};
    const auto options = [&] {
        auto chosen = quick();
        chosen.sqlite_vfs = disk.vfs();
        return chosen;
    }();
    const auto path = (disk / "x.stele").string();
    const Snapshot kept{Version{5}, Position{5}, JsonText::parse("{}", "state")};
    const Snapshot next{Version{6}, Position{6}, JsonText::parse("{}", "state")};
    {
        auto store = EventStore::open(path, options);
        change_domains(store, 10);
        Snapshots{store}.keep(first_definition, site, kept);
    }
    const auto [op, file] =
        GENERATE(table<Op, std::string>({{Op::read, "events.db"},
                                         {Op::read | Op::lock, "snapshots.db"},
                                         {Op::write | Op::truncate, "snapshots.db"},
                                         {Op::open | Op::write | Op::remove, "snapshots.db-journal"}}));
    bool untouched = false;
    int nth = 1;
    for (; !untouched; ++nth) {
        CAPTURE(file, nth);
        auto store = EventStore::open(path, options);
        {
            Snapshots snapshots{store};
            disk.fail({.op = op, .nth = nth, .file = file});
            try {
                (void)snapshots.find(first_definition, site);
                snapshots.keep(first_definition, site, next);
            } catch (const StoreError&) {
                CHECK(file == "events.db");
            }
            untouched = !disk.hit();
            disk.heal();
        }
        REQUIRE(Snapshots{store}.find(first_definition, site, Version{5}));
    }
    CHECK(nth > 2);  // the fault did strike
}

struct SecondSite : Site {
    static constexpr int version = 2;
    static State evolve(State state, const SiteCreated& created, const Envelope& event) {
        return Site::evolve(std::move(state), created, event);
    }
    static State evolve(State state, const DomainChanged& changed, const Envelope&) {
        state.domains = {changed.domain};  // the last one alone
        return state;
    }
    static State evolve(State state, const SiteDeleted& deleted) { return Site::evolve(std::move(state), deleted); }
};
TEST_CASE("snapshots of another version of the state are not looked at and are cleared away",
          "[replay][snapshots]") {
    auto store = store_with(20);
    Snapshots snapshots{store, {.every = 5}};
    require_folded(store, snapshots);
    CommandHandler<SecondSite> second{store};
    second.keep_snapshots_in(snapshots);
    CHECK(second.load(site).state.domains == std::vector<std::string>{"d19"});
    CHECK(snapshots.counts().found == 0);
    CHECK(snapshots.counts().kept == 2);
    (void)loaded(store, snapshots);
    CHECK(snapshots.counts().found == 0);
}

// The same name and version, and a State that cannot be read from what the other wrote.
struct Careless {
    static constexpr auto name = "Site";
    static constexpr int version = 1;
    using events = Events<SiteCreated>;
    struct State {
        std::vector<int> numbers;
        NLOHMANN_DEFINE_TYPE_INTRUSIVE(State, numbers)
    };
    static State evolve(State state, const SiteCreated&) {
        state.numbers.push_back(1);
        return state;
    }
};
TEST_CASE("a snapshot that a state cannot be read from is removed", "[replay][snapshots]") {
    auto store = store_with(20);
    Snapshots snapshots{store, {.every = 5}};
    require_folded(store, snapshots);
    CommandHandler<Careless> careless{store};
    careless.keep_snapshots_in(snapshots);
    CHECK(careless.load(site).state.numbers == std::vector<int>{1});
    CHECK(snapshots.counts().passed_over == 1);
}

TEST_CASE("snapshots of another log are passed over", "[replay][snapshots]") {
    auto one = store_with(20);
    Snapshots of_one{one, {.every = 5}};
    require_folded(one, of_one);
    auto other = EventStore::temporary(quick());
    other.append(site, expect::none, {event(SiteCreated{"other.example"})});
    change_domains(other, 30);
    Snapshots of_other{other, {.every = 1'000}};
    std::filesystem::copy_file(of_one.file(), of_other.file());

    require_folded(other, of_other);

    CHECK(of_other.counts().found == 0);
    CHECK(of_other.counts().passed_over == 1);
    CHECK(loaded(other, of_other).state.domains.front() == "other.example");
}

TEST_CASE("a shorter log than the snapshot's is folded as it is", "[replay][snapshots]") {
    auto one = store_with(20);
    Snapshots of_one{one, {.every = 5}};
    require_folded(one, of_one);
    auto shorter = store_with(3);
    Snapshots of_shorter{shorter, {.every = 1'000}};
    std::filesystem::copy_file(of_one.file(), of_shorter.file());
    require_folded(shorter, of_shorter);
}

TEST_CASE("of a stream the snapshots of its highest versions are kept", "[replay][snapshots]") {
    auto store = store_with(40);
    Snapshots snapshots{store, {.every = 1, .of_a_stream = 3}};
    for (int version = 1; version <= 30; ++version) {
        snapshots.keep(first_definition, site, {Version{version}, Position{version}, JsonText{version}});
    }
    const auto newest_at = [&](int version) {
        const auto found = snapshots.find(first_definition, site, Version{version});
        return found ? found->version.value() : 0;
    };
    CHECK(newest_at(40) == 30);
    CHECK(newest_at(29) == 29);
    CHECK(newest_at(28) == 28);
    CHECK(newest_at(27) == 0);
    CHECK(snapshots.find(first_definition, site, {}, Position{29})->version == Version{29});
    CHECK(snapshots.find(first_definition, site)->state.text() == "30");
    CHECK_FALSE(snapshots.find({"Site", "Site version 2"}, site));
    CHECK_FALSE(snapshots.find(first_definition, StreamId{"Site", "other"}));
}

TEST_CASE("commands keep a snapshot every so many events", "[replay][snapshots]") {
    auto store = EventStore::temporary(quick());
    Snapshots snapshots{store, {.every = 10}};
    CommandHandler<Site> sites{store};
    sites.keep_snapshots_in(snapshots);
    sites.handle(site, CreateSite{"a"});
    for (int i = 0; i < 49; ++i) sites.handle(site, ChangeDomain{"d" + std::to_string(i)});
    CHECK(snapshots.counts().kept == 5);
    CHECK(sites.cache().misses == 1);
    require_folded(store, snapshots);
    CHECK(snapshots.counts().found == 1);
}

TEST_CASE("what is asked of snapshots must make sense", "[replay][snapshots]") {
    auto store = EventStore::temporary();
    CHECK_THROWS_WITH((Snapshots{store, {.every = 0}}), "every: expected 1 or more, found 0");
    CHECK_THROWS_WITH((Snapshots{store, {.every = 1, .of_a_stream = 0}}),
                      "of_a_stream: expected 1 or more, found 0");
}

// Any history folded in one go equals the fold resumed from any snapshot.
TEST_CASE("a fold resumed from any snapshot equals the fold of the whole history", "[replay][snapshots][random]") {
    Random random;
    CAPTURE(random.seed());
    for (int round = 0; round < 10; ++round) {
        auto store = EventStore::temporary(quick());
        const auto length = 1 + random.below(60);
        for (std::size_t i = 0; i < length; ++i) {
            switch (random.below(4)) {
                case 0:
                    store.append(site, expect::any, {event(SiteCreated{random.text()})});
                    break;
                case 1:
                    store.append(site, expect::any, {event(SiteDeleted{}), event("Noted")});
                    break;
                case 2:
                    store.append(StreamId{"Site", random.name()}, expect::any, {random.new_event()});
                    break;
                default:
                    store.append(site, expect::any, {event(DomainChanged{random.text()})});
            }
        }
        const auto whole = load<Site>(store, site);
        Snapshots snapshots{store, {.every = 1, .of_a_stream = 1'000}};
        Loaded<Site::State> prefix{};
        for (const Event& event : store.read(site)) {
            detail::take_in(Site{}, prefix.state, event);
            snapshots.keep(first_definition, site,
                           {event.version, event.position, JsonText{nlohmann::json(prefix.state)}});
        }
        for (auto version = whole.version; version.value() > 0; version = version.previous()) {
            const auto snapshot = snapshots.find(first_definition, site, version);
            REQUIRE(snapshot);
            REQUIRE(snapshot->version == version);
            Loaded<Site::State> resumed{snapshot->state.value().get<Site::State>(), snapshot->version,
                                        snapshot->position};
            detail::catch_up(store, site, Site{}, resumed);
            REQUIRE(resumed.state == whole.state);
            REQUIRE(resumed.version == whole.version);
        }
    }
}

// ---- Aggregate files

constexpr const char* tally = R"(--@ aggregate Site version 1
--@ initial
'{"domains":[]}'
--@ on SiteCreated, DomainChanged
json_set($state, '$.domains[#]', $data(domain), '$.at', $position)
)";

TEST_CASE("an aggregate file is replayed from a snapshot to what all events give", "[replay][snapshots]") {
    auto store = EventStore::temporary(quick());
    for (int i = 0; i < 40; ++i) {
        store.append(site, expect::any, {event(DomainChanged{std::to_string(i)})});
        store.append(StreamId{"Site", "other"}, expect::any, {event(SiteDeleted{})});
    }
    const auto file = AggregateFile::parse(tally, "tally.sql");
    Snapshots snapshots{store, {.every = 7, .of_a_stream = 3}};
    const auto require_same = [&](const ReplayOptions& options) {
        const auto from_snapshot = replay(store, site, file, options, snapshots);
        REQUIRE(from_snapshot == replay(store, site, file, options));
    };
    for (int round = 0; round < 2; ++round) {
        for (int version = 1; version <= 40; ++version) {
            require_same({.at_version = Version{version}});
            require_same({.at_position = Position{2 * version}});
            require_same({.at_time = store.at(Position{2 * version})->recorded_at});
            require_same({.at_time = store.at(Position{2 * version})->recorded_at, .time_of = TimeOf::occurred});
        }
        require_same({});
    }
    CHECK(snapshots.counts().found > 100);
    CHECK(snapshots.counts().kept > 3);
    CHECK_THROWS_AS(replay(store, site, file, {.at_version = Version{41}}, snapshots), NotFound);
    CHECK_THROWS_AS(replay(store, site, file, {.at_version = Version{0}}, snapshots), InvalidInput);
    CHECK_THROWS_AS(replay(store, StreamId{"Site", "none"}, file, {}, snapshots), NotFound);

    const auto found = snapshots.counts().found;
    const auto changed = AggregateFile::parse(std::string{tally} + "--@ on SiteDeleted\n'{}'\n", "tally.sql");
    CHECK(replay(store, site, changed, {}, snapshots) == replay(store, site, changed));
    CHECK(replay(store, site, merge_patch(), {}, snapshots) == replay(store, site, merge_patch()));
    CHECK(snapshots.counts().found == found);
}

TEST_CASE("a replay at a time begins at the newest snapshot of before and says how far it is",
          "[replay][snapshots]") {
    Timestamp now = parse_rfc3339("2026-01-05T10:00:00Z");
    auto options = quick();
    options.clock = [&now] { return now; };
    auto store = EventStore::temporary(options);
    change_domains(store, 10);
    const auto file = AggregateFile::parse(tally, "tally.sql");
    Snapshots snapshots{store, {.every = 5}};
    (void)replay(store, site, file, {}, snapshots);  // keeps one at version 10
    now += std::chrono::minutes{1};
    change_domains(store, 2'500);
    (void)replay(store, site, file, {}, snapshots);  // and one at version 2,510
    const auto found = snapshots.counts().found;

    const ReplayOptions then{.at_time = now - std::chrono::seconds{1}};
    CHECK(replay(store, site, file, then, snapshots) == replay(store, site, file, then));
    CHECK(snapshots.counts().found == found + 1);

    std::vector<std::pair<std::int64_t, std::int64_t>> said;
    const auto last = Version{2'509};
    (void)replay(store, site, file,
                 {.at_version = last, .progress = [&](auto... far) { said.emplace_back(far...); }}, snapshots);
    CHECK(said == std::vector<std::pair<std::int64_t, std::int64_t>>{{1'010, 2'509}, {2'010, 2'509}});
}

TEST_CASE("threads and handlers may share snapshots", "[replay][snapshots][race]") {
    constexpr int threads = 4;
    auto store = store_with(0);
    Snapshots shared{store, {.every = 3}};
    std::barrier start{threads};
    {
        std::vector<std::jthread> racers;
        for (int t = 0; t < threads; ++t) {
            racers.emplace_back([&, t] {
                Snapshots own{store, {.every = 2}};
                CommandHandler<Site> sites{store, {.attempts = 10'000, .cache = {.entries = 0}}};
                sites.keep_snapshots_in(t % 2 == 0 ? shared : own);
                start.arrive_and_wait();
                for (int n = 0; n < 15; ++n)
                    sites.handle(site, ChangeDomain{std::to_string(t) + "." + std::to_string(n)});
            });
        }
    }
    require_folded(store, shared);
    CHECK(store.version(site) == Version{1 + threads * 15});
}

}  // namespace
}  // namespace stele
