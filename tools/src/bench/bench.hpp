// stele bench: what this machine does with a store, beside bare SQLite doing the same in the same run.
//
// Nothing here judges a time by itself: the two sides take turns, and what is reported is how they compare.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace stele::bench {

/// What the command line asks for.
struct BenchOptions {
    bool quick = false;                 ///< a tenth of the work, three runs: for a first look
    std::optional<std::size_t> events;  ///< in the stores that are filled beforehand; 100,000 by default
    std::optional<std::size_t> runs;    ///< of which the median is taken; 5 by default
    std::vector<std::string> only;      ///< names of workloads; empty: all of them
    bool list = false;                  ///< name the workloads, and run none
    bool json = false;                  ///< one object a line instead of a table

    /// Where the stores are made, in a folder that is deleted afterwards; by default the system's temporary folder.
    /// Give the disk that the store will live on.
    std::optional<std::filesystem::path> dir;
    /// curl's history, `.jsonl.gz`, to be imported; without it one of the same shape is made.
    std::optional<std::filesystem::path> history;
    /// The stele command, for what is measured on a process of its own; by default the running program.
    std::optional<std::filesystem::path> tool;
};

/// Runs the workloads and writes a line for each figure to `output`, as soon as it is known; what is going on goes
/// to `progress`.
///
/// Returns the number of figures that have a goal and missed it.
/// Throws  NotFound    for a name in `only` that no workload has.
///         BenchError  where the two sides did not do the same, or could not do it at all.
///         Error       what the store says.
/// Cost    about two minutes, a quarter of it with `quick`; 1 GiB of disk per million of `events`.
std::size_t run_bench(const BenchOptions& options, std::ostream& output, std::ostream& progress);

}  // namespace stele::bench
