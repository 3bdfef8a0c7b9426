// HistoryWalk: a stream's history to walk through, forward and back, one event at a time.
//
//     HistoryWalk walk{store, id, aggregate};
//     walk.go_to(walk.last());
//     while (walk.version() > Version{0} && !is_sound(walk.state())) walk.back();
//
// It stands behind a version, 0 being before the first event. To go back it folds anew from the nearest of the
// states that it kept on the way. It keeps a bounded number of them: when there are too many, every second one
// goes, and further ones are kept at twice the distance. So memory is bounded however long the stream, and a step
// back costs about as many events as the stream has for each state kept.
#pragma once

#include <stele/replay/replay.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace stele {

/// The stream ends, for a walk, where it ended when the walk began.
///
/// Threads  one at a time. Lifetime: the store and the aggregate must stay.
class HistoryWalk {
public:
    struct Options {
        std::int64_t keep_every = 64;  ///< versions between two states that are kept at first, >= 1
        std::size_t most_kept = 256;   ///< states
        std::size_t most_bytes = std::size_t{64} << 20;  ///< of states; one is kept in any case
        /// Called every thousand events of a long way, with how many are behind, of how many.
        std::function<void(std::int64_t done, std::int64_t total)> progress = {};
    };

    /// Stands at version 0. Throws NotFound where the stream has no events, InvalidInput for options that cannot
    /// be.
    HistoryWalk(const EventStore& store, StreamId stream, const Aggregate& aggregate);
    HistoryWalk(const EventStore& store, StreamId stream, const Aggregate& aggregate, Options options);

    [[nodiscard]] const StreamId& stream() const noexcept { return stream_; }
    [[nodiscard]] Version version() const noexcept { return now_.version; }
    [[nodiscard]] Version last() const noexcept { return last_; }

    /// The state behind version().
    [[nodiscard]] const State& state() const noexcept { return now_; }
    /// The state before it; that of version 0 at version 0.
    [[nodiscard]] const State& before() const noexcept { return before_; }
    /// The events of this version, mostly one: upcasters may make several of one, or none. None at version 0.
    [[nodiscard]] const std::vector<Event>& events() const noexcept { return events_; }
    /// What they changed, as a JSON Patch. Throws what value_of() throws.
    [[nodiscard]] nlohmann::json changes() const;

    // Each of these throws ReplayError where an event on the way cannot be taken in, and StoreError; the walk then
    // stands where it stood.

    /// Goes to `version`, or the nearest that there is.
    void go_to(Version version);
    /// False at the last version.
    bool forward();
    /// False at version 0.
    bool back();
    /// Goes to the next version behind which the value at `pointer`, a JSON Pointer, is another one than before it,
    /// or came, or went. False where there is none; the walk then stays. Throws InvalidInput for what is no
    /// pointer.
    bool next_change(std::string_view pointer);
    /// The same, back: to the last version before this one that changed it.
    bool previous_change(std::string_view pointer);

    /// How many states are kept now. For tests.
    [[nodiscard]] std::size_t kept() const noexcept { return kept_.size(); }

private:
    struct Place {
        State before;
        State now;
        std::vector<Event> events;
    };
    [[nodiscard]] Place place_at(Version version);
    void stand(Place place);
    [[nodiscard]] bool is_to_be_kept(Version version) const;
    void keep(const State& state);
    void thin_out();
    template <class Visit>
    void fold(Version first, Version last, Visit visit);

    const EventStore& store_;
    StreamId stream_;
    const Aggregate& aggregate_;
    Options options_;
    Version last_;
    State initial_;
    State before_;
    State now_;
    std::vector<Event> events_;
    std::map<Version, State> kept_;
    std::size_t kept_bytes_ = 0;
};

}  // namespace stele
