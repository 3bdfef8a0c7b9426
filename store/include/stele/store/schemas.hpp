// The schemas that a store keeps, and what it does with events that break them.
//
// A store records, for each version of an event type, the JSON Schema that its data must satisfy. They stand in the
// log's own file, so every writer in every process checks alike, whatever it was built with. What is recorded
// stays: a version is changed by adding the next one.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/json_text.hpp>
#include <stele/schema/stream_id.hpp>
#include <stele/schema/time.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace stele {

/// What an append checks.
enum class SchemaMode {
    off,       ///< nothing
    declared,  ///< events of types that have a schema, but for versions older than the first that has one; other
               ///< types are taken as they are. The default
    strict,    ///< the same, and events whose type and version have none are refused
};

/// "off", "declared", "strict".
[[nodiscard]] std::string_view to_string(SchemaMode mode) noexcept;
/// Throws InvalidInput naming `field`.
[[nodiscard]] SchemaMode parse_schema_mode(std::string_view word, std::string_view field = "mode");
std::ostream& operator<<(std::ostream& out, SchemaMode mode);

/// One version of one event type, as the store keeps it.
struct RecordedSchema {
    std::string type;
    int version = 1;
    JsonText document;        ///< as it was given
    std::string fingerprint;  ///< see JsonSchema::fingerprint()
    Timestamp since{};        ///< when it was recorded

    friend bool operator==(const RecordedSchema&, const RecordedSchema&) = default;
};

/// By which recorded schemas events were checked: what EventStore::check() returns and Append::checked() takes.
struct CheckedBy {
    std::uint64_t schemas = 0;  ///< a number that rises with every change of them, per store; 0: not checked
};

/// A schema differs from the one that the store has recorded for this type and version. Nothing was changed.
class SchemaChanged : public Error {  // code "schema_changed"
public:
    /// `source` says where the given one stands, such as its file; may be empty.
    SchemaChanged(const std::string& store, const RecordedSchema& recorded, const std::string& given_fingerprint,
                  const std::string& source);

    [[nodiscard]] const std::string& type() const noexcept { return type_; }
    [[nodiscard]] int version() const noexcept { return version_; }

private:
    std::string type_;
    int version_;
};

/// An event is not what the schema of its type and version says, or, with SchemaMode::strict, has no schema.
/// Nothing was written.
class SchemaViolationError : public Error {  // code "schema_violation"
public:
    struct Details {
        std::string stream;
        std::string type;
        int version = 1;
        std::string pointer;  ///< JSON pointer into data, "" for all of it
        std::string expected;
        std::string found;  ///< never the value of a field that is forbidden
    };
    SchemaViolationError(const std::string& store, Details details);

    [[nodiscard]] const Details& details() const noexcept { return details_; }

private:
    Details details_;
};

}  // namespace stele
