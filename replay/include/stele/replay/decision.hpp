// Decisions over several streams and tags: what is read is what the append depends on, and nothing else.
//
// A decision model is composed of parts. Each part is a query and a fold of the events that it selects:
//
//   struct SeatsTaken {                                             // how many seats of a course are taken
//       std::string course;
//       using State = int;
//       using events = stele::Events<Subscribed, Unsubscribed>;
//       stele::Query query() const { return matching(tags("course:" + course)); }     // of these types alone
//       State evolve(State taken, const Subscribed&) const { return taken + 1; }
//       State evolve(State taken, const Unsubscribed&) const { return taken - 1; }
//   };
//
//   decide(store, stream, model(Capacity{course}, SeatsTaken{course}, CoursesOf{student}),
//          [&](int capacity, int taken, int courses) -> Subscribed {
//              if (taken >= capacity) throw CourseIsFull{course};
//              if (courses >= 5) throw TooManyCourses{student};
//              return {course, student};
//          });
//
// All parts are read in one pass, `a | b | …`, up to one position of the log; the append is refused when an event
// of that very query stands behind that position, and then what is new is read and it is decided again. So two
// decisions are in each other's way exactly when one appends what the other has read: a subscription to another
// course by another student is not.
#pragma once

#include <stele/replay/command_handler.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace stele {

namespace detail {

template <class P>
struct CheckedPart {
    static constexpr bool has_query = requires(const P& part) {
        { part.query() } -> std::convertible_to<Query>;
    };
    static_assert(has_query, "a part of a decision needs a query: stele::Query query() const");
    static constexpr bool is_sound = has_query && CheckedEvolving<P>::is_sound;
};

/// The part's query, narrowed to the types that it lists, unless it takes any.
template <class P>
[[nodiscard]] Query query_of(const P& part) {
    if constexpr (ListsEvents<P> && !EvolvesAnyEvent<P>) {
        return Read{part.query()}.types(EventList<typename P::events>::types()).query();
    } else {
        return part.query();
    }
}

/// After some attempts, those who decide again on one store do it one after another, so that each gets through.
/// Null where another thread has the turn, and this one is within one already and must not wait for it
/// (StreamTurn).
[[nodiscard]] std::shared_ptr<void> take_turn_of_losers(const EventStore& store);
inline constexpr int free_attempts = 3;

}  // namespace detail

/// What a decision knows: the state of each part, and up to where the log was read.
template <class... Parts>
struct Known {
    std::tuple<typename Parts::State...> states;
    Query query;      ///< of all parts
    Position head{};  ///< everything that `query` selects up to there is in `states`

    template <std::size_t I>
    [[nodiscard]] const auto& get() const {
        return std::get<I>(states);
    }
    /// "… unless something that I would have read has come since."
    [[nodiscard]] Condition condition() const { return query.after(head); }
};

/// Parts that are read together.
template <class... Parts>
class DecisionModel {
    static_assert(sizeof...(Parts) > 0, "a decision model has at least one part");

public:
    explicit DecisionModel(Parts... parts) : parts_(std::move(parts)...) {
        each([&](const auto& part, std::size_t i) { queries_[i] = detail::query_of(part); });
        query_ = queries_[0];
        for (std::size_t i = 1; i < queries_.size(); ++i) query_ = query_ | queries_[i];
    }

    /// What any of the parts selects.
    [[nodiscard]] const Query& query() const noexcept { return query_; }

    /// Reads the log. Throws ReplayError for an event that cannot be taken in, StoreError, UpcastError.
    /// Cost: the events that the parts select, by their indices, once each.
    [[nodiscard]] Known<Parts...> read(const EventStore& store) const {
        Known<Parts...> known{initial(std::index_sequence_for<Parts...>{}), query_, {}};
        catch_up(store, known);
        return known;
    }

    /// Reads on from where `known` has come to.
    void catch_up(const EventStore& store, Known<Parts...>& known) const {
        const auto head = store.head();
        if (head <= known.head) return;
        auto queries = queries_;
        for (auto& query : queries) query = store.today(query);
        for (const Event& event : store.read(Read{query_}.after(known.head).until(head).only(event_parts())))
            take_in(known.states, event, queries, std::index_sequence_for<Parts...>{});
        known.head = head;
    }

private:
    template <class Visit>
    void each(const Visit& visit) const {
        std::apply(
            [&](const auto&... part) {
                std::size_t i = 0;
                (visit(part, i++), ...);
            },
            parts_);
    }

    template <std::size_t... I>
    [[nodiscard]] std::tuple<typename Parts::State...> initial(std::index_sequence<I...>) const {
        return {detail::initial_state(std::get<I>(parts_))...};
    }

    // Tags, to tell which part an event is for.
    static constexpr EventParts event_parts() {
        auto all = (detail::CheckedEvolving<Parts>::parts() | ...);
        all.tags = true;
        return all;
    }

    template <std::size_t... I>
    void take_in(std::tuple<typename Parts::State...>& states, const Event& event,
                 const std::array<Query, sizeof...(Parts)>& queries, std::index_sequence<I...>) const {
        ((queries[I].matches(event) ? detail::take_in(std::get<I>(parts_), std::get<I>(states), event) : void()),
         ...);
    }

    std::tuple<Parts...> parts_;
    std::array<Query, sizeof...(Parts)> queries_;
    Query query_;
};

template <class... Parts>
[[nodiscard]] DecisionModel<Parts...> model(Parts... parts) {
    static_assert((detail::CheckedPart<Parts>::is_sound && ...));
    return DecisionModel<Parts...>{std::move(parts)...};
}

struct DecideOptions {
    int attempts = 50;  ///< how often it is decided at most, at least 1
    std::string by{};   ///< metadata.actor of the events that name none themselves; an Append says it itself
};

namespace detail {

template <class Model, class Compose>
Handled decide_until_known(EventStore& store, const Model& model, const Compose& compose, int attempts) {
    require_attempts(attempts);
    auto known = model.read(store);
    std::shared_ptr<void> turn;
    for (int attempt = 1;; ++attempt) {
        std::optional<Append> append = compose(known.states);
        if (!append || append->empty()) return {{}, attempt};
        append->unless(known.condition());
        const auto result = append_known(store, *append);
        if (const auto* appended = std::get_if<Appended>(&result)) return {*appended, attempt};
        if (attempt >= attempts) throw TooManyConflicts{store.name(), details_of(result), attempt};
        if (attempt >= free_attempts && !turn) turn = take_turn_of_losers(store);
        model.catch_up(store, known);
    }
}

}  // namespace detail

/// Decides on what the parts of `model` know, each state an argument of `decide` in the order of the parts, and
/// appends what it returns (see decider.hpp) to `stream`, under the condition that follows from what was read.
///
/// Throws what `decide` throws; nothing was appended then. TooManyConflicts, InvalidInput, ReplayError, StoreError,
///        as CommandHandler::handle() does.
template <class... Parts, class Decide>
requires std::invocable<const Decide&, const typename Parts::State&...> Handled
decide(EventStore& store, const StreamId& stream, const DecisionModel<Parts...>& model, const Decide& decide,
       const DecideOptions& options = {}) {
    const auto compose = [&](const std::tuple<typename Parts::State...>& states) -> std::optional<Append> {
        auto events = detail::decided_by([&] { return std::apply(decide, states); });
        if (events.empty()) return std::nullopt;
        detail::mark(events, {.by = options.by});
        return Append{}.to(stream, expect::any, std::move(events));
    };
    return detail::decide_until_known(store, model, compose, options.attempts);
}

/// The same for decisions whose events go to several streams: `decide` returns an Append, one without events where
/// nothing is to happen. It may hold expectations and conditions of its own.
template <class... Parts, class Decide>
requires std::same_as<std::invoke_result_t<const Decide&, const typename Parts::State&...>, Append> Handled
decide(EventStore& store, const DecisionModel<Parts...>& model, const Decide& decide,
       const DecideOptions& options = {}) {
    const auto compose = [&](const std::tuple<typename Parts::State...>& states) -> std::optional<Append> {
        return std::apply(decide, states);
    };
    return detail::decide_until_known(store, model, compose, options.attempts);
}

}  // namespace stele
