// What is appended while an event is being handled, with the ids that say so (see schema/causation.hpp).
#pragma once

#include <stele/schema/causation.hpp>
#include <stele/store/append.hpp>

#include <list>
#include <span>
#include <utility>
#include <vector>

namespace stele {

/// Events as they are to be appended by this thread: outside of every scope the very ones that were given; within
/// one, copies that it keeps.
class Caused {
public:
    std::span<const NewEvent> events(std::span<const NewEvent> given) {
        auto* const scope = CausationScope::current();
        if (scope == nullptr) return given;
        auto& events = kept_.emplace_back(given.begin(), given.end());
        for (auto& event : events) scope->complete(event);
        return events;
    }

private:
    std::list<std::vector<NewEvent>> kept_;
};

/// The same append, its events completed, for a thread that knows nothing of the scope. Requires one.
[[nodiscard]] inline Append caused(const Append& given) {
    Append append;
    for (const auto& part : given.parts()) {
        auto events = part.events;
        for (auto& event : events) CausationScope::current()->complete(event);
        append.to(part.stream, part.expected, std::move(events));
    }
    for (const auto& condition : given.conditions()) append.unless(condition);
    if (const auto& tracking = given.tracking())
        append.tracking(tracking->source, tracking->position, tracking->note);
    return std::move(append.checked(given.checked()));
}

}  // namespace stele
