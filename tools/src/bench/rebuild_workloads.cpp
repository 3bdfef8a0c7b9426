// What the rebuild of a SQL projection costs, beside a C loop that reads the rows and runs the same upserts.
#include "both_sides.hpp"
#include "projection_project.hpp"
#include "tool_process.hpp"

#include <fstream>

namespace stele::bench {
namespace {

void write_file(const std::filesystem::path& file, const std::string& text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out{file};
    out << text;
    if (!out.flush()) throw BenchError("bench: cannot write " + file.string());
}

// The C loop: a reader of the log, a writer of the model, 10,000 events a commit.
void build_bare(const std::filesystem::path& log_file, const std::filesystem::path& model_file) {
    static constexpr std::int64_t events_a_commit = 10'000;
    const auto log = open_bare(log_file, Durability::full);
    const auto model = open_bare(model_file, Durability::relaxed);
    execute(model.get(), projection_table);
    const auto read = prepare(
        log.get(), "SELECT position, aggregate_id FROM events JOIN streams USING (stream) ORDER BY position");
    const auto upsert = prepare(model.get(),
                                "INSERT INTO stream_sizes VALUES (?1, 1, ?2) "
                                "ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last");
    execute(model.get(), "BEGIN IMMEDIATE");
    while (sqlite3_step(read.get()) == SQLITE_ROW) {
        const auto position = sqlite3_column_int64(read.get(), 0);
        const auto* stream = reinterpret_cast<const char*>(sqlite3_column_text(read.get(), 1));
        sqlite3_bind_text(upsert.get(), 1, stream, sqlite3_column_bytes(read.get(), 1), SQLITE_STATIC);
        sqlite3_bind_int64(upsert.get(), 2, position);
        step_once(upsert.get());
        if (position % events_a_commit == 0) execute(model.get(), "COMMIT; BEGIN IMMEDIATE");
    }
    execute(model.get(), "COMMIT");
}

// The rows of a model, as one text.
std::string rows_of(const std::filesystem::path& model) {
    const auto db = open_bare(model, Durability::full);
    const auto read =
        prepare(db.get(), "SELECT stream || ' ' || events || ' ' || last FROM stream_sizes ORDER BY stream");
    std::string rows;
    while (sqlite3_step(read.get()) == SQLITE_ROW)
        rows.append(reinterpret_cast<const char*>(sqlite3_column_text(read.get(), 0))) += '\n';
    return rows;
}

Runner rebuild(Context& context) {
    const auto& log = context.filled_log();
    const auto project = context.new_folder();
    write_projection_project(*project);

    return [&context, &log, project] {
        const auto folder = context.new_folder();
        const auto model = std::filesystem::path{log.store()} / "models" / (std::string{projection_name} + ".db");
        const auto bare_model = *folder / "bare-model.db";

        const auto built =
            run_tool(context, *project, {"--store", log.store(), "projection", "rebuild", projection_name});
        Stopwatch bare;
        bare.time([&] { build_bare(log.bare(), bare_model); });

        const auto rows = rows_of(bare_model);
        if (rows.empty() || rows != rows_of(model))
            throw BenchError("rebuild: the rows of the projection are not those of the C loop");
        context.compared(log.events());
        const auto count = static_cast<double>(log.events());
        return std::vector<Measurement>{{count / built.seconds, count / bare.seconds()}};
    };
}

}  // namespace

void write_projection_project(const std::filesystem::path& folder) {
    write_file(folder / "stele.toml", "");
    write_file(folder / "projections" / (std::string{projection_name} + ".sql"),
               "--@ projection " + std::string{projection_name} + " version 1\n--@ create\n" + projection_table +
                   ";\n--@ on *\nINSERT INTO stream_sizes VALUES ($aggregate_id, 1, $position)\n"
                   "ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last;\n");
}

std::vector<Workload> rebuild_workloads() {
    return {{.name = "rebuild",
             .about = "stele projection rebuild, one upsert an event",
             .figures = {{.name = "rebuild",
                          .unit = "events/s",
                          .against = "bare SQLite, a C loop with the same upserts",
                          .goal = Goal{.value = 0.5}}},
             .prepare = rebuild}};
}

}  // namespace stele::bench
