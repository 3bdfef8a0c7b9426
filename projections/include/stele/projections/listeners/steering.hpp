// What an operator does to a listener: pause, resume, send again from a position; and what he asks of it.
//
// Each of these may be called from any process and any thread, whoever delivers at the time: they are short
// transactions on control.db, which whoever delivers looks at in each of its own.
#pragma once

#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/projections/listeners/listener_status.hpp>
#include <stele/schema/event.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// Delivers nothing from now on, but for what is under way. Harmless when repeated. A listener that was never run
/// is paused before its first event.
///
/// Throws NotFound      it is neither known nor was run.
///        InvalidInput  it is sync: it delivers as long as its runner does.
void pause_listener(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                    const std::string& sqlite_vfs = {});

/// Lets a listener that is paused or failed go on. A failed one tries the event again that it stopped at, with all
/// of its attempts. Harmless for one that is live.
void resume_listener(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                     const std::string& sqlite_vfs = {});

/// What a rewind does, or would do.
struct Rewound {
    Position from;  ///< where it was
    Position to;
    std::int64_t events = 0;   ///< that it selects behind `to`, as far as it had read: they are delivered again
    std::int64_t parked = 0;   ///< of them were parked
    std::int64_t dead = 0;     ///< of them were dead letters: these go, as the events are sent again
    std::vector<Event> first;  ///< of these events, the first few
};

/// Moves a listener that is in the registry back to `to`: every event behind it that the listener selects is
/// delivered again, each with the same delivery key as before. Nothing but this sends an event again that was
/// delivered. With `dry_run` nothing is changed.
///
/// A listener that is paused, or has failed, stays so until it is resumed.
///
/// Throws NotFound      the registry has no such listener, or it was never run.
///        InvalidInput  `to` is beyond the position: that would skip events (D1); or the listener is sync, and has
///                      no place to be moved; or it appends, and has its effects in the log already.
/// Cost   the events between are read once, to be counted, before this returns.
Rewound rewind_listener(const EventStore& store, const ListenerRegistry& registry, std::string_view name,
                        Position to, bool dry_run, const std::string& sqlite_vfs = {});

/// What a listener makes of an event.
struct Explanation {
    std::string listener;
    bool selected = false;
    /// Why it is not selected: the part of the selection that does not hold. Or why it waits: what has to happen
    /// first. Else empty.
    std::string reason;
    std::string order_key;     ///< where it is selected
    std::string delivery_key;  ///< where it is selected, and the store has a key for deliveries yet
    /// "delivered"     dealt with (or passed over as a repetition)
    /// "waiting"       not reached yet, or under way
    /// "parked"        waits for a retry, or behind one that does
    /// "dead"          a dead letter; with `next_attempt`: an operator has asked for it again
    /// "not selected"
    /// "before start"  the listener began behind it
    /// "not kept"      the listener is sync, and keeps nothing but its dead letters
    std::string fate;
    int attempts = 0;  ///< that failed, of an event that is parked or dead
    std::optional<Timestamp> next_attempt{};
    std::string error;  ///< of the last attempt, where one failed
};

/// What each listener of the registry makes of `event`, by name.
[[nodiscard]] std::vector<Explanation> explain_event(const EventStore& store, const ListenerRegistry& registry,
                                                     const Event& event, const std::string& sqlite_vfs = {});

/// The same for many events, in their order, in a fraction of the time.
[[nodiscard]] std::vector<std::vector<Explanation>> explain_events(const EventStore& store,
                                                                   const ListenerRegistry& registry,
                                                                   const std::vector<Event>& events,
                                                                   const std::string& sqlite_vfs = {});

}  // namespace stele
