// diff: what became different in an aggregate between two points of its history.
//
//     const auto changed = diff(store, id, aggregate, Version{2}, Version{5});
//     std::cout << changed.patch;              // [{"op":"replace","path":"/status","value":"shipped"}]
//
//     diff(store, id, aggregate, parse_moment("2026-01-05T10:00:00Z"), parse_moment("@90112"));
#pragma once

#include <stele/replay/replay.hpp>

#include <string_view>
#include <variant>

namespace stele {

/// A point in the history of a stream: behind one of its versions (0: before its first event), when the log held so
/// many positions, or at a time. Positions and times may lie before the first event, and after the last one.
using Moment = std::variant<Version, Position, Timestamp>;

/// `5` is a version, `@90112` a position, and `2026-01-05T10:00:00Z` or `2026-01-05` (its first moment in UTC) a
/// time. Throws InvalidInput naming `field`.
[[nodiscard]] Moment parse_moment(std::string_view text, std::string_view field = "moment");

/// An aggregate at two points of its history.
struct StateDifference {
    State from;
    State to;
    nlohmann::json patch;  ///< the JSON Patch (RFC 6902) from the one to the other; see json_diff()
};

struct DiffOptions {
    /// With `occurred`, a time takes the events that occurred up to it, wherever they stand in the stream.
    TimeOf time_of = TimeOf::recorded;
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};  ///< as in ReplayOptions
};

/// What became different from `from` to `to`, which may be the earlier one: then the patch leads back.
///
/// Throws NotFound    the stream has no events, or no such version.
///        InvalidInput a version or position is less than 0.
///        ReplayError an event could not be taken in.
///        StoreError  the disk or the file failed.
/// Cost   of one replay up to the later of the two; of two replays where times of occurrence are asked for.
[[nodiscard]] StateDifference diff(const EventStore& store, const StreamId& stream, const Aggregate& aggregate,
                                   const Moment& from, const Moment& to, const DiffOptions& options = {});

/// The last version of `stream` at `moment`, by when events were recorded; 0 where there was none yet.
///
/// Throws as diff() does. Cost: a few steps in an index.
[[nodiscard]] Version version_at(const EventStore& store, const StreamId& stream, const Moment& moment);

}  // namespace stele
