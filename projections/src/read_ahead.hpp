// read_ahead(): a read whose next pages are fetched by a thread of its own while the one before is worked on.
//
// For long folds: to fetch an event from the log costs about as much as a statement of a handler does, and a
// machine has a core to spare more often than not. Where the work is cheaper than that it gains nothing.
#pragma once

#include <stele/store/event_range.hpp>

namespace stele {

/// The events of `events`, in their order. The thread ends with the range, or with the read. An error of the read
/// is thrown at its place, at every call from there on. Where there is one core, or no thread to be had, `events`
/// itself.
[[nodiscard]] EventRange read_ahead(EventRange events);

}  // namespace stele
