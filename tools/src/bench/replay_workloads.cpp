// Replay and deciders: one aggregate of many events, by a fold over typed events, by an SQL aggregate file, from
// its snapshot, and from memory.
#include "bare_log.hpp"
#include "measure.hpp"
#include "workload.hpp"

#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/command_handler.hpp>
#include <stele/replay/replay.hpp>

#include <algorithm>
#include <memory>
#include <string>

namespace stele::bench {
namespace {

struct BackupCompleted {
    static constexpr auto type = "BackupCompleted";
    static constexpr int version = 1;
    std::string backup;
    std::string region;
    std::int64_t bytes = 0;
    double seconds = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(BackupCompleted, backup, region, bytes, seconds)
};
struct BackupFailed {
    static constexpr auto type = "BackupFailed";
    static constexpr int version = 1;
    std::string backup;
    std::string reason;
    int attempt = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(BackupFailed, backup, reason, attempt)
};

struct Backups {
    static constexpr auto name = "Backups";
    static constexpr int version = 1;
    using events = Events<BackupCompleted, BackupFailed>;

    struct State {
        std::int64_t completed = 0;
        std::int64_t failed = 0;
        std::int64_t bytes = 0;
        double seconds = 0;
        std::string last;
        friend bool operator==(const State&, const State&) = default;
        NLOHMANN_DEFINE_TYPE_INTRUSIVE(State, completed, failed, bytes, seconds, last)
    };
    static State evolve(State state, const BackupCompleted& completed) {
        ++state.completed;
        state.bytes += completed.bytes;
        state.seconds += completed.seconds;
        state.last = completed.backup;
        return state;
    }
    static State evolve(State state, const BackupFailed& failed) {
        ++state.failed;
        state.last = failed.backup;
        return state;
    }
    static BackupCompleted decide(const State& state, std::int64_t bytes) {
        return {"backup-" + std::to_string(state.completed), "eu-central-1", bytes, 1.5};
    }
};

constexpr const char* backups_sql = R"(--@ aggregate Site version 1
--@ initial
'{"completed":0,"failed":0,"bytes":0}'
--@ on BackupCompleted
json_set($state, '$.completed', ($state ->> '$.completed') + 1, '$.bytes', ($state ->> '$.bytes') + $data(bytes),
    '$.last', $data(backup), '$.region', $data(region))
--@ on BackupFailed
json_set($state, '$.failed', ($state ->> '$.failed') + 1, '$.last', $data(backup), '$.reason', $data(reason))
)";

// What a program without Stele would run for each event.
constexpr const char* bare_sql = R"(SELECT CASE ?2 WHEN 'BackupCompleted' THEN
    json_set(?1, '$.completed', (?1 ->> '$.completed') + 1, '$.bytes', (?1 ->> '$.bytes') + (?3 ->> '$.bytes'),
        '$.last', ?3 ->> '$.backup', '$.region', ?3 ->> '$.region')
    ELSE json_set(?1, '$.failed', (?1 ->> '$.failed') + 1, '$.last', ?3 ->> '$.backup', '$.reason', ?3 ->> '$.reason')
    END)";

constexpr const char* bare_read =
    "SELECT types.name, events.data FROM events JOIN types USING (type) WHERE stream = 1 ORDER BY version";

const StreamId site{"Site", "site-42"};

NewEvent backup_event(std::size_t number) {
    const auto backup = "backup-" + std::to_string(10'000'000 + number);
    auto made =
        number % 10 == 9
            ? event(BackupFailed{backup, "the target did not answer within 30 seconds", 1})
            : event(BackupCompleted{backup, "eu-central-1", static_cast<std::int64_t>(number) * 1'000, 12.5});
    return made.by("scheduler-3")
        .correlation("0193b8a2-6f00-7c11-9d5e-3a44f0c2" + std::to_string(1'000 + number % 9'000));
}

// A store with the one stream in it.
class LongStream {
public:
    LongStream(const Context& context, std::size_t events)
        : events_(events),
          folder_(context.new_folder()),
          store_(EventStore::open(path(), {.durability = Durability::relaxed})) {
        append(events);
    }

    void append(std::size_t events) {
        constexpr std::size_t at_once = 1'000;
        while (events > 0) {
            std::vector<NewEvent> batch;
            for (auto n = std::min(events, at_once); n > 0; --n) batch.push_back(backup_event(appended_++));
            events -= batch.size();
            store_.append(site, expect::any, batch);
        }
    }

    [[nodiscard]] EventStore& store() { return store_; }
    [[nodiscard]] std::size_t events() const { return events_; }
    [[nodiscard]] std::string path() const { return (*folder_ / "long.stele").string(); }
    [[nodiscard]] std::string log_file() const { return path() + "/events.db"; }

private:
    std::size_t events_;
    std::shared_ptr<const std::filesystem::path> folder_;
    EventStore store_;
    std::size_t appended_ = 0;
};

std::string_view column_text(sqlite3_stmt* statement, int column) {
    const auto* text = static_cast<const char*>(static_cast<const void*>(sqlite3_column_text(statement, column)));
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

Database read_only(const std::string& file) {
    sqlite3* db = nullptr;
    const int result = sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    Database owner{db, sqlite3_close};
    if (result != SQLITE_OK) throw BenchError{"replay: cannot open " + file};
    return owner;
}

// The same fold, over the rows themselves.
Backups::State fold_bare(const std::string& file) {
    const auto db = read_only(file);
    const auto rows = prepare(db.get(), bare_read);
    Backups::State state;
    while (sqlite3_step(rows.get()) == SQLITE_ROW) {
        const auto data = nlohmann::json::parse(column_text(rows.get(), 1));
        if (column_text(rows.get(), 0) == "BackupCompleted") {
            state = Backups::evolve(std::move(state), data.get<BackupCompleted>());
        } else {
            state = Backups::evolve(std::move(state), data.get<BackupFailed>());
        }
    }
    return state;
}

std::string fold_bare_sql(const std::string& file) {
    const auto db = read_only(file);
    const auto rows = prepare(db.get(), bare_read);
    const auto step = prepare(db.get(), bare_sql);
    std::string state = R"({"completed":0,"failed":0,"bytes":0})";
    const auto bind = [&](int parameter, std::string_view text) {
        sqlite3_bind_text(step.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    };
    while (sqlite3_step(rows.get()) == SQLITE_ROW) {
        bind(1, state);
        bind(2, column_text(rows.get(), 0));
        bind(3, column_text(rows.get(), 1));
        if (sqlite3_step(step.get()) != SQLITE_ROW) throw BenchError{"replay: bare SQLite gives no state"};
        std::string next{column_text(step.get(), 0)};
        sqlite3_reset(step.get());
        state = std::move(next);
    }
    return state;
}

void require_equal(Context& context, bool equal, std::size_t events) {
    if (!equal) throw BenchError{"replay: the two sides came to different states"};
    context.compared(events);
}

Runner replay_typed(Context& context) {
    auto stream = std::make_shared<LongStream>(context, context.sizes().long_stream);
    return [&context, stream] {
        Backups::State state;
        Backups::State bare_state;
        Stopwatch stele;
        Stopwatch bare;
        stele.time([&] { state = load<Backups>(stream->store(), site).state; });
        bare.time([&] { bare_state = fold_bare(stream->log_file()); });
        require_equal(context, state == bare_state, stream->events());
        const auto events = static_cast<double>(stream->events());
        return std::vector<Measurement>{{events / stele.seconds(), events / bare.seconds()}};
    };
}

Runner replay_sql(Context& context) {
    auto stream = std::make_shared<LongStream>(context, context.sizes().long_stream);
    return [&context, stream] {
        const auto aggregate = AggregateFile::parse(backups_sql, "backups.sql");
        std::string state;
        std::string bare_state;
        Stopwatch stele;
        Stopwatch bare;
        stele.time([&] { state = replay(stream->store(), site, aggregate).json.text(); });
        bare.time([&] { bare_state = fold_bare_sql(stream->log_file()); });
        require_equal(context, state == bare_state, stream->events());
        const auto events = static_cast<double>(stream->events());
        return std::vector<Measurement>{{events / stele.seconds(), events / bare.seconds()}};
    };
}

// Commands and plain appends of the same events, in turns: what is more than an append is the handler's.
Runner handle_cached(Context& context, Durability durability) {
    struct Prepared {
        std::shared_ptr<const std::filesystem::path> folder;
        EventStore store;
        CommandHandler<Backups> handler{store};
    };
    auto folder = context.new_folder();
    auto prepared = std::shared_ptr<Prepared>(
        new Prepared{folder, EventStore::open((*folder / "x.stele").string(), {.durability = durability})});
    return [&context, prepared, durability] {
        const auto commands =
            durability == Durability::full ? context.sizes().appends_full : context.sizes().appends_relaxed;
        const StreamId plain{"Site", "plain-" + EventId::generate().to_string()};
        const StreamId handled{"Site", "handled-" + EventId::generate().to_string()};
        auto& store = prepared->store;
        std::vector<double> handling;
        std::vector<double> appending;
        for (std::size_t i = 0; i < commands; ++i) {
            const auto bytes = static_cast<std::int64_t>(i);
            Stopwatch one;
            one.time([&] { prepared->handler.handle(handled, bytes); });
            handling.push_back(one.seconds() * 1e6);
            const std::vector events{
                event(BackupCompleted{"backup-" + std::to_string(i), "eu-central-1", bytes, 1.5})};
            Stopwatch other;
            other.time([&] { store.append(plain, i == 0 ? expect::none : expect::exactly(bytes), events); });
            appending.push_back(other.seconds() * 1e6);
        }
        const auto counts = prepared->handler.cache();
        const auto left = prepared->handler.load(handled).state;
        require_equal(context,
                      left == load<Backups>(store, plain).state && counts.misses > 0 && counts.hits + 1 >= commands,
                      commands);
        if (durability == Durability::relaxed)
            return std::vector<Measurement>{{median(handling) - median(appending), std::nullopt}};
        return std::vector<Measurement>{{1e6 / median(handling), 1e6 / median(appending)}};
    };
}

// The snapshot is as far behind as it can be.
class WithSnapshot {
public:
    explicit WithSnapshot(const Context& context)
        : events_(context.sizes().long_stream),
          every_(std::min<std::size_t>(1'000, events_ / 2)),
          stream_(context, events_ - every_ + 1),
          snapshots_(stream_.store(), {.every = static_cast<std::int64_t>(every_)}) {
        (void)loaded();
        stream_.append(every_ - 1);
        expected_ = stele::load<Backups>(stream_.store(), site).state;
    }

    // As a program does that has just been started.
    [[nodiscard]] Backups::State loaded() {
        CommandHandler<Backups> handler{stream_.store()};
        handler.keep_snapshots_in(snapshots_);
        return handler.load(site).state;
    }
    [[nodiscard]] const Backups::State& expected() const { return expected_; }
    [[nodiscard]] Backups::State folded() { return stele::load<Backups>(stream_.store(), site).state; }
    [[nodiscard]] std::size_t events() const { return events_; }
    [[nodiscard]] std::uint64_t found() const { return snapshots_.counts().found; }

private:
    std::size_t events_;
    std::size_t every_;
    LongStream stream_;
    Snapshots snapshots_;
    Backups::State expected_;
};

Runner load_snapshot(Context& context) {
    auto prepared = std::make_shared<WithSnapshot>(context);
    return [&context, prepared] {
        const auto found = prepared->found();
        Backups::State state;
        Stopwatch loading;
        loading.time([&] { state = prepared->loaded(); });
        Stopwatch folding;
        folding.time([&] { (void)prepared->folded(); });
        require_equal(context, state == prepared->expected() && prepared->found() == found + 1, prepared->events());
        return std::vector<Measurement>{{loading.seconds() * 1e3, folding.seconds() * 1e3}};
    };
}

}  // namespace

std::vector<Workload> replay_workloads() {
    using Of = Goal::Of;
    using Sense = Goal::Sense;
    const auto at_least = [](double value) { return Goal{Of::stele, Sense::at_least, value}; };
    const auto under = [](double value) { return Goal{Of::stele, Sense::under, value}; };
    return {
        {.name = "replay-typed",
         .about = "one stream by a C++ fold over typed events",
         .figures = {{.name = "replay-typed", .unit = "events/s", .goal = at_least(300'000)}},
         .prepare = replay_typed},
        {.name = "replay-sql",
         .about = "one stream by an SQL aggregate file",
         .figures = {{.name = "replay-sql", .unit = "events/s", .goal = at_least(100'000)}},
         .prepare = replay_sql},
        {.name = "handle-cached",
         .about = "what handle() on a cached aggregate costs beyond its append",
         .figures = {{.name = "handle-cached", .unit = "us", .against = "", .goal = under(20)}},
         .prepare = [](Context& context) { return handle_cached(context, Durability::relaxed); }},
        {.name = "handle-cached-full",
         .about = "commands on a cached aggregate, each one durable append, beside plain appends",
         .figures = {{.name = "handle-cached-full", .unit = "commands/s", .against = "append()"}},
         .prepare = [](Context& context) { return handle_cached(context, Durability::full); }},
        {.name = "load-snapshot",
         .about = "one aggregate from its snapshot, which is almost 1,000 events behind, beside folding all of it",
         .figures = {{.name = "load-snapshot", .unit = "ms", .against = "no snapshot", .goal = under(5)}},
         .prepare = load_snapshot},
    };
}

}  // namespace stele::bench
