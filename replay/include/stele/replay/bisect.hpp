// bisect: since when does a condition on the state hold?
//
//     sql::Condition empty{{"$state(total) = 0", "bisect"}, sql::Condition::Over::event_and_state};
//     if (const auto first = bisect(store, id, aggregate, empty))
//         std::cout << first->event.version << " did it\n";
//
// The name is git's, the way is not: a condition need not stay true once it is, so halving the history could miss
// the event that is looked for. And a fold passes every event anyway. So the condition is computed after each
// event, one after the other, and the search ends at the first behind which it holds.
#pragma once

#include <stele/replay/replay.hpp>
#include <stele/schema/sql/condition.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace stele {

/// An event behind which a condition is true where it was false, or the other way round.
struct Turn {
    Event event;
    bool holds;       ///< behind the event
    JsonText before;  ///< the state
    JsonText after;
};

/// The first event behind which `condition`, on $state and the event, holds; empty where it never does. It is not
/// asked before the first event.
///
/// Throws what replay() throws, and sql::ConditionError where the condition has no answer for an event.
/// Cost   of one replay up to that event, and of computing the condition after each: some microseconds.
[[nodiscard]] std::optional<Turn> bisect(const EventStore& store, const StreamId& stream,
                                         const Aggregate& aggregate, sql::Condition& condition,
                                         const ReplayOptions& options = {});

/// Hands `visit` each event at which the truth of `condition` changed, until it returns false or the events end.
/// Before the first event it is taken to be false. Returns how many events were looked at.
std::int64_t turns(const EventStore& store, const StreamId& stream, const Aggregate& aggregate,
                   sql::Condition& condition, const ReplayOptions& options,
                   const std::function<bool(const Turn&)>& visit);

}  // namespace stele
