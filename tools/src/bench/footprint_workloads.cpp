// What Stele takes of memory and disk.
#include "both_sides.hpp"
#include "projection_project.hpp"
#include "tool_process.hpp"

#include <fstream>

namespace stele::bench {
namespace {

constexpr double mebibyte = 1024 * 1024;

// `events` event lines, written as they are made.
void write_lines(const std::filesystem::path& file, std::size_t events) {
    const Payloads payloads{std::max<std::size_t>(1, events / 10)};
    std::ofstream out{file};
    for (std::size_t i = 0; i < events; ++i) {
        const auto [stream, type, event] = payloads.event(i);
        out << R"({"aggregate_type":"Order","aggregate_id":")" << payloads.streams()[stream].aggregate_id()
            << R"(","type":")" << event.type << R"(","data":)" << event.data.text() << R"(,"metadata":)"
            << event.metadata.text() << "}\n";
    }
    if (!out.flush()) throw BenchError("bench: cannot write " + file.string());
}

// The most memory that import, export and rebuild of so many events take, in MiB.
struct Peaks {
    double import = 0;
    double exported = 0;
    double rebuild = 0;
};

Peaks peaks_with(Context& context, std::size_t events) {
    const auto folder = context.new_folder();
    const auto lines = *folder / "events.jsonl";
    const auto store = (*folder / "log.stele").string();
    write_projection_project(*folder);
    write_lines(lines, events);

    const auto peak = [&](std::vector<std::string> command) {
        command.insert(command.begin(), {"--store", store});
        return static_cast<double>(run_tool(context, *folder, std::move(command)).peak_bytes) / mebibyte;
    };
    Peaks peaks;
    peaks.import = peak({"import", lines.string()});
    peaks.exported = peak({"export"});
    peaks.rebuild = peak({"projection", "rebuild", projection_name});

    const auto head = EventStore::open(store).head().value();
    if (head != static_cast<std::int64_t>(events))
        throw BenchError("memory: of " + std::to_string(events) + " events " + std::to_string(head) +
                         " were imported");
    context.compared(events);
    return peaks;
}

Runner memory(Context& context) {
    return [&context] {
        const auto few = peaks_with(context, std::min<std::size_t>(10'000, context.sizes().log_events / 2));
        const auto many = peaks_with(context, context.sizes().log_events);
        return std::vector<Measurement>{
            {many.import, few.import}, {many.exported, few.exported}, {many.rebuild, few.rebuild}};
    };
}

double bytes_of(const std::filesystem::path& file) { return static_cast<double>(std::filesystem::file_size(file)); }

Runner bytes_on_disk(Context& context) {
    const auto& log = context.filled_log();
    return [&context, &log] {
        context.compared(require_same(EventStore::open(log.store()), log.bare()));
        const auto payload = static_cast<double>(log.events() * payload_bytes);
        const auto store = std::filesystem::path{log.store()} / "events.db";
        return std::vector<Measurement>{{bytes_of(store) / payload, bytes_of(log.bare()) / payload}};
    };
}

Figure memory_figure(const std::string& what) {
    return {.name = "memory-" + what,
            .unit = "MiB",
            .against = "the same with at most 10,000 events",
            .goal = Goal{Goal::Of::stele, Goal::Sense::under, 64}};
}

}  // namespace

std::vector<Workload> footprint_workloads() {
    return {
        {.name = "memory",
         .about = "peak memory of import, export and rebuild of a large log",
         .figures = {memory_figure("import"), memory_figure("export"), memory_figure("rebuild")},
         .prepare = memory,
         .repeats = false},
        {.name = "bytes-on-disk",
         .about = "the log's bytes on disk for each byte of data and metadata, events of 350 bytes",
         .figures = {{.name = "bytes-on-disk",
                      .unit = "x payload",
                      .goal = Goal{Goal::Of::stele, Goal::Sense::under, 1.4}}},
         .prepare = bytes_on_disk,
         .repeats = false},
    };
}

}  // namespace stele::bench
