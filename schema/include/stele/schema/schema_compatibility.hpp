// What changed from one version of a schema to the next, and whom that breaks.
//
//     const auto comparison = compare_schemas(v1, v2);
//     if (!comparison.meets(Compatibility::backward)) for (const auto& change : comparison.changes) …
//
//   backward   new readers can read old data: whatever fits the older schema fits the newer one
//   forward    old readers can read new data: whatever fits the newer schema fits the older one
//   full       both
//
// The comparison is careful: where it cannot decide (a pattern became another one, `if` changed), it says so, and
// what it cannot tell meets no demand. What adds a rule counts as breaking, though some other rule may have made it
// true already. One thing is taken for granted: that members which a schema leaves open and does not name are not
// in use. A new optional member of an open object is compatible, though data could have had another value under
// that name; checking the events that are stored finds out.
#pragma once

#include <stele/schema/json_schema.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stele {

enum class Compatibility { none, backward, forward, full };

/// "none", "backward", "forward" or "full". Throws InvalidInput for another word.
[[nodiscard]] Compatibility compatibility_from(std::string_view word);
[[nodiscard]] std::string_view to_string(Compatibility compatibility) noexcept;

/// Whether something holds: of a change, that it breaks nothing; of two schemas, that they are compatible.
enum class Holds { yes, no, cannot_tell };

/// "yes", "no" or "cannot tell".
[[nodiscard]] std::string_view to_string(Holds holds) noexcept;

struct SchemaChange {
    std::string pointer;  ///< into the newer schema; into the older one where the newer has no such place
    std::string what;     ///< "type: integer became string"
    Holds backward;       ///< whether all old data still fits
    Holds forward;        ///< whether all new data fits the older schema
    std::string why;      ///< who is broken, and how; empty where nobody is
};

struct SchemaComparison {
    Holds backward = Holds::yes;
    Holds forward = Holds::yes;
    std::vector<SchemaChange> changes;  ///< those that break nothing too, such as other descriptions
    nlohmann::json patch;               ///< RFC 6902: makes the newer document of the older one

    /// Whether what is demanded is known to hold.
    [[nodiscard]] bool meets(Compatibility demanded) const noexcept;

    /// What is known to hold.
    [[nodiscard]] Compatibility known() const noexcept;
};

/// Cost: a walk through both documents, following references.
[[nodiscard]] SchemaComparison compare_schemas(const JsonSchema& older, const JsonSchema& newer);

}  // namespace stele
