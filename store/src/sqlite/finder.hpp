// Finder: which events of a query stand where, by index seeks alone.
//
// Conditions and selective reads ask the same question: the nearest event of this item at or behind a position, or
// at or before it. Each step is a single seek in event_tags (tag, type, position), events_by_type or
// (stream, version), so a plan cannot go wrong and the cost is known: where several tags must hold, the seeks leap
// from one tag's events to the next's until they meet, as often as the rarer one asks for.
#pragma once

#include "names.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stele::sqlite {

namespace sql {
inline constexpr auto tagged_at_or_behind =
    "SELECT min(position) FROM event_tags WHERE tag = ?1 AND type = ?2 AND position >= ?3";
inline constexpr auto tagged_at_or_before =
    "SELECT max(position) FROM event_tags WHERE tag = ?1 AND type = ?2 AND position <= ?3";
inline constexpr auto next_type_of_tag = "SELECT min(type) FROM event_tags WHERE tag = ?1 AND type > ?2";
inline constexpr auto typed_at_or_behind =
    "SELECT min(position) FROM events INDEXED BY events_by_type WHERE type = ?1 AND position >= ?2";
inline constexpr auto typed_at_or_before =
    "SELECT max(position) FROM events INDEXED BY events_by_type WHERE type = ?1 AND position <= ?2";
inline constexpr auto stream_and_type = "SELECT stream, type FROM events WHERE position = ?1";
inline constexpr auto last_of_stream =
    "SELECT version, position FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
inline constexpr auto stream_backward = "SELECT position, type FROM events WHERE stream = ?1 ORDER BY version DESC";
inline constexpr auto position_of_version = "SELECT position FROM events WHERE stream = ?1 AND version = ?2";
inline constexpr auto scan_backward =
    "SELECT position, stream, type FROM events WHERE position <= ?1 AND position >= ?2 ORDER BY position DESC";
}  // namespace sql

/// Not thread-safe; belongs to one connection. Call it within a transaction where several answers must agree.
class Finder {
public:
    Finder(sqlite3* db, Names& names);

    struct StreamEnd {
        Version version;
        Position position;
    };
    /// The last event of a stream.
    std::optional<StreamEnd> end_of(const StreamId& stream);

    /// The lowest version of `stream` whose position is at or behind `position`; one past the last if there is
    /// none.
    Version version_at(std::int64_t stream, Version last, Position position);

    /// The newest event of `query` behind `after`, if there is one.
    std::optional<Position> newest(const Query& query, Position after);

    /// One way to walk through the events of an item: by these tags (all), or by the type alone.
    /// Events that it meets may still miss the item's stream, aggregate type or tenant.
    struct Walk {
        std::int64_t type;
        const std::vector<std::string>* tags;  ///< empty: by type
    };
    /// The walks whose union holds every event of `item`; requires that it names types or tags.
    std::vector<Walk> walks(const QueryItem& item);
    /// The first event of a walk from `first` to `last`, both included; backward, the last one.
    std::optional<Position> nearest(const Walk& walk, Position first, Position last, bool backward);

private:
    std::optional<Position> seek(Statement& statement, std::string_view tag, std::int64_t type, Position position);
    std::optional<Position> newest(const QueryItem& item, Position after);
    std::optional<Position> newest_in_stream(const QueryItem& item, Position after);
    std::optional<Position> newest_by_scan(const QueryItem& item, Position after);
    bool narrows_further(const QueryItem& item) const;
    bool fits(const QueryItem& item, Position position);

    Names& names_;
    Statement tagged_behind_;
    Statement tagged_before_;
    Statement next_type_;
    Statement typed_behind_;
    Statement typed_before_;
    Statement stream_and_type_;
    Statement last_of_stream_;
    Statement stream_backward_;
    Statement position_of_version_;
    Statement scan_backward_;
};

}  // namespace stele::sqlite
