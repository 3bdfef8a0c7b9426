// Replay: an aggregate from its events, now or as it was, all at once or step by step.
//
//     const auto order = replay(store, StreamId{"order", "10248"}, aggregates);
//     std::cout << order.json;                                  // {"customer":"VINET","lines":[…],…}
//
//     replay_steps(store, id, aggregates, {.at_version = Version{3}}, [](const Step& step) {
//         std::cout << step.event.type << ' ' << step.changes << '\n';   // what each event changed
//         return true;
//     });
//
// Events are read lazily: memory is one page of them and the state, however long the stream.
#pragma once

#include <stele/replay/aggregate.hpp>
#include <stele/replay/aggregate_registry.hpp>
#include <stele/store/event_store.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace stele {

/// Which of an event's two times a bound in time is compared with.
enum class TimeOf {
    recorded,  ///< when the store committed it: what the store knew at that time
    occurred,  ///< when the writer says it happened: what was true at that time, as far as is known today
};

/// Up to where to fold. Bounds add up: an event is taken when it satisfies every one that is set. Without any,
/// all events that are there when the replay starts.
struct ReplayOptions {
    std::optional<Version> at_version = {};    ///< up to this version, included
    std::optional<Position> at_position = {};  ///< up to this position of the log; it may lie past its end
    std::optional<Timestamp> at_time = {};     ///< events of that time and before

    /// With `occurred`, events that happened after at_time are left out wherever they stand in the stream, and the
    /// others are taken in stream order: a late entry about an earlier day is in the state of that day.
    TimeOf time_of = TimeOf::recorded;

    /// Called every thousand events with how many have been taken in, and how many there are at most. What it
    /// throws ends the replay.
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// An aggregate at one point of its history.
struct State {
    StreamId stream;
    Version version;    ///< of the last event taken in, 0 before the first
    Position position;  ///< of the last event taken in, 0 before the first
    JsonText json;

    friend bool operator==(const State&, const State&) = default;
    friend std::ostream& operator<<(std::ostream& out, const State& state);
};

/// The state as a value. Throws InvalidInput, which names the stream and the version, where a number such as 1e999
/// stands in it, which JSON text can hold and no value can.
[[nodiscard]] nlohmann::json value_of(const State& state);

/// One event and what it did. Valid during the call that it is handed to.
struct Step {
    const Event& event;
    const JsonText& before;
    const JsonText& after;
    const nlohmann::json& changes;  ///< the JSON Patch (RFC 6902) from before to after; see json_diff()
};

/// Sees the steps; returns whether to go on.
using StepVisitor = std::function<bool(const Step&)>;

/// The state of `stream`, as `aggregate` folds it.
///
/// Throws NotFound    the stream has no events, at_version is past its end, or no event satisfies the bounds: the
///                    aggregate did not exist yet. The message says what is there instead.
///        InvalidInput at_version or at_position is less than 1.
///        ReplayError an event could not be taken in.
///        StoreError  the disk or the file failed.
/// Cost   reads the stream from its first event. An AggregateFile folds upwards of 100,000 events a second while
///        states are small; each event costs at least the size of the state, as SQL reads and writes it whole.
[[nodiscard]] State replay(const EventStore& store, const StreamId& stream, const Aggregate& aggregate,
                           const ReplayOptions& options = {});
/// The same, by what `aggregates` has for the stream's type.
[[nodiscard]] State replay(const EventStore& store, const StreamId& stream, const AggregateRegistry& aggregates,
                           const ReplayOptions& options = {});

/// The same, and `visit` sees each step. Returns the state after the last step that it saw.
///
/// Cost  of each step: the sizes of the states before and after it.
State replay_steps(const EventStore& store, const StreamId& stream, const Aggregate& aggregate,
                   const ReplayOptions& options, const StepVisitor& visit);
State replay_steps(const EventStore& store, const StreamId& stream, const AggregateRegistry& aggregates,
                   const ReplayOptions& options, const StepVisitor& visit);

/// The engine of replay(), for events from anywhere: a filtered read, a history that did not happen.
///
/// Threads  one at a time. Lifetime: the aggregate must stay.
class Replay {
public:
    Replay(StreamId stream, const Aggregate& aggregate);
    ~Replay();
    Replay(Replay&&) noexcept;
    Replay& operator=(Replay&&) noexcept;

    /// Takes the event in. Throws ReplayError; the state is then as it was before.
    void apply(const Event& event);

    /// Takes the event in and hands `visit` what it did; returns what it returns. Throws as apply() does.
    bool step(const Event& event, const StepVisitor& visit);

    /// Goes on from a state that state() gave earlier, for the same stream and aggregate.
    void resume(const State& state);

    /// The state now; at first, the aggregate's initial one at version 0.
    [[nodiscard]] State state() const;

private:
    struct Shown;  // the last state that step() compared, kept for the next step
    [[nodiscard]] Shown show(const Event& event) const;
    void took(const Event& event);

    StreamId stream_;
    std::unique_ptr<Folding> folding_;
    std::unique_ptr<Shown> shown_;
    Version version_;
    Position position_;
};

}  // namespace stele
