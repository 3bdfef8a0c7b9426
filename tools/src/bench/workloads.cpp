#include "filled_log.hpp"
#include "workload.hpp"

#include <cstdlib>
#include <iterator>

namespace stele::bench {

Sizes Sizes::quick() {
    return {.streams = 20'000,
            .appends_full = 400,
            .appends_relaxed = 4'000,
            .threads = 64,
            .appends_per_thread = 64,
            .batches = 40,
            .log_events = 20'000,
            .stream_reads = 2'000,
            .history_lines = 10'000,
            .deliveries = 200,
            .long_stream = 20'000,
            .idle_seconds = 1};
}

Sizes Sizes::tiny() {
    return {.streams = 20,
            .appends_full = 40,
            .appends_relaxed = 60,
            .threads = 4,
            .appends_per_thread = 8,
            .batches = 3,
            .log_events = 200,
            .stream_reads = 30,
            .history_lines = 300,
            .deliveries = 10,
            .long_stream = 200,
            .idle_seconds = 0.05};
}

std::shared_ptr<const std::filesystem::path> Context::new_folder() const {
    auto name = (folder_ / "run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw BenchError("bench: cannot make a folder in " + folder_.string());
    return {new std::filesystem::path{name}, [](const std::filesystem::path* made) {
                std::error_code ignored;  // the folder above it is deleted as well
                std::filesystem::remove_all(*made, ignored);
                delete made;
            }};
}

const FilledLog& Context::filled_log() {
    if (!filled_log_) filled_log_ = std::make_shared<const FilledLog>(new_folder(), sizes_.log_events);
    return *filled_log_;
}

std::vector<Workload> workloads() {
    std::vector<Workload> all;
    for (auto make : {append_workloads, concurrent_workloads, read_workloads, import_workloads, rebuild_workloads,
                      projection_workloads, projection_load_workloads, delivery_workloads, listener_workloads,
                      webhook_workloads, footprint_workloads, replay_workloads, schema_workloads}) {
        auto some = make();
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace stele::bench
