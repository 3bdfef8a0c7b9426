// Aggregate: how the events of one aggregate type become a state.
//
// State is a JSON value. An Aggregate gives the state before the first event and, for each event, the state after
// it. Two kinds come with Stele: AggregateFile, SQL expressions in a file, and the merge patch, which is used
// where nothing else speaks for a type. A third is a class of yours that implements these two interfaces.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace stele {

/// One fold under way: a state, and how an event changes it. One thread at a time.
///
/// A pure function of the state and the event: folding the same events from the same state gives the same state,
/// always and everywhere. So a fold that resume()s at state() and goes on ends where one that was never
/// interrupted ends.
class Folding {
public:
    Folding() = default;
    Folding(const Folding&) = delete;
    Folding& operator=(const Folding&) = delete;
    virtual ~Folding() = default;

    /// Goes on from `state`, which state() gave earlier.
    virtual void resume(const JsonText& state) = 0;

    /// Takes the event in. Throws ReplayError where that fails; the state is then as it was before.
    virtual void apply(const Event& event) = 0;

    /// The state now. Cost: up to its size.
    [[nodiscard]] virtual JsonText state() const = 0;
};

/// How the events of one aggregate type fold. Immutable: any thread may use it at any time.
class Aggregate {
public:
    virtual ~Aggregate() = default;

    /// The aggregate type that it speaks for; empty: any.
    [[nodiscard]] virtual std::string_view aggregate_type() const noexcept = 0;

    /// Whatever tells it from an Aggregate that folds otherwise, such as its text: snapshots of another definition
    /// are not looked at. Empty: there are to be none.
    [[nodiscard]] virtual std::string definition() const { return {}; }

    /// A fold that has seen no event yet. Must not outlive the Aggregate.
    [[nodiscard]] virtual std::unique_ptr<Folding> begin() const = 0;

protected:
    Aggregate() = default;
    Aggregate(const Aggregate&) = default;
    Aggregate& operator=(const Aggregate&) = default;
};

/// The default: state is the JSON merge patch (RFC 7396) of all data so far, and `$type` of the last event.
/// Precisely:
///
/// - Before the first event, the state is `{}`. It is an object at all times.
/// - Data that is an object is merged into the state: a member that is null removes the member of that name, one
///   that is an object is merged into the member in the same way, and any other value (an array too) replaces it.
/// - Data that is no object (null, true, false, a number, a string, an array) has no members to merge. It becomes
///   the member `$data`, in place of an earlier one, and nothing else changes.
/// - Then the member `$type` is set to the event's type, whatever the data said under that name.
///
/// The members of the state are written in byte order of their names. Integers from -2^63 to 2^64-1 are kept
/// exactly; other numbers are doubles. Where an object names a member twice, the last one counts.
///
/// Cost of an event: the size of its data, however large the state.
[[nodiscard]] const Aggregate& merge_patch();

/// An event could not be taken into a state: which expression, which event, why. what() reads
/// `aggregates/order.sql:12: order/10248: version 3, position 17, OrderShipped v1: <reason>`.
class ReplayError : public Error {
public:
    /// `source` is the file and line of the expression, such as "aggregates/order.sql:12".
    ReplayError(std::string_view source, const Event& event, std::string_view reason);
};

}  // namespace stele
