#include "finder.hpp"

#include <algorithm>
#include <limits>

namespace stele::sqlite {

namespace {

constexpr Position end_of_time{std::numeric_limits<std::int64_t>::max()};

bool of_stream(const QueryItem& item, const StreamId& stream) {
    return (!item.stream || *item.stream == stream) &&
           (!item.aggregate_type || *item.aggregate_type == stream.aggregate_type()) &&
           (!item.tenant || *item.tenant == stream.tenant());
}

bool of_type(const QueryItem& item, const std::string& type) {
    return item.types.empty() || std::find(item.types.begin(), item.types.end(), type) != item.types.end();
}

}  // namespace

Finder::Finder(sqlite3* db, Names& names)
    : names_(names),
      tagged_behind_(db, sql::tagged_at_or_behind),
      tagged_before_(db, sql::tagged_at_or_before),
      next_type_(db, sql::next_type_of_tag),
      typed_behind_(db, sql::typed_at_or_behind),
      typed_before_(db, sql::typed_at_or_before),
      stream_and_type_(db, sql::stream_and_type),
      last_of_stream_(db, sql::last_of_stream),
      stream_backward_(db, sql::stream_backward),
      position_of_version_(db, sql::position_of_version),
      scan_backward_(db, sql::scan_backward) {}

std::optional<Finder::StreamEnd> Finder::end_of(const StreamId& stream) {
    const auto number = names_.number_of(stream);
    if (!number) return {};
    const Use row{last_of_stream_};
    row->bind(1, *number);
    if (!row->step()) return {};
    return StreamEnd{Version{row->integer(0)}, Position{row->integer(1)}};
}

// Positions rise with versions (L3), so the version is found by halving.
Version Finder::version_at(std::int64_t stream, Version last, Position position) {
    std::int64_t low = 1;
    std::int64_t high = last.value() + 1;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        const Use row{position_of_version_};
        row->bind(1, stream);
        row->bind(2, middle);
        if (row->step() && row->integer(0) >= position.value()) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return Version{low};
}

std::optional<Position> Finder::seek(Statement& statement, std::string_view tag, std::int64_t type,
                                     Position position) {
    const Use row{statement};
    row->bind(1, tag);
    row->bind(2, type);
    row->bind(3, position.value());
    if (!row->step() || row->is_null(0)) return {};
    return Position{row->integer(0)};
}

std::vector<Finder::Walk> Finder::walks(const QueryItem& item) {
    std::vector<Walk> walks;
    if (!item.types.empty()) {
        for (const auto& type : item.types) {
            if (const auto number = names_.number_of_type(type)) walks.push_back({*number, &item.tags});
        }
        return walks;
    }
    // Tags without types: one walk for each type that the first tag occurs with, found by leaping over the others.
    std::int64_t type = std::numeric_limits<std::int64_t>::min();
    for (;;) {
        const Use row{next_type_};
        row->bind(1, item.tags.front());
        row->bind(2, type);
        if (!row->step() || row->is_null(0)) return walks;
        type = row->integer(0);
        walks.push_back({type, &item.tags});
    }
}

std::optional<Position> Finder::nearest(const Walk& walk, Position first, Position last, bool backward) {
    auto candidate = backward ? last : first;
    const auto out_of_reach = [&] { return backward ? candidate < first : candidate > last; };
    if (walk.tags->empty()) {
        const Use row{backward ? typed_before_ : typed_behind_};
        row->bind(1, walk.type);
        row->bind(2, candidate.value());
        if (!row->step() || row->is_null(0)) return {};
        candidate = Position{row->integer(0)};
        return out_of_reach() ? std::nullopt : std::optional{candidate};
    }
    auto& statement = backward ? tagged_before_ : tagged_behind_;
    for (std::size_t agreeing = 0, at = 0; agreeing < walk.tags->size(); at = (at + 1) % walk.tags->size()) {
        const auto found = seek(statement, (*walk.tags)[at], walk.type, candidate);
        if (!found) return {};
        agreeing = *found == candidate ? agreeing + 1 : 1;
        candidate = *found;
        if (out_of_reach()) return {};
    }
    return candidate;
}

std::optional<Position> Finder::newest(const Query& query, Position after) {
    if (after >= end_of_time) return {};
    if (query.selects_everything()) return newest_by_scan(QueryItem{}, after);
    std::optional<Position> newest_of_all;
    for (const auto& item : query.items()) {
        const auto found = newest(item, after);
        if (found && (!newest_of_all || *found > *newest_of_all)) newest_of_all = found;
    }
    return newest_of_all;
}

std::optional<Position> Finder::newest(const QueryItem& item, Position after) {
    if (item.tags.empty() && item.stream) return newest_in_stream(item, after);
    if (item.tags.empty() && item.types.empty()) return newest_by_scan(item, after);
    std::optional<Position> newest_of_all;
    for (const auto& walk : walks(item)) {
        auto from = end_of_time;
        const auto newer_than = newest_of_all.value_or(after);
        while (const auto found = nearest(walk, newer_than.next(), from, true)) {
            if (!narrows_further(item) || fits(item, *found)) {
                newest_of_all = found;
                break;
            }
            from = found->previous();
        }
    }
    return newest_of_all;
}

std::optional<Position> Finder::newest_in_stream(const QueryItem& item, Position after) {
    const auto number = names_.number_of(*item.stream);
    if (!number || !of_stream(item, *item.stream)) return {};
    const Use row{stream_backward_};
    row->bind(1, *number);
    while (row->step()) {
        const Position position{row->integer(0)};
        if (position <= after) return {};
        if (item.types.empty() || of_type(item, names_.type(row->integer(1)))) return position;
    }
    return {};
}

/// For items that name neither types nor tags nor a stream: looks at every event behind `after`, newest first.
std::optional<Position> Finder::newest_by_scan(const QueryItem& item, Position after) {
    const Use row{scan_backward_};
    row->bind(1, end_of_time.value());
    row->bind(2, after.value() + 1);
    while (row->step()) {
        if (!narrows_further(item) || of_stream(item, names_.stream(row->integer(1))))
            return Position{row->integer(0)};
    }
    return {};
}

bool Finder::narrows_further(const QueryItem& item) const {
    return item.stream || item.aggregate_type || item.tenant;
}

bool Finder::fits(const QueryItem& item, Position position) {
    const Use row{stream_and_type_};
    row->bind(1, position.value());
    return row->step() && of_type(item, names_.type(row->integer(1))) &&
           of_stream(item, names_.stream(row->integer(0)));
}

}  // namespace stele::sqlite
