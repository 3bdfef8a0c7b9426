// rebuild_all(): several projections at once, on all cores, with one read of the log for most of them.
//
// Projections that take a good part of the log are fed from one scan of it: it is read once, and each of them folds
// while others do (shared_scan.hpp). Those whose events are rare read these alone, by the store's indexes, beside
// it. Each is a rebuild of its own: it switches when it is done, and one that fails stands in no other one's way.
#pragma once

#include <stele/projections/rebuild.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stele {

struct RebuildAllOptions {
    /// For each of them. `each.progress` and `each.into` are not used.
    RebuildOptions each{};
    /// How many work, the caller's among them. 0: as many as there are cores.
    std::size_t threads = 0;
    /// Called after each transaction of a projection, by the thread that ran it; one call at a time.
    std::function<void(const Projection&, const FoldProgress&)> progress{};
};

/// How the rebuild of one projection ended.
struct RebuildResult {
    std::string name;
    std::optional<Rebuilt> rebuilt{};  ///< empty: it failed, or a stop was requested first
    std::exception_ptr error{};        ///< what rebuild() would have thrown
    std::string message{};             ///< its what(); empty where there is none

    [[nodiscard]] bool failed() const noexcept { return error != nullptr; }
};

/// Rebuilds each of `projections`, which differ in name, and returns their results in the same order. What is said
/// of rebuild() holds for each.
///
/// Throws InvalidInput  `until` is beyond the log's head.
/// Cost    memory is bounded at any length of the log: some pages of events, and 32 MiB for the pages of all the
///         read models together. More than one thread is of use only in a program that has called
///         sql::stop_counting_memory().
[[nodiscard]] std::vector<RebuildResult> rebuild_all(const EventStore& store,
                                                     std::span<const std::shared_ptr<const Projection>> projections,
                                                     const RebuildAllOptions& options = {});

}  // namespace stele
