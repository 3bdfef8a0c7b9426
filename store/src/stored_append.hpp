// What is appended, in the names that the log has it under; and the answer, in those of today.
#pragma once

#include "upcasting_backend.hpp"

#include <vector>

namespace stele {

/// A pending append translated; views what it was made of.
class StoredParts {
public:
    StoredParts(const UpcastingBackend& backend, const PendingAppend& given);

    [[nodiscard]] PendingAppend append() const;

private:
    const PendingAppend& given_;
    std::vector<StreamId> streams_;
    std::vector<PartView> parts_;
    std::vector<Condition> conditions_;
};

/// The same of an append that is kept.
[[nodiscard]] Append stored_append(const UpcastingBackend& backend, const Append& given);

/// A conflict names the stream and the query that the caller knows.
void give_names_of_today(const UpcastingBackend& backend, std::span<const Condition> given, AppendResult& result);

}  // namespace stele
