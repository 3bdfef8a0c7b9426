// What projections cost: each beside the C loop that reads the same rows of the log and runs the same upserts.
#include "bare_projection.hpp"
#include "both_sides.hpp"

#include <stele/projections/cpp_projection.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/sql_projection.hpp>

namespace stele::bench {
namespace {

std::shared_ptr<const Projection> in_sql() {
    std::string text = "--@ projection sizes_sql version 1\n--@ create\nCREATE TABLE sizes_sql";
    text.append(stream_sizes_columns).append(";\n--@ on *\nINSERT INTO sizes_sql VALUES ($aggregate_id, 1, ");
    text.append("$position)\nON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last;\n");
    return SqlProjection::parse(text, "sizes_sql.sql");
}

// What the C loop reads of an event, beside its stream and its place: nothing.
constexpr EventParts no_parts{.id = false, .data = false, .metadata = false, .tags = false};

struct InCpp {
    static constexpr auto name = "sizes_cpp";
    static constexpr int version = 1;
    static constexpr auto parts = no_parts;
    static void setup(Model& model) { model.exec(std::string{"CREATE TABLE sizes_cpp"} + stream_sizes_columns); }
    static void on(const Event& e, Model& model) {
        model.exec(
            "INSERT INTO sizes_cpp VALUES (?1, 1, ?2) "
            "ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last",
            e.stream.aggregate_id(), e.position);
    }
};

constexpr std::size_t keys = 1'000;
struct Size {
    std::int64_t events = 0;
    std::int64_t last = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(Size, events, last)
};
struct Keyed {
    static constexpr auto name = "sizes_keyed";
    static constexpr int version = 1;
    static constexpr auto parts = no_parts;
    using State = Size;
    static std::string_view key(const Event& e) { return e.stream.aggregate_id(); }
    static State fold(State state, const Event& e) { return {state.events + 1, e.position.value()}; }
};

// Rebuilds, and runs the C loop, and compares their rows, which `rows` gives of the projection's.
Runner beside_the_loop(Context& context, std::shared_ptr<const FilledLog> filled,
                       std::shared_ptr<const Projection> projection, std::string rows) {
    return [&context, filled = std::move(filled), projection = std::move(projection), rows = std::move(rows)] {
        const auto& log = *filled;
        const auto folder = context.new_folder();
        const auto store = EventStore::open(log.store());
        const auto bare_model = *folder / "bare-model.db";
        RebuildOptions options;
        options.grace = {};

        Stopwatch stele;
        Stopwatch loop;
        stele.time([&] { rebuild(store, *projection, options); });
        loop.time([&] { build_bare(log.bare(), bare_model, "sizes_bare"); });

        const auto model = store.models_folder() / (projection->name() + ".db");
        if (rows_of(model, rows) != stream_sizes_of(bare_model, "sizes_bare"))
            throw BenchError(projection->name() + ": the rows of the projection are not those of the C loop");
        context.compared(log.events());
        return std::vector{rates(static_cast<double>(log.events()), stele, loop)};
    };
}

// The one that other workloads read too; it goes with the context.
std::shared_ptr<const FilledLog> shared_log(Context& context) {
    return {&context.filled_log(), [](const FilledLog*) {}};
}
std::shared_ptr<const FilledLog> log_of_few_streams(const Context& context) {
    const auto events = context.sizes().log_events;
    return std::make_shared<const FilledLog>(context.new_folder(), events, std::max<std::size_t>(events / keys, 1));
}

Workload workload(std::string name, std::string about, double at_least, std::function<Runner(Context&)> prepare) {
    return {.name = name,
            .about = std::move(about),
            .figures = {{.name = name,
                         .unit = "events/s",
                         .against = "bare SQLite, a C loop with an upsert an event",
                         .goal = Goal{.value = at_least}}},
            .prepare = std::move(prepare)};
}

}  // namespace

std::vector<Workload> projection_workloads() {
    return {
        workload("rebuild-sql", "a projection in SQL, one upsert an event", 0.6,
                 [](Context& context) {
                     return beside_the_loop(context, shared_log(context), in_sql(),
                                            stream_sizes_query("sizes_sql"));
                 }),
        workload("rebuild-cpp", "a projection in C++, one prepared upsert an event", 0.75,
                 [](Context& context) {
                     return beside_the_loop(context, shared_log(context), projection<InCpp>(),
                                            stream_sizes_query("sizes_cpp"));
                 }),
        workload("rebuild-keyed", "a keyed projection, a thousand keys", 3,
                 [](Context& context) {
                     return beside_the_loop(
                         context, log_of_few_streams(context), projection<Keyed>(),
                         "SELECT key || ' ' || (state ->> '$.events') || ' ' || (state ->> '$.last') "
                         "FROM sizes_keyed ORDER BY key");
                 }),
    };
}

}  // namespace stele::bench
