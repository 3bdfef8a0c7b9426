// What a replay says when there is nothing to fold: what was asked for, what is there instead, what to try.
#pragma once

#include <stele/replay/replay.hpp>

namespace stele {

/// `orders.stele: no stream "Order/10248"; there is "order/10248"`. Looks through at most 100,000 streams for names
/// that differ in case, or in the tenant or the type alone.
[[nodiscard]] NotFound no_such_stream(const EventStore& store, const StreamId& id);

/// `orders.stele: order/10248 has no version 9; its last is 5`.
[[nodiscard]] NotFound no_such_version(const EventStore& store, const StreamId& id, Version wanted, Version last);

/// `orders.stele: order/10248: no event recorded up to 2016-01-01T00:00:00.000000Z; its first is version 1,
/// position 17, recorded at 2016-07-04T00:00:00.000000Z`; and where it was there by the time of occurrence, that;
/// and where upcasters make nothing of the whole stream, that.
[[nodiscard]] NotFound nothing_yet(const EventStore& store, const StreamId& id, const ReplayOptions& options);

}  // namespace stele
