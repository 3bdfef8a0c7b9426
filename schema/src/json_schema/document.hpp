// Document: a schema document with its identifiers, in which references are followed.
#pragma once

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>
#include <unordered_map>

namespace stele::detail::json_schema {

/// What is wrong with a schema document, and where.
struct SchemaFault {
    std::string pointer;
    std::string expected;
    std::string found;
    std::string advice;
};

/// A schema within a document.
struct Place {
    const nlohmann::json* schema;
    std::string base;     ///< the URI that references in it start from
    std::string pointer;  ///< from the document's root
};

class Document {
public:
    /// Finds the identifiers ("$id") of `root`, which must outlive the document. Throws SchemaFault where two
    /// schemas claim one identifier.
    explicit Document(const nlohmann::json& root);

    [[nodiscard]] Place root() const;

    /// The schema that stands directly in `from`, at `step` (a JSON Pointer).
    [[nodiscard]] Place child(const Place& from, const std::string& step, const nlohmann::json& schema);

    /// Where the reference in `from` leads. Throws SchemaFault where that is out of the document, or no schema.
    [[nodiscard]] Place follow(const Place& from, const std::string& reference);

private:
    void index(const nlohmann::json& schema, const std::string& base, const std::string& pointer);
    Place walk(const Place& from, const std::string& fragment, const SchemaFault& dangling);

    const nlohmann::json& root_;
    std::unordered_map<const nlohmann::json*, Place> places_;
    std::unordered_map<std::string, const nlohmann::json*> identified_;
};

/// Whether `schema` is a reference, beside which nothing counts.
[[nodiscard]] inline bool is_reference(const nlohmann::json& schema) {
    if (!schema.is_object()) return false;
    const auto at = schema.find("$ref");
    return at != schema.end() && at->is_string();
}

/// Draft-07's schema of schemas.
[[nodiscard]] const nlohmann::json& metaschema();
inline constexpr const char* metaschema_uri = "http://json-schema.org/draft-07/schema";

}  // namespace stele::detail::json_schema
