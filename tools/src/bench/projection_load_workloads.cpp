// Projections beside other work: several rebuilt at once, a rare type, appends and readers while rebuilds go on,
// and appends that wait for a projection.
#include "bare_projection.hpp"
#include "both_sides.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/rebuild_all.hpp>
#include <stele/projections/runner.hpp>
#include <stele/projections/sql_projection.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace stele::bench {
namespace {

// Counts events by what `key` gives.
std::shared_ptr<const Projection> counting(const std::string& name, const std::string& key,
                                           const std::string& types = "*", const std::string& options = {}) {
    std::string text = "--@ projection ";
    text.append(name).append(" version 1").append(options).append("\n--@ create\nCREATE TABLE ").append(name);
    text.append(stream_sizes_columns).append(";\n--@ on ").append(types).append("\nINSERT INTO ").append(name);
    text.append(" VALUES (").append(key).append(", 1, $position)\n");
    text.append("ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last;\n");
    return SqlProjection::parse(text, name + ".sql");
}

void rebuild_now(const EventStore& store, const Projection& projection) {
    RebuildOptions options;
    options.grace = {};
    if (!rebuild(store, projection, options)) throw BenchError("bench: a rebuild that nobody stopped has stopped");
}

Runner four_together(Context& context) {
    const auto& log = context.filled_log();
    return [&context, &log] {
        const auto store = EventStore::open(log.store());
        const std::vector<std::shared_ptr<const Projection>> four{
            counting("by_stream", "$aggregate_id"), counting("by_customer", "$data(customer)"),
            counting("by_country", "$data(country) || $type"), counting("by_actor", "$metadata(actor)")};
        const auto rows = [&] {
            std::string all;
            for (const auto& each : four)
                all += stream_sizes_of(store.models_folder() / (each->name() + ".db"), each->name());
            return all;
        };

        Stopwatch one_by_one;
        Stopwatch together;
        one_by_one.time([&] {
            for (const auto& each : four) rebuild_now(store, *each);
        });
        const auto expected = rows();
        RebuildAllOptions options;
        options.each.grace = {};
        together.time([&] {
            for (const auto& result : rebuild_all(store, four, options))
                if (result.failed()) std::rethrow_exception(result.error);
        });
        if (rows() != expected) throw BenchError("rebuild-together: other rows than one after another");
        context.compared(log.events());
        return std::vector<Measurement>{{together.seconds(), one_by_one.seconds()}};
    };
}

// The same projection, which looks at every event to find its own.
struct Scanning {
    static constexpr auto name = "rare_by_scan";
    static constexpr int version = 1;
    static constexpr EventParts parts{.id = false, .data = false, .metadata = false, .tags = false};
    static void setup(Model& model) { model.exec(std::string{"CREATE TABLE rare_by_scan"} + stream_sizes_columns); }
    static void on(const Event& e, Model& model) {
        if (e.type != "OrderDisputed") return;
        model.exec(
            "INSERT INTO rare_by_scan VALUES (?1, 1, ?2) "
            "ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last",
            e.stream.aggregate_id(), e.position);
    }
};

constexpr std::size_t rare = 1'000;

Runner rare_type(Context& context) {
    const auto folder = context.new_folder();
    const auto events = context.sizes().log_events;
    {
        const Payloads payloads{std::max<std::size_t>(events / 10, 1)};
        auto store = EventStore::open(*folder / "log.stele", {.durability = Durability::relaxed});
        std::vector<PlannedEvent> piece;
        for (std::size_t i = 0; i < events; ++i) {
            piece.push_back(payloads.event(i));
            if (i % rare == 7) piece.back().event.type = "OrderDisputed";
            if (piece.size() < 10'000 && i + 1 < events) continue;
            fill(store, payloads, piece);
            piece.clear();
        }
    }
    return [&context, folder, events] {
        const auto store = EventStore::open(*folder / "log.stele");
        Stopwatch by_index;
        Stopwatch by_scan;
        by_index.time([&] { rebuild_now(store, *counting("rare_by_index", "$aggregate_id", "OrderDisputed")); });
        by_scan.time([&] { rebuild_now(store, *projection<Scanning>()); });
        const auto rows = [&](const std::string& name) {
            return rows_of(store.models_folder() / (name + ".db"),
                           "SELECT count(*) || ' ' || sum(last) FROM " + name);
        };
        if (rows("rare_by_index") != rows("rare_by_scan"))
            throw BenchError("rebuild-rare: other rows than by a scan");
        context.compared(events);
        return std::vector{rates(static_cast<double>(events), by_index, by_scan)};
    };
}

// A store to append to, with so many events in it.
struct StoreInUse {
    StoreInUse(const Context& context, std::size_t events)
        : folder(context.new_folder()),
          payloads(context.sizes().streams),
          store(EventStore::open(*folder / "log.stele", {.durability = Durability::relaxed})) {
        fill(store, payloads, payloads.events(0, events));
        store = EventStore::open(*folder / "log.stele");
    }
    void append(EventStore& to, const PlannedEvent& planned) const {
        to.append(payloads.streams()[planned.stream], expect::any, std::span{&planned.event, 1});
    }

    std::shared_ptr<const std::filesystem::path> folder;
    Payloads payloads;
    EventStore store;
};

Runner appends_beside_rebuilds(Context& context) {
    return [&context] {
        // So long a log that most appends stand beside the building, as in a rebuild that somebody waits for, and
        // few beside its end, with its syncs and its new names.
        StoreInUse used{context, context.sizes().log_events / 2 + 1};
        const auto events = used.payloads.events(context.sizes().log_events, 8 * context.sizes().appends_full);
        // A WAL that has not been full yet grows with each append, which costs half as much again: whoever is
        // first.
        const auto at_first = used.payloads.events(context.sizes().log_events + events.size(),
                                                   std::min<std::size_t>(events.size(), 2'000));
        for (const auto& planned : at_first) used.append(used.store, planned);
        ::sync();  // what the filling left to be written would be paid by whoever comes first
        const auto projection = counting("by_stream", "$aggregate_id");
        Stopwatch with;
        Stopwatch without;
        bool rebuilds = false;
        for (const auto piece : in_turns(events, 8)) {
            rebuilds = !rebuilds;
            std::atomic<bool> done = !rebuilds;
            std::exception_ptr failed;
            std::thread rebuilder{[&] {
                try {
                    while (!done) rebuild_now(used.store, *projection);
                } catch (...) {
                    failed = std::current_exception();
                }
            }};
            (rebuilds ? with : without).time([&] {
                for (const auto& planned : piece) used.append(used.store, planned);
            });
            done = true;
            rebuilder.join();
            if (failed) std::rethrow_exception(failed);
        }
        rebuild_now(used.store, *projection);
        context.compared(events.size());
        const auto half = static_cast<double>(events.size()) / 2;
        return std::vector{rates(half, with, without)};
    };
}

Runner readers_beside_switches(Context& context) {
    static constexpr int switches = 100;
    static constexpr int reads = 10'000;
    return [&context] {
        const auto folder = context.new_folder();
        auto store = EventStore::open(*folder / "log.stele");
        const Payloads payloads{10};
        fill(store, payloads, payloads.events(0, 100));
        const auto projection = counting("by_stream", "$aggregate_id");
        rebuild_now(store, *projection);

        std::atomic<bool> switched = false;
        std::atomic<int> failed = 0;
        std::atomic<int> done = 0;
        std::thread reader{[&] {
            while (!switched || done < reads) {
                try {
                    auto model = ReadModel::open(store, "by_stream");
                    std::int64_t events = 0;
                    for (const Row& row : model.query("SELECT sum(events) FROM by_stream")) events = row.integer(0);
                    if (events != 100) ++failed;
                } catch (const Error&) {
                    ++failed;
                }
                ++done;
            }
        }};
        try {
            for (int i = 0; i < switches; ++i) (void)rebuild(store, *projection);
        } catch (...) {
            switched = true;
            reader.join();
            throw;
        }
        switched = true;
        reader.join();
        context.compared(static_cast<std::size_t>(done));
        return std::vector<Measurement>{{static_cast<double>(failed), std::nullopt}};
    };
}

// Appends that a sync projection is applied to, beside appends to a store without one, each followed by the
// projection's own write in C: its row and its position, in one transaction.
Runner synchronous(Context& context) {
    return [&context] {
        const auto before = context.sizes().log_events / 10 + 1;
        StoreInUse used{context, before};
        StoreInUse plain{context, before};
        const auto events = used.payloads.events(context.sizes().log_events, context.sizes().appends_full);
        const auto model = open_bare(*plain.folder / "model.db", Durability::relaxed);
        execute(model.get(), std::string{"CREATE TABLE sizes"} + stream_sizes_columns);
        execute(model.get(), "CREATE TABLE progress (position INTEGER NOT NULL); INSERT INTO progress VALUES (0)");
        const auto progress = prepare(model.get(), "UPDATE progress SET position = ?1");
        const auto upsert = prepare(model.get(),
                                    "INSERT INTO sizes VALUES (?1, 1, ?2) "
                                    "ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last");
        stele::Runner runner{used.store};
        runner.add(counting("sizes", "$aggregate_id", "*", " mode sync"));
        runner.start();

        Stopwatch with;
        Stopwatch apart;
        for (const auto piece : in_turns(events)) {
            with.time([&] {
                for (const auto& planned : piece) used.append(used.store, planned);
            });
            apart.time([&] {
                for (const auto& planned : piece) {
                    const auto& stream = plain.payloads.streams()[planned.stream];
                    const auto appended = plain.store.append(stream, expect::any, std::span{&planned.event, 1});
                    execute(model.get(), "BEGIN IMMEDIATE");
                    sqlite3_bind_text(upsert.get(), 1, stream.aggregate_id().data(),
                                      static_cast<int>(stream.aggregate_id().size()), SQLITE_STATIC);
                    sqlite3_bind_int64(upsert.get(), 2, appended.last_position.value());
                    step_once(upsert.get());
                    sqlite3_bind_int64(progress.get(), 1, appended.last_position.value());
                    step_once(progress.get());
                    execute(model.get(), "COMMIT");
                }
            });
        }
        if (runner.wait_for("sizes", used.store.head(), std::chrono::milliseconds{0}) != WaitResult::reached)
            throw BenchError("append-sync: the projection is behind an append that has returned");
        runner.stop();
        context.compared(events.size());
        return std::vector{rates(static_cast<double>(events.size()), with, apart)};
    };
}

}  // namespace

std::vector<Workload> projection_load_workloads() {
    return {
        {.name = "rebuild-together",
         .about = "four projections rebuilt at once, one upsert an event each",
         .figures = {{.name = "rebuild-together",
                      .unit = "seconds",
                      .against = "the four one after another",
                      .goal = Goal{.sense = Goal::Sense::under, .value = 0.6}}},
         .prepare = four_together},
        {.name = "rebuild-rare",
         .about = "a projection of a type that is one in a thousand",
         .figures = {{.name = "rebuild-rare",
                      .unit = "events/s",
                      .against = "a scan of the log",
                      .goal = Goal{.value = 50}}},
         .prepare = rare_type},
        {.name = "append-beside-rebuild",
         .about = "appends of one event, durability full, while rebuilds go on",
         .figures = {{.name = "append-beside-rebuild",
                      .unit = "events/s",
                      .against = "the same without",
                      .goal = Goal{.value = 0.8}}},
         .prepare = appends_beside_rebuilds},
        {.name = "append-sync",
         .about = "appends of one event, durability full, that a sync projection is applied to",
         .figures = {{.name = "append-sync",
                      .unit = "events/s",
                      .against = "an append, then the projection's own write in C",
                      .goal = Goal{.value = 0.9}}},
         .prepare = synchronous},
        {.name = "read-beside-switches",
         .about = "10,000 reads, each opening the read model, while 100 rebuilds switch it",
         .figures = {{.name = "read-beside-switches",
                      .unit = "failed reads",
                      .against = "",
                      .goal = Goal{.of = Goal::Of::stele, .sense = Goal::Sense::under, .value = 1}}},
         .prepare = readers_beside_switches,
         .repeats = false},
    };
}

}  // namespace stele::bench
