// Catalog: all types of events there are, with what is known of each: schemas, counts, who appends, who listens.
#pragma once

#include "../context.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stele::tool {

struct CatalogField {
    std::string path;  ///< `lines[].sku`
    std::string type;  ///< `string or null`
    bool required = false;
    bool forbidden = false;
    std::string description;  ///< with the values that are allowed, where these are few
};

struct CatalogEntry {
    std::string type;
    std::vector<int> versions;  ///< that have a schema, ascending
    std::string title, description;
    nlohmann::ordered_json schema;  ///< of the newest version; null where there is none
    bool inferred = false;          ///< no schema is declared: this is what the latest events look like
    std::vector<CatalogField> fields;

    std::int64_t events = 0;
    std::int64_t first_position = 0, last_position = 0;
    std::set<std::string> aggregate_types;  ///< of the streams that the latest events stand on
    std::set<std::string> actors;           ///< metadata.actor of the latest events, where that was asked for
    std::vector<std::string> projections;   ///< that take these events
    std::vector<std::string> listeners;
};

struct Catalog {
    std::string name;                   ///< of the project's folder, or of the store
    std::vector<CatalogEntry> entries;  ///< by type
};

struct CatalogOptions {
    std::int64_t sample = 1000;  ///< how many of the latest events of each type are looked at
    bool actors = false;         ///< who appended them
    bool values = false;         ///< the values of fields that come again and again, where no schema is declared
};

/// Of the project and its store, as far as there are any. Nothing that stands in an event is told, but for names of
/// types, streams' types and members, and what `options` ask for. Throws Failure (command line) where there is
/// neither.
[[nodiscard]] Catalog catalog_of(Context& context, const CatalogOptions& options = {});

/// For people to read. Ends with a line break.
[[nodiscard]] std::string as_markdown(const Catalog& catalog);

/// An AsyncAPI 3.0.0 document: a channel for each type of stream, a message for each type of event; what the
/// project's projections and listeners take are its receive operations, what is appended its send operations.
[[nodiscard]] nlohmann::ordered_json as_asyncapi(const Catalog& catalog);

}  // namespace stele::tool
