#include "stored_append.hpp"

#include <algorithm>

namespace stele {

namespace {

// Append::to() sees one stream twice only where it has one name.
InvalidInput named_again(const StreamId& given, const StreamId& stored) {
    return {"stream", "one expectation a stream, given where it is first named",
            given.name() + ", which is stored as " + stored.name() + ", named again with an expectation"};
}

}  // namespace

StoredParts::StoredParts(const UpcastingBackend& backend, const PendingAppend& given) : given_(given) {
    streams_.reserve(given.parts.size());
    for (const auto& part : given.parts) {
        auto stored = backend.stored(*part.stream);
        if (part.expected != expect::any && std::find(streams_.begin(), streams_.end(), stored) != streams_.end()) {
            throw named_again(*part.stream, stored);
        }
        streams_.push_back(std::move(stored));
        parts_.push_back({&streams_.back(), part.expected, part.events});
    }
    for (const auto& condition : given.conditions) {
        conditions_.emplace_back(backend.stored(condition.query()), condition.after());
    }
}

PendingAppend StoredParts::append() const {
    return {.parts = parts_,
            .conditions = conditions_,
            .tracking = given_.tracking,
            .deadline = given_.deadline,
            .checked_by = given_.checked_by,
            .violation = given_.violation,
            .outcome = {}};
}

Append stored_append(const UpcastingBackend& backend, const Append& given) {
    Append stored;
    for (const auto& part : given.parts()) {
        auto name = backend.stored(part.stream);
        const auto is_it = [&](const AppendPart& before) { return before.stream == name; };
        if (part.expected != expect::any && std::any_of(stored.parts().begin(), stored.parts().end(), is_it)) {
            throw named_again(part.stream, name);
        }
        stored.to(std::move(name), part.expected, part.events);
    }
    for (const auto& condition : given.conditions()) {
        stored.unless({backend.stored(condition.query()), condition.after()});
    }
    if (given.tracking()) {
        stored.tracking(given.tracking()->source, given.tracking()->position, given.tracking()->note);
    }
    return stored;
}

void give_names_of_today(const UpcastingBackend& backend, std::span<const Condition> given, AppendResult& result) {
    if (auto* conflict = std::get_if<VersionConflict>(&result)) conflict->stream = backend.today(conflict->stream);
    if (auto* conflict = std::get_if<ConditionConflict>(&result))
        conflict->query = given[conflict->condition].query();
}

}  // namespace stele
