#include <stele/store/schemas.hpp>

namespace stele {

namespace {

std::string place_of(const SchemaViolationError::Details& details) {
    return details.pointer.empty() ? "data" : "data " + details.pointer;
}

}  // namespace

std::string_view to_string(SchemaMode mode) noexcept {
    switch (mode) {
        case SchemaMode::off:
            return "off";
        case SchemaMode::declared:
            return "declared";
        case SchemaMode::strict:
            return "strict";
    }
    return "declared";
}

SchemaMode parse_schema_mode(std::string_view word, std::string_view field) {
    for (const auto mode : {SchemaMode::off, SchemaMode::declared, SchemaMode::strict}) {
        if (word == to_string(mode)) return mode;
    }
    throw InvalidInput(std::string{field}, "off, declared or strict", "\"" + std::string{word} + "\"");
}

std::ostream& operator<<(std::ostream& out, SchemaMode mode) { return out << to_string(mode); }

SchemaChanged::SchemaChanged(const std::string& store, const RecordedSchema& recorded,
                             const std::string& given_fingerprint, const std::string& source)
    : Error("schema_changed",
            (source.empty() ? store : source) + ": " + recorded.type + " v" + std::to_string(recorded.version) +
                ": expected the schema that " + (source.empty() ? "the store" : store) + " has recorded since " +
                to_rfc3339(recorded.since) + " (fingerprint " + recorded.fingerprint.substr(0, 12) +
                "…), found another (" + given_fingerprint.substr(0, 12) +
                "…); leave this version as it was and give the change the next one, v" +
                std::to_string(recorded.version + 1),
            {{"store", store},
             {"type", recorded.type},
             {"version", recorded.version},
             {"recorded_fingerprint", recorded.fingerprint},
             {"given_fingerprint", given_fingerprint},
             {"source", source}}),
      type_(recorded.type),
      version_(recorded.version) {}

SchemaViolationError::SchemaViolationError(const std::string& store, Details details)
    : Error("schema_violation",
            store + ": append to " + details.stream + ": " + details.type + " v" + std::to_string(details.version) +
                ": " + place_of(details) + ": expected " + details.expected + ", found " + details.found +
                "; nothing was written",
            {{"store", store},
             {"stream", details.stream},
             {"type", details.type},
             {"version", details.version},
             {"pointer", details.pointer},
             {"expected", details.expected},
             {"found", details.found}}),
      details_(std::move(details)) {}

}  // namespace stele
