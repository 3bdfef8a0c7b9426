#include "stored_append.hpp"

namespace stele {

StoredParts::StoredParts(const UpcastingBackend& backend, const PendingAppend& given) : given_(given) {
    streams_.reserve(given.parts.size());
    for (const auto& part : given.parts) {
        streams_.push_back(backend.stored(*part.stream));
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
    for (const auto& part : given.parts()) stored.to(backend.stored(part.stream), part.expected, part.events);
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
