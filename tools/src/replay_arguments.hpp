// What the commands that replay a stream have in common: which stream, folded how, up to where.
#pragma once

#include "context.hpp"
#include "progress.hpp"

#include <stele/replay/replay.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace stele::tool {

struct ReplayArguments {
    std::optional<StreamId> stream;
    std::optional<std::int64_t> at_version;
    std::optional<std::int64_t> at_position;
    std::optional<Timestamp> at_time;
    bool occurred = false;
    bool raw = false;
    std::optional<std::string> aggregate;

    /// The argument STREAM.
    void add_stream_to(CLI::App& app);
    /// --at-version, --at-position, --at-time, --occurred.
    void add_bounds_to(CLI::App& app);
    /// --aggregate and --raw: how events are folded, and which ones.
    void add_fold_to(CLI::App& app);

    /// The bounds; `progress` must stay as long as what is returned.
    [[nodiscard]] ReplayOptions options(Progress& progress) const;
};

/// Draws `done` of `total` events on `progress`, which must stay.
[[nodiscard]] std::function<void(std::int64_t, std::int64_t)> drawn_on(Progress& progress);

/// A stream of a store, and how it folds.
struct ReplayedStream {
    EventStore store;
    StreamId stream;
    std::shared_ptr<const Aggregate> aggregate;
};

/// Opens the store and looks for the stream and its aggregate: with --raw, both by the name that the stream is
/// stored under. `command` is as in "stele replay". Throws Failure (not found) naming a stream that may have been
/// meant, and what aggregate_for() throws.
[[nodiscard]] ReplayedStream replayed_stream(Context& context, const ReplayArguments& arguments,
                                             const std::string& command);

}  // namespace stele::tool
