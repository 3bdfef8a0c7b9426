// fold: a state of your own type from events, in one expression.
//
//     Order apply(Order order, const Event& event);
//
//     const Order order = fold(store.read(StreamId{"order", "10248"}), Order{}, apply);
//
// `events` is any range of Event: a read, a vector, or a range-v3 pipeline over either, so what is to be left out,
// grouped or looked at on the way is a stage of the pipeline and not a parameter here:
//
//     auto events = store.read(id);
//     fold(events | ranges::views::filter(is_shipping), Parcel{}, apply);
#pragma once

#include <stele/schema/event.hpp>

#include <concepts>
#include <functional>
#include <utility>

namespace stele {

/// A function that gives the next state: `apply(State, const Event&) -> State`. It gets the old state to keep, so
/// a large one is moved along and never copied.
template <class Apply, class State>
concept Evolves = std::movable<State> && std::invocable<Apply&, State, const Event&> &&
    std::convertible_to<std::invoke_result_t<Apply&, State, const Event&>, State>;

/// The state after the last of `events`, beginning with `state`: `apply(apply(apply(state, e1), e2), e3)`.
///
/// Throws what reading throws and what `apply` throws. Holds one event and one state at a time.
template <class Events, class State, Evolves<State> Apply>
[[nodiscard]] State fold(Events&& events, State state, Apply apply) {
    for (const Event& event : events) state = std::invoke(apply, std::move(state), event);
    return state;
}

}  // namespace stele
