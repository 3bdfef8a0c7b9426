// Deciders: what an aggregate is, from its events, and what may happen to it next.
//
//   struct Site {
//       static constexpr auto name = "Site";                        // for messages, and for snapshots
//       static constexpr int version = 1;                           // of State; asked for by snapshots alone
//       static constexpr auto aggregate_type = "Site";              // if given: no other stream is folded by it
//       using events = stele::Events<SiteCreated, SiteDeleted>;     // see schema/typed_event.hpp
//
//       struct State {                                              // before the first event: State{}
//           std::string domain;
//           bool is_there = false;
//       };
//       static State evolve(State state, const SiteCreated& created) { return {created.domain, true}; }
//       static State evolve(State state, const SiteDeleted&, const stele::Envelope& event) { … }
//
//       static SiteCreated decide(const State& state, const CreateSite& create) {
//           if (state.is_there) throw SiteExists{state.domain};
//           return {create.domain};
//       }
//   };
//
//   CommandHandler<Site> sites{store};                              // command_handler.hpp
//   sites.handle(StreamId{"Site", "site-42"}, CreateSite{"example.org"});
//
// evolve   one overload for each event that is listed, with or without the Envelope. What is not listed changes
//          nothing, unless `State evolve(State, const Event&)` takes it. A pure function: it looks at the state and
//          the event and at nothing else, and never refuses what has happened.
// decide   one overload for each command. It returns what is to happen: a typed event; a vector, an array, a tuple,
//          a pair, a variant or an optional of these, nested as you like; stele::NewEvent wherever tags, times or
//          ids are to be said; std::monostate, or nothing at all (void), where nothing is. It throws to refuse. It
//          may be called several times for one command.
//
// Both may be static, or const members of a struct with members of its own (prices, a clock for decide).
// What a struct lacks is a message of the compiler that says what to write.
#pragma once

#include <stele/replay/aggregate.hpp>
#include <stele/schema/typed_event.hpp>
#include <stele/store/event_store.hpp>

#include <concepts>
#include <exception>
#include <new>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace stele {

namespace detail {

/// What no overload that is meant for events takes, and one for anything does.
struct NoEvent {};

template <class D>
concept HasStateType = requires {
    typename D::State;
};

/// D's State, for signatures: one that is missing is a message, and not a function that is not found.
template <class D>
struct StateOf {
    static_assert(HasStateType<D>, "a fold needs the type of its state: struct State { … };");
    using type = int;
};
template <HasStateType D>
struct StateOf<D> {
    using type = typename D::State;
};

template <class D>
concept EvolvesAnyEvent = requires(const D& d, typename D::State state, const Event& event) {
    { d.evolve(std::move(state), event) } -> std::convertible_to<typename D::State>;
}
&&!requires(const D& d, typename D::State state, const NoEvent& other) { d.evolve(std::move(state), other); };

template <class D, class A>
struct Evolutions {
    static constexpr bool briefly = requires(const D& d, typename D::State state, const Exactly<A>& event) {
        { d.evolve(std::move(state), event) } -> std::convertible_to<typename D::State>;
    };
    static constexpr bool fully =
        requires(const D& d, typename D::State state, const Exactly<A>& event, const Envelope& envelope) {
        { d.evolve(std::move(state), event, envelope) } -> std::convertible_to<typename D::State>;
    };
};

template <class D, class A>
struct HasEvolution {
    static constexpr bool value = Evolutions<D, A>::briefly || Evolutions<D, A>::fully;
    static_assert(value,
                  "a fold that lists this event in `events` needs an overload for exactly this event, static or "
                  "const: State evolve(State, const SiteCreated&), or with const stele::Envelope& behind it");
};
template <class D, class A>
struct LooksAtEnvelope {
    static constexpr bool value = Evolutions<D, A>::fully;
};

template <class D>
concept SaysInitialState = requires(const D& d) {
    { d.initial() } -> std::convertible_to<typename D::State>;
};

/// What folds: a decider, or a part of a decision (decision.hpp). The compiler names D beside the message.
template <class D>
struct CheckedEvolving {
    static constexpr bool has_state = HasStateType<D>;  // StateOf says it

    template <class A>
    using Evolution = HasEvolution<D, A>;
    template <class A>
    using Looks = LooksAtEnvelope<D, A>;

    static constexpr bool has_beginning() {
        if constexpr (has_state) return std::default_initializable<typename D::State> || SaysInitialState<D>;
        return true;
    }
    static_assert(has_beginning(),
                  "a fold needs a state before the first event: State with a default constructor, or static State "
                  "initial()");

    static constexpr bool has_evolutions() {
        if constexpr (has_state) {
            if constexpr (ListsEvents<D>)
                return EventList<typename D::events>::is_sound &&
                       EventList<typename D::events>::template each<Evolution>;
            return EvolvesAnyEvent<D>;
        }
        return true;
    }
    static constexpr bool says_events() {
        if constexpr (has_state) return ListsEvents<D> || EvolvesAnyEvent<D>;
        return true;
    }
    static_assert(says_events(),
                  "a fold needs events: `using events = stele::Events<SiteCreated, …>;` and an overload State "
                  "evolve(State, const SiteCreated&) for each; or State evolve(State, const stele::Event&)");

    static constexpr bool is_sound = has_state && has_beginning() && says_events() && has_evolutions();

    /// What of an event the overloads can see.
    static constexpr EventParts parts() {
        if constexpr (ListsEvents<D>) {
            if (!EvolvesAnyEvent<D> && !EventList<typename D::events>::template any<Looks>)
                return {.id = false, .data = true, .metadata = false, .tags = false};
        }
        return {};
    }
};

template <class D>
struct CheckedDecider {
    static constexpr bool has_name = requires(const D& d) {
        { d.name } -> std::convertible_to<std::string_view>;
    };
    static_assert(has_name, "a decider needs a name: static constexpr auto name = \"Site\";");
    static constexpr bool is_sound = has_name && CheckedEvolving<D>::is_sound;
};

template <class D>
[[nodiscard]] std::string name_of(const D& decider) {
    if constexpr (requires { std::string_view{decider.name}; }) return std::string{std::string_view{decider.name}};
    return {};
}

template <class D>
[[nodiscard]] typename D::State initial_state(const D& decider) {
    if constexpr (SaysInitialState<D>) {
        return decider.initial();
    } else {
        return typename D::State{};
    }
}

/// The state with the event taken in; throws what evolve throws, and InvalidInput where the data does not fit.
template <class D>
void evolve_by(const D& decider, typename D::State& state, const Event& event) {
    if constexpr (ListsEvents<D>) {
        const auto take = [&](const auto& typed) {
            if constexpr (Evolutions<D, std::decay_t<decltype(typed)>>::fully) {
                state = decider.evolve(std::move(state), typed, event);
            } else {
                state = decider.evolve(std::move(state), typed);
            }
        };
        if (EventList<typename D::events>::dispatch(event, take)) return;
    }
    if constexpr (EvolvesAnyEvent<D>) state = decider.evolve(std::move(state), event);
}

/// The same; whatever is thrown becomes a ReplayError that names the event.
template <class D>
void take_in(const D& decider, typename D::State& state, const Event& event) {
    try {
        evolve_by(decider, state, event);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        const auto name = name_of(decider);
        throw ReplayError{name.empty() ? "decision" : "decider " + name, event, error.what()};
    }
}

// ---- What was decided, as events

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;

template <class T>
void add_decided(std::vector<NewEvent>& events, T&& decided) {
    using Value = std::remove_cvref_t<T>;
    if constexpr (std::same_as<Value, std::monostate>) {
        return;
    } else if constexpr (std::same_as<Value, NewEvent>) {
        events.push_back(std::forward<T>(decided));
    } else if constexpr (NamedEvent<Value>) {
        events.push_back(stele::event(decided));
    } else if constexpr (is_optional<Value>) {
        if (decided) add_decided(events, *std::forward<T>(decided));
    } else if constexpr (is_variant<Value>) {
        std::visit([&](auto&& one) { add_decided(events, std::forward<decltype(one)>(one)); },
                   std::forward<T>(decided));
    } else if constexpr (is_tuple<Value>) {
        std::apply([&](auto&&... each) { (add_decided(events, std::forward<decltype(each)>(each)), ...); },
                   std::forward<T>(decided));
    } else if constexpr (std::ranges::input_range<Value>) {
        for (auto&& one : decided) {
            if constexpr (std::is_lvalue_reference_v<T>) {
                add_decided(events, one);
            } else {
                add_decided(events, std::move(one));
            }
        }
    } else {
        static_assert(
            NamedEvent<Value>,
            "a decision returns typed events (structs with static constexpr auto type = \"SiteCreated\"), "
            "stele::NewEvent, a vector, tuple, variant or optional of these, or nothing");
    }
}

/// What `decide` returns, as events.
template <class Decide>
[[nodiscard]] std::vector<NewEvent> decided_by(const Decide& decide) {
    std::vector<NewEvent> events;
    if constexpr (std::is_void_v<decltype(decide())>) {
        decide();
    } else {
        add_decided(events, decide());
    }
    return events;
}

template <class D, class Command>
concept DecidesOn = requires(const D& d, const typename D::State& state, const Command& command) {
    d.decide(state, command);
};

template <class D, class Command>
[[nodiscard]] std::vector<NewEvent> decisions_of(const D& decider, const typename D::State& state,
                                                 const Command& command) {
    // Functions first: a lambda without captures is convertible to bool, and so to some overload's command.
    if constexpr (std::invocable<const Command&, const typename D::State&>) {
        return decided_by([&] { return command(state); });
    } else {
        static_assert(DecidesOn<D, Command>,
                      "a decider needs an overload for this command, static or const: std::vector<stele::NewEvent> "
                      "decide(const State&, const CreateSite&), or one that returns typed events");
        return decided_by([&] { return decider.decide(state, command); });
    }
}

}  // namespace detail

/// A state and how far it has come.
template <class State>
struct Loaded {
    State state;
    Version version{};    ///< of the last event taken in, or that upcasters made nothing of; 0 before the first
    Position position{};  ///< the same, in the log
};

/// The state after `events`: any range of Event, such as a read, or a vector of histories that never were.
/// Throws what reading throws, and ReplayError for an event that cannot be taken in.
template <class D, class EventsRange>
[[nodiscard]] typename detail::StateOf<D>::type fold(EventsRange&& events, const D& decider = {}) {
    static_assert(detail::CheckedEvolving<D>::is_sound);
    auto state = detail::initial_state(decider);
    for (const Event& event : events) detail::take_in(decider, state, event);
    return state;
}

/// What `command` would make happen in `state`: nothing is appended. A function that takes the state and returns
/// events does for a command as well.
template <class D, class Command>
[[nodiscard]] std::vector<NewEvent> decide(const typename D::State& state, const Command& command,
                                           const D& decider = {}) {
    static_assert(detail::CheckedDecider<D>::is_sound);
    return detail::decisions_of(decider, state, command);
}

namespace detail {
/// Throws InvalidInput where `stream` is not of the aggregate type that the decider names.
void require_aggregate_type(const StreamId& stream, std::string_view expected, const std::string& decider);

template <class D>
void require_own_stream(const D& decider, const StreamId& stream) {
    if constexpr (requires { std::string_view{decider.aggregate_type}; })
        require_aggregate_type(stream, decider.aggregate_type, name_of(decider));
}

/// Makes `version` and `position` those of the stream's event at `end`, where they are before it: what stands in
/// between, upcasters made nothing of. The position stays where it was if the event is not found.
void raise_to(const EventStore& store, const StreamId& stream, Version end, Version& version, Position& position);

/// Takes in what stands behind `known` in the stream; returns how many events. `known` comes to the version that
/// the stream has now, at least, also where upcasters drop its last events.
template <class D>
std::size_t catch_up(const EventStore& store, const StreamId& id, const D& decider,
                     Loaded<typename D::State>& known) {
    // Asked before reading, so that no event that comes meanwhile is passed over.
    const auto end = store.version(id);
    if (!end || *end <= known.version) return 0;
    std::size_t taken = 0;
    for (const Event& event : store.read(stream(id).from(known.version.next()).only(CheckedEvolving<D>::parts()))) {
        take_in(decider, known.state, event);
        known.version = event.version;
        known.position = event.position;
        ++taken;
    }
    raise_to(store, id, *end, known.version, known.position);
    return taken;
}
}  // namespace detail

/// The aggregate as it is now. A stream without events gives the state before the first, at version 0.
///
/// Throws InvalidInput the stream is of another aggregate type than the decider; ReplayError, StoreError,
/// UpcastError. Cost   reads the stream from its first event; CommandHandler::load() knows how to do better.
template <class D>
[[nodiscard]] Loaded<typename detail::StateOf<D>::type> load(const EventStore& store, const StreamId& stream,
                                                             const D& decider = {}) {
    static_assert(detail::CheckedDecider<D>::is_sound);
    detail::require_own_stream(decider, stream);
    Loaded<typename D::State> known{detail::initial_state(decider)};
    detail::catch_up(store, stream, decider, known);
    return known;
}

}  // namespace stele
