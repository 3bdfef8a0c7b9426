#include "upcasting_backend.hpp"

#include "upcasting_cursor.hpp"

#include <algorithm>
#include <set>

namespace stele {

UpcastingBackend::UpcastingBackend(std::shared_ptr<Backend> log, Upcasters upcasters, const std::string& store)
    : log_(std::move(log)), upcasters_(std::move(upcasters)), store_(store) {
    std::unordered_map<std::string, std::shared_ptr<Names>> by_today;
    for (const auto& name : upcasters_.renamed_aggregates()) {
        const auto& today = upcasters_.aggregate_today(name);
        auto& names = by_today[today];
        if (!names) names = std::make_shared<Names>(Names{{today}, upcasters_.first_aggregate_name(today)});
        names->names.push_back(name);
    }
    for (const auto& [today, names] : by_today) {
        look_up(*names);
        for (const auto& name : names->names) names_.emplace(name, names);
    }
}

void UpcastingBackend::look_up(const Names& names) const {
    std::optional<std::string> stored;
    for (const auto& name : names.names) {
        if (!log_->has_aggregate_type(name)) continue;
        if (stored) {
            throw StoreError{
                "aggregate_names",
                store_ + ": expected the streams of " + names.names.front() +
                    " under one of its names, found some of " + *stored + " and some of " + name +
                    "; take the rename out, and they are read as they are stored; or join them in another " +
                    "store: `stele export --raw FILE`, then `stele --store NEW import FILE`",
                {{"store", store_}, {"names", {*stored, name}}}};
        }
        stored = name;
    }
    names.stored = std::move(stored);
}

// ---- Names

/// Empty for one that was never renamed.
std::optional<std::string> UpcastingBackend::stored_aggregate(std::string_view name) const {
    if (names_.empty()) return {};
    const auto found = names_.find(std::string{name});
    if (found == names_.end()) return {};
    const std::lock_guard lock{names_mutex_};
    if (!found->second->stored) look_up(*found->second);
    return found->second->stored.value_or(found->second->first);
}

StreamId UpcastingBackend::stored(const StreamId& stream) const {
    const auto name = stored_aggregate(stream.aggregate_type());
    if (!name || *name == stream.aggregate_type()) return stream;
    return StreamId{stream.tenant(), *name, stream.aggregate_id()};
}

StreamId UpcastingBackend::today(const StreamId& stream) const {
    if (names_.empty()) return stream;
    const std::string type{stream.aggregate_type()};
    const auto& name = upcasters_.aggregate_today(type);
    return name == type ? stream : StreamId{stream.tenant(), name, stream.aggregate_id()};
}

// ---- Queries

bool UpcastingBackend::concerns(const QueryItem& item) const {
    if (!names_.empty()) {
        const auto has_names = [&](std::string_view name) { return names_.count(std::string{name}) != 0; };
        if (item.stream) {
            if (has_names(item.stream->aggregate_type())) return true;
        } else if (!item.aggregate_type || has_names(*item.aggregate_type)) {
            return true;
        }
    }
    if (item.types.empty()) return upcasters_.has_types();
    return std::any_of(item.types.begin(), item.types.end(),
                       [&](const std::string& type) { return upcasters_.concerns(type); });
}

bool UpcastingBackend::concerns(const Query& query) const {
    const auto& items = query.items();
    return items.empty() ||
           std::any_of(items.begin(), items.end(), [&](const QueryItem& item) { return concerns(item); });
}

QueryItem UpcastingBackend::in_stored_names(QueryItem item) const {
    if (item.stream) item.stream = stored(*item.stream);
    if (item.aggregate_type) {
        if (auto name = stored_aggregate(*item.aggregate_type)) item.aggregate_type = std::move(name);
    }
    return item;
}

Query UpcastingBackend::in_stored_names(const Query& query) const {
    if (query.selects_everything() || names_.empty()) return query;
    auto items = query.items();
    for (auto& item : items) item = in_stored_names(std::move(item));
    return Query{std::move(items)};
}

QueryItem UpcastingBackend::stored(const QueryItem& item) const {
    auto stored_item = in_stored_names(item);
    std::set<std::string> types;
    for (const auto& type : item.types) {
        for (auto& source : upcasters_.sources_of(type)) types.insert(std::move(source));
    }
    stored_item.types.assign(types.begin(), types.end());
    return stored_item;
}

Query UpcastingBackend::stored(const Query& query) const {
    if (query.selects_everything()) return query;
    std::vector<QueryItem> items;
    items.reserve(query.items().size());
    for (const auto& item : query.items()) items.push_back(stored(item));
    return Query{std::move(items)};
}

/// Who asks by a name of before means the same aggregates.
Query UpcastingBackend::today(const Query& query) const {
    if (query.selects_everything() || names_.empty()) return query;
    auto items = query.items();
    for (auto& item : items) {
        if (item.stream) item.stream = today(*item.stream);
        if (item.aggregate_type) item.aggregate_type = upcasters_.aggregate_today(*item.aggregate_type);
    }
    return Query{std::move(items)};
}

// ---- Reading

std::unique_ptr<LogCursor> UpcastingBackend::open(const Read& read) {
    if (read.is_raw()) return log_->open(read.with(in_stored_names(read.query())));
    if (!concerns(read.query())) return log_->open(read);
    auto stored_read = read.with(stored(read.query()));
    stored_read.unlimited();  // the limit is for what comes out
    const auto uses = upcasters_.uses();
    stored_read.only(read.parts() |
                     EventParts{.id = uses.id, .data = true, .metadata = uses.metadata, .tags = uses.tags});
    return std::make_unique<UpcastingCursor>(log_->open(stored_read), upcasters_, today(read.query()), read);
}

std::vector<Event> UpcastingBackend::upcast(Event event) const {
    Upcasters::Worker worker{upcasters_};
    std::vector<Event> events;
    std::size_t filled = 0;
    worker.upcast(event, events, filled);
    return events;
}

std::optional<Event> UpcastingBackend::find(const EventId& id) {
    if (auto event = log_->find(id)) {
        auto events = upcast(std::move(*event));
        if (events.empty()) return {};
        return std::move(events.front());
    }
    // It may be the id of a further piece of an event: of its k-th, if of_piece(k) leads back to one.
    constexpr int most_tried = 64;
    const int most = std::min(upcasters_.most_pieces().value_or(most_tried), most_tried);
    for (int piece = 1; piece < most; ++piece) {
        auto event = log_->find(id.of_piece(piece));
        if (!event) continue;
        auto events = upcast(std::move(*event));
        const auto at = static_cast<std::size_t>(piece);
        if (at < events.size()) return std::move(events[at]);
    }
    return {};
}

std::optional<Event> UpcastingBackend::at(Position position) {
    auto event = log_->at(position);
    if (!event) return {};
    auto events = upcast(std::move(*event));
    if (events.empty()) return {};
    return std::move(events.front());
}

void UpcastingBackend::streams(const std::function<bool(const StreamInfo&)>& visit) {
    if (names_.empty()) return log_->streams(visit);
    log_->streams([&](const StreamInfo& stored_info) {
        auto info = stored_info;
        info.stream = today(stored_info.stream);
        return visit(info);
    });
}

}  // namespace stele
