// What a condition's shape says of the events that may fit it, as bounds of a read.
#pragma once

#include <stele/schema/sql/condition_shape.hpp>
#include <stele/store/event_store.hpp>

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace stele {

/// One alternative: what an event has to be, all of it.
struct FindBranch {
    QueryItem item{};
    Position first{1};
    Position last{std::numeric_limits<std::int64_t>::max()};
    Version first_version{1};
    Version last_version{std::numeric_limits<std::int64_t>::max()};
    Timestamp since = first_moment;
    Timestamp until = last_moment;
};

/// The alternatives of `shape`, joined by OR: none where no event fits, one that asks for nothing where any may.
/// `raw`: of events as they are stored.
[[nodiscard]] std::vector<FindBranch> branches_of(const sql::ConditionShape& shape, const EventStore& store,
                                                  bool raw);

/// What both ask for; empty where no event is both.
[[nodiscard]] std::optional<FindBranch> both(const FindBranch& a, const FindBranch& b);

/// The first moment that is written as `text` or behind it in the order of bytes; the one behind last_moment where
/// none is.
[[nodiscard]] Timestamp first_moment_from(std::string_view text);

}  // namespace stele
