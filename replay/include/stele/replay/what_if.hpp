// compare_folds: the state that is, beside one that might be. What if this event had not happened? What would this
// aggregate file make of the same events?
//
//     const auto what_if = compare_folds(store, id, aggregate, {.without = {Version{3}}});
//     std::cout << what_if.patch;                    // from the state that is to the one without version 3
#pragma once

#include <stele/replay/replay.hpp>

#include <optional>
#include <set>
#include <string>

namespace stele {

/// What is different in the other fold.
struct OtherFold {
    std::set<Version> without = {};   ///< it never sees these
    const Aggregate* with = nullptr;  ///< it folds by this one; null: by the same
};

/// Where two folds of one stream lead.
struct FoldComparison {
    /// A place in the stream, and what is different behind it.
    struct Parting {
        Event event;
        JsonText state;        ///< that is, behind it
        nlohmann::json patch;  ///< from there to the other
    };

    State state;                    ///< that is
    State other;                    ///< that might be; where its fold failed, the last one before
    nlohmann::json patch;           ///< the JSON Patch from `state` to `other`; empty: they end alike
    bool began_apart = false;       ///< the states were different before the first event already
    std::optional<Parting> parted;  ///< the first event behind which they were different; empty: never
    std::optional<Version> met;     ///< where they end alike, the event behind which they had come together

    /// The other fold could not go on: at this event, for this reason. Then `patch`, `state` and `other` are about
    /// the event before it.
    struct Failure {
        Event event;
        std::string message;
    };
    std::optional<Failure> failed;
};

/// Folds twice, side by side, within the bounds of `options`.
///
/// Throws what replay() throws for the fold that is; NotFound where `without` names a version that the stream
///        does not have. Where the other fold fails, that is an answer: see Failure.
/// Cost   of two replays, and of comparing the two states behind each event: their sizes, where they are not
///        equal to the byte.
[[nodiscard]] FoldComparison compare_folds(const EventStore& store, const StreamId& stream,
                                           const Aggregate& aggregate, const OtherFold& other,
                                           const ReplayOptions& options = {});

}  // namespace stele
