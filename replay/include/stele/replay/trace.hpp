// trace: what caused an event, and what it caused, over all streams, as a tree.
//
//     for (const auto& node : trace(store, parse_trace_start("90112")).nodes)
//         std::cout << std::string(2 * node.depth, ' ') << node.event.type << '\n';
//
// Two members of metadata say what belongs together: causation_id is the id of the event that was being handled
// when this one was written, correlation_id what all that came of one request has in common. Stele writes both
// where a handler appends (see schema/causation.hpp); any program may.
//
// A trace holds, to begin with, the event that is asked for and the chain of its causes. To these come all events
// with the same correlation_id (for one without, that of its first cause, or else that cause's id), and all events
// that name one of the trace's as their cause and stand behind it in the log. At last, causes of these that have
// another correlation_id, and so on up.
//
// Metadata is not indexed. (An index over it would cost each append more than a trace costs now and then.) So the
// log is read through once, without its data: from the first cause on where the correlation_id is its id, as a
// handler writes it, because nothing before it can belong to it; else from the beginning. TraceOptions bounds it.
#pragma once

#include <stele/replay/event_facts.hpp>
#include <stele/store/event_store.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stele {

/// An id that some events have as their correlation_id. Where it is an event's id, that event is what is meant.
struct CorrelationId {
    std::string id;
    friend bool operator==(const CorrelationId&, const CorrelationId&) = default;
};

/// What a trace is asked for.
using TraceStart = std::variant<Position, EventId, CorrelationId>;

/// A whole number is a position; anything else an event's id or, where no event has it, a correlation_id.
[[nodiscard]] TraceStart parse_trace_start(std::string_view text);

struct TraceOptions {
    Position after{};                    ///< the log is read from the event behind it
    std::optional<Position> until = {};  ///< and up to it, included
    std::size_t most_events = 100'000;   ///< the trace ends with so many
    /// Called every ten thousand events that are read, with how far the log is read, of how far.
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// An event of a trace.
struct TraceNode {
    EventFacts event;
    std::optional<std::string> correlation_id;
    std::optional<std::string> causation_id;
    int depth = 0;                      ///< how many causes are above it
    std::optional<std::size_t> parent;  ///< its cause, in Trace::nodes
    bool cause_is_missing = false;      ///< it names a cause, and no event has that id
    bool closes_a_cycle = false;        ///< the cause that it names is one of its own effects; it stands at the top
};

struct Trace {
    std::string correlation_id;
    std::optional<std::size_t> asked;  ///< the event that was asked for, in `nodes`
    std::vector<TraceNode> nodes;  ///< each behind its cause and above its effects, those of one cause by position
    std::int64_t looked_at = 0;    ///< how many events of the log were read
    bool is_cut = false;           ///< there may be more: most_events was reached
};

/// Throws NotFound      there is no such event, and no event with such a correlation_id.
///        InvalidInput  the correlation_id is no UTF-8.
///        UpcastError   an event of the trace cannot be upcast.
///        StoreError    the disk or the file failed.
/// Cost   see above; memory: the events of the trace.
[[nodiscard]] Trace trace(const EventStore& store, const TraceStart& start, const TraceOptions& options = {});

}  // namespace stele
