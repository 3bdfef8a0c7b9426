// SchemaInference: proposes a JSON Schema from data that is there.
#pragma once

#include <stele/schema/json_text.hpp>

#include <cstdint>
#include <memory>

namespace stele {

struct SchemaInferenceOptions {
    /// Propose an `enum` where a place held at most eight strings of at most 24 bytes over and over, each of them
    /// more than once. The proposal then holds values of the data, which may be personal, while a schema is often
    /// published; without it, no value of the data is kept, nor stands in the proposal. Names of members always do.
    bool enums = false;
};

/// Looks at one value after the other and keeps what they have in common:
///
///   - the types seen at each place; integer where no number had a fraction; null beside the others
///   - the members of objects; required are those that every object there had
///   - one schema for all items of an array
///   - enum, where SchemaInferenceOptions ask for it
///   - format date-time or uuid, where all strings had that form (a note to the reader; nothing is checked by it)
///
/// Objects are left open, as data may grow. Every value that was added fits the schema.
///
/// An object with more than 200 different names is taken for a map: one schema for all its members. Members whose
/// name is longer than 100 bytes are not kept apart by their names: they are left open, and part of the map where
/// the object is one.
///
/// Memory is bounded, at some ten megabytes: what lies deeper than 60 levels, and what would take more than 20,000
/// places in all, is left open. Within 20,000 places the result depends on which values were added, not on their
/// order; beyond, places that were met first are described.
class SchemaInference {
public:
    explicit SchemaInference(SchemaInferenceOptions options = {});
    SchemaInference(SchemaInference&&) noexcept;
    SchemaInference& operator=(SchemaInference&&) noexcept;
    ~SchemaInference();

    /// Throws InvalidInput where a number is beyond what a double holds.
    void add(const JsonText& value);
    void add(const nlohmann::json& value);

    /// How many values were added.
    [[nodiscard]] std::uint64_t count() const noexcept;

    /// A schema of draft-07 that all values fit, written over several lines.
    [[nodiscard]] JsonText schema() const;

private:
    struct Seen;
    std::unique_ptr<Seen> seen_;
};

}  // namespace stele
