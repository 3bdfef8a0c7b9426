// blame: each field of an aggregate's state, with the event that last set it.
//
//     for (const auto& field : blame(store, id, aggregate).fields)
//         std::cout << field.pointer << ": " << field.value << ", set by " << field.set_by->type << '\n';
//
// Precisely. A field is a value of the state that holds no others: a string, a number, true, false, null, an empty
// object or an empty array. It was last set by the last event behind which the value at its place was another one,
// or was not there:
//
// - Writing a value that is there already sets nothing.
// - Elements of an array keep their event when others are put in or taken out beside them: what stays and what
//   moves is what json_diff() says, so an element that is the same and stands behind the same elements as before
//   has only moved. (Two that change places: one of them stays, the other is put in anew.)
// - An empty object or array was set by the event that made it, or that took its last member or element out.
// - A value that changes kind, as from a number to an object, is set as a whole.
// - What no event has set is of the aggregate's initial state.
#pragma once

#include <stele/replay/event_facts.hpp>
#include <stele/replay/replay.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// A field of the state.
struct BlamedField {
    std::string pointer;  ///< RFC 6901; empty where the state as a whole is one value
    nlohmann::json value;
    std::shared_ptr<const EventFacts> set_by;  ///< null: of the aggregate's initial state
};

struct Blamed {
    State state;
    std::vector<BlamedField> fields;  ///< members in byte order of their names, elements by index
};

/// The fields of the state, or of what is at `pointer` in it.
///
/// Throws what replay() throws, InvalidInput where `pointer` is no JSON Pointer, and NotFound where nothing is
///        there; the message says which event took it away, where one did.
/// Cost   of replay_steps(): of each event, the sizes of the states before and after it. Keeping the book costs
///        what an event changes. Memory: one entry for each value of the state, and an EventFacts for each event
///        that is still to blame for something.
[[nodiscard]] Blamed blame(const EventStore& store, const StreamId& stream, const Aggregate& aggregate,
                           std::string_view pointer = {}, const ReplayOptions& options = {});

/// The engine of blame(), for events from anywhere.
class BlameBook {
public:
    /// For a state that no event has touched.
    explicit BlameBook(const nlohmann::json& initial);
    ~BlameBook();
    BlameBook(BlameBook&&) noexcept;
    BlameBook& operator=(BlameBook&&) noexcept;

    /// Enters what `event` changed: the JSON Patch that json_diff() gave for it.
    void enter(const Event& event, const nlohmann::json& changes);

    /// The fields of `state`, which is the one that the last enter() led to, or of what is at `pointer` in it; none
    /// where nothing is there.
    [[nodiscard]] std::vector<BlamedField> fields(const nlohmann::json& state, std::string_view pointer = {}) const;

private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace stele
