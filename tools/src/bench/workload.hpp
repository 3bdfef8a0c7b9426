// Workload: one thing that is measured, on Stele and on what it is compared with.
//
// A workload is prepared once, then run several times. Every run does the same work on both sides, in turns, and
// gives one Measurement a figure; run_bench() prints the medians. After the timing each run compares what the two
// sides stored or read, and throws BenchError where they differ: a ratio between different work says nothing.
#pragma once

#include <stele/schema/error.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stele::bench {

/// A benchmark could not be run, or its two sides did not do the same.
class BenchError : public Error {
public:
    explicit BenchError(const std::string& message) : Error("bench", message) {}
};

/// How much work the workloads do.
struct Sizes {
    std::size_t streams = 20'000;      ///< that events are appended to at random
    std::size_t appends_full = 2'000;  ///< of one event by one caller
    std::size_t appends_relaxed = 20'000;
    std::size_t threads = 64;
    std::size_t appends_per_thread = 320;
    std::size_t batches = 200;         ///< appends of 100 events
    std::size_t log_events = 100'000;  ///< in the stores that are filled beforehand
    std::size_t stream_reads = 10'000;
    std::size_t history_lines = 74'702;  ///< where history is generated
    std::size_t deliveries = 1'000;
    std::size_t long_stream = 100'000;  ///< events of the aggregate that is replayed
    double idle_seconds = 5;

    [[nodiscard]] static Sizes standard() { return {}; }
    [[nodiscard]] static Sizes quick();  ///< a tenth: to see that it runs, and the order of magnitude
    [[nodiscard]] static Sizes tiny();   ///< for tests, which look at the rows and not at the time
};

/// What one run of a figure gave.
struct Measurement {
    double stele = 0;
    std::optional<double> other;  ///< what Stele is compared with, in the same unit; empty: nothing

    [[nodiscard]] std::optional<double> ratio() const {
        return other ? std::optional{stele / *other} : std::nullopt;
    }
};

/// What is to be reached.
struct Goal {
    enum class Of { ratio, stele };
    enum class Sense { at_least, under };
    Of of = Of::ratio;
    Sense sense = Sense::at_least;
    double value = 0;

    [[nodiscard]] bool reached_by(double measured) const {
        return sense == Sense::at_least ? measured >= value : measured < value;
    }
};

inline constexpr const char* bare_sqlite = "bare SQLite";

/// One line of the report.
struct Figure {
    std::string name;  ///< `append-one-full`: fixed, programs look for it
    std::string unit;
    std::string against = bare_sqlite;
    std::optional<Goal> goal{};
};

class FilledLog;

/// Where workloads run, and what they share.
class Context {
public:
    Context(std::filesystem::path folder, Sizes sizes) : folder_(std::move(folder)), sizes_(sizes) {}

    [[nodiscard]] const Sizes& sizes() const { return sizes_; }
    /// A new, empty folder, deleted when its owner goes.
    [[nodiscard]] std::shared_ptr<const std::filesystem::path> new_folder() const;
    /// The log of Sizes::log_events events, as a store and as a bare database; made by the first who asks.
    [[nodiscard]] const FilledLog& filled_log();

    /// Counts events that were found equal on both sides; tests look at it.
    void compared(std::size_t events) { compared_ += events; }
    [[nodiscard]] std::size_t events_compared() const { return compared_; }

    std::filesystem::path tool;                    ///< the stele command, for what is measured on a process
    std::optional<std::filesystem::path> history;  ///< curl's history, `.jsonl.gz`; empty: one like it is made

private:
    std::filesystem::path folder_;
    Sizes sizes_;
    std::shared_ptr<const FilledLog> filled_log_;
    std::size_t compared_ = 0;
};

/// Runs once: one Measurement a figure, in the order of Workload::figures.
using Runner = std::function<std::vector<Measurement>()>;

struct Workload {
    std::string name;
    std::string about;  ///< one line
    std::vector<Figure> figures;
    std::function<Runner(Context&)> prepare;
    bool repeats = true;  ///< false: one run holds enough samples
};

/// All of them, in the order of the report.
[[nodiscard]] std::vector<Workload> workloads();

// The makers of workloads, by subject.
[[nodiscard]] std::vector<Workload> append_workloads();
[[nodiscard]] std::vector<Workload> concurrent_workloads();
[[nodiscard]] std::vector<Workload> read_workloads();
[[nodiscard]] std::vector<Workload> import_workloads();
[[nodiscard]] std::vector<Workload> rebuild_workloads();
[[nodiscard]] std::vector<Workload> projection_workloads();
[[nodiscard]] std::vector<Workload> projection_load_workloads();
[[nodiscard]] std::vector<Workload> delivery_workloads();
[[nodiscard]] std::vector<Workload> listener_workloads();
[[nodiscard]] std::vector<Workload> webhook_workloads();
[[nodiscard]] std::vector<Workload> footprint_workloads();
[[nodiscard]] std::vector<Workload> replay_workloads();
[[nodiscard]] std::vector<Workload> schema_workloads();

}  // namespace stele::bench
