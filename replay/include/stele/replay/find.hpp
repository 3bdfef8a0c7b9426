// find: the events for which an SQL condition holds, over a stream or the log.
//
//     sql::Condition large{{"$type = 'OrderPlaced' AND $data(total) > 1000", "find"}, sql::Condition::Over::event};
//     find(store, large, all(), [](const Event& event) { std::cout << event << '\n'; return true; });
//
// What of the condition an index knows narrows the read, so that only what may be meant is read and computed:
//
//   $type, $aggregate_type, $tenant, $stream   with =, IN, and IS NULL for $tenant
//   $tags                                      'x' IN (SELECT value FROM json_each($tags))
//   $position, $event_id                       with =, and $position with <, <=, >, >=, BETWEEN
//   $recorded_at                               with the same; compared as the text that it is, with six digits
//   $version                                   with the same, where the stream is known
//
// joined by AND, OR and brackets. The condition is then computed for each event of the narrowed read. So the answer
// is the same as without narrowing, but for events that the condition fails at and that were not looked at.
#pragma once

#include <stele/schema/sql/condition.hpp>
#include <stele/store/event_store.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stele {

/// How find() goes about it.
struct FindPlan {
    Read read;             ///< what is read
    bool nothing = false;  ///< no event can fit; nothing is read
    /// For people, one a line: "types: OrderPlaced", "positions: 5 to 90,112".
    std::vector<std::string> narrowed_to;
    std::string way;  ///< "by the index of types", "along the stream", "through the log"
};

/// How find() would go about `condition` within `read`.
///
/// Throws InvalidInput where the parts of `read` do not go together. Cost: a few steps in an index.
[[nodiscard]] FindPlan plan_find(const EventStore& store, const sql::Condition& condition, const Read& read = {});

struct FindOptions {
    std::optional<std::int64_t> limit = {};  ///< at most so many; 0 gives none
    /// False where `visit` needs no more of an event than its place and type, as for counting: then only what the
    /// condition asks for is fetched.
    bool whole_events = true;
    /// Called every thousand events that were looked at, with how much of the log is behind, of how much.
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

struct Found {
    std::int64_t events = 0;     ///< for which the condition held, as far as it was looked for
    std::int64_t looked_at = 0;  ///< events for which it was computed
};

/// Hands `visit` the events that `read` selects and for which `condition` holds, in the order of the read, until it
/// returns false. A limit of `read` counts events that are looked at.
///
/// Throws sql::ConditionError where the condition has no answer for an event, and what EventStore::read() throws.
/// Cost   of the read in plan_find(), and some microseconds for each event of it.
Found find(const EventStore& store, sql::Condition& condition, const Read& read,
           const std::function<bool(const Event&)>& visit, const FindOptions& options = {});

}  // namespace stele
