// What the rebuild of a SQL projection costs, beside a C loop that reads the rows and runs the same upserts.
#include "bare_projection.hpp"
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
        bare.time([&] { build_bare(log.bare(), bare_model, projection_name); });

        if (stream_sizes_of(bare_model, projection_name) != stream_sizes_of(model, projection_name))
            throw BenchError("rebuild: the rows of the projection are not those of the C loop");
        context.compared(log.events());
        const auto count = static_cast<double>(log.events());
        return std::vector<Measurement>{{count / built.seconds, count / bare.seconds()}};
    };
}

}  // namespace

void write_projection_project(const std::filesystem::path& folder) {
    write_file(folder / "stele.toml", "");
    std::string text = "--@ projection ";
    text.append(projection_name).append(" version 1\n--@ create\nCREATE TABLE ").append(projection_name);
    text.append(stream_sizes_columns).append(";\n--@ on *\nINSERT INTO ").append(projection_name);
    text.append(" VALUES ($aggregate_id, 1, $position)\n");
    text.append("ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last;\n");
    write_file(folder / "projections" / std::string{projection_name}.append(".sql"), text);
}

std::vector<Workload> rebuild_workloads() {
    return {{.name = "rebuild",
             .about = "stele projection rebuild, one upsert an event",
             .figures = {{.name = "rebuild",
                          .unit = "events/s",
                          .against = "bare SQLite, a C loop with the same upserts",
                          .goal = Goal{.value = 0.6}}},
             .prepare = rebuild}};
}

}  // namespace stele::bench
