// SchemaInference: proposes a JSON Schema from data that is there.
#pragma once

#include <stele/schema/json_text.hpp>

#include <cstdint>
#include <memory>

namespace stele {

/// Looks at one value after the other and keeps what they have in common:
///
///   - the types seen at each place; integer where no number had a fraction; null beside the others
///   - the members of objects; required are those that every object there had
///   - one schema for all items of an array
///   - enum, where a place held a few short strings over and over, each of them more than once
///   - format date-time or uuid, where all strings had that form (a note to the reader; nothing is checked by it)
///
/// Objects are left open, as data may grow. Every value that was added fits the schema.
///
/// The result depends on which values were added, not on their order. Memory is bounded: beyond 60 levels, 200
/// members of one object or 20,000 places in all, what follows is left open. An object with so many different names
/// is taken for a map.
class SchemaInference {
public:
    SchemaInference();
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
