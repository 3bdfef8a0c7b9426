#include "upcasting_backend.hpp"

#include "upcasting_cursor.hpp"

#include <algorithm>
#include <set>

namespace stele {

UpcastingBackend::UpcastingBackend(std::shared_ptr<Backend> log, Upcasters upcasters, const std::string& store)
    : log_(std::move(log)), upcasters_(std::move(upcasters)) {
    std::set<std::string> todays;
    for (const auto& name : upcasters_.renamed_aggregates()) todays.insert(upcasters_.aggregate_today(name));
    for (const auto& today : todays) {
        std::vector<std::string> names{today};
        for (const auto& name : upcasters_.renamed_aggregates()) {
            if (upcasters_.aggregate_today(name) == today) names.push_back(name);
        }
        std::optional<std::string> stored;
        for (const auto& name : names) {
            if (!log_->has_aggregate_type(name)) continue;
            if (stored) {
                throw StoreError{"aggregate_names",
                                 store + ": " + *stored + " and " + name +
                                     " are one aggregate type by the names of today, " + today +
                                     ", and expected its streams under one of these names, found some under both; "
                                     "take the rename out, or copy one of them into streams of another store",
                                 {{"store", store}, {"names", {*stored, name}}}};
            }
            stored = name;
        }
        for (const auto& name : names) stored_aggregates_.emplace(name, stored.value_or(today));
    }
}

// ---- Names

const std::string* UpcastingBackend::stored_aggregate(std::string_view name) const {
    if (stored_aggregates_.empty()) return nullptr;
    const auto found = stored_aggregates_.find(std::string{name});
    return found == stored_aggregates_.end() ? nullptr : &found->second;
}

StreamId UpcastingBackend::stored(const StreamId& stream) const {
    const auto* name = stored_aggregate(stream.aggregate_type());
    if (name == nullptr || *name == stream.aggregate_type()) return stream;
    return StreamId{stream.tenant(), *name, stream.aggregate_id()};
}

StreamId UpcastingBackend::today(const StreamId& stream) const {
    if (stored_aggregates_.empty()) return stream;
    const std::string type{stream.aggregate_type()};
    const auto& name = upcasters_.aggregate_today(type);
    return name == type ? stream : StreamId{stream.tenant(), name, stream.aggregate_id()};
}

// ---- Queries

bool UpcastingBackend::concerns(const QueryItem& item) const {
    if (!stored_aggregates_.empty()) {
        if (item.stream) {
            if (stored_aggregate(item.stream->aggregate_type()) != nullptr) return true;
        } else if (!item.aggregate_type || stored_aggregate(*item.aggregate_type) != nullptr) {
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

QueryItem UpcastingBackend::stored(const QueryItem& item) const {
    auto stored_item = item;
    std::set<std::string> types;
    for (const auto& type : item.types) {
        for (auto& source : upcasters_.sources_of(type)) types.insert(std::move(source));
    }
    stored_item.types.assign(types.begin(), types.end());
    if (item.stream) stored_item.stream = stored(*item.stream);
    if (item.aggregate_type) {
        if (const auto* name = stored_aggregate(*item.aggregate_type)) stored_item.aggregate_type = *name;
    }
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
    if (query.selects_everything() || stored_aggregates_.empty()) return query;
    auto items = query.items();
    for (auto& item : items) {
        if (item.stream) item.stream = today(*item.stream);
        if (item.aggregate_type) item.aggregate_type = upcasters_.aggregate_today(*item.aggregate_type);
    }
    return Query{std::move(items)};
}

// ---- Reading

std::unique_ptr<LogCursor> UpcastingBackend::open(const Read& read) {
    if (read.is_raw() || !concerns(read.query())) return log_->open(read);
    Read stored_read{stored(read.query())};
    stored_read.after(read.after()).backward(read.is_backward());
    if (read.until_position()) stored_read.until(*read.until_position());
    if (read.from_version()) stored_read.from(*read.from_version());
    if (read.until_version()) stored_read.until(*read.until_version());
    if (read.since()) stored_read.since(*read.since());
    if (read.until_time()) stored_read.until(*read.until_time());
    if (read.correlation()) stored_read.correlation(*read.correlation());
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
    if (stored_aggregates_.empty()) return log_->streams(visit);
    log_->streams([&](const StreamInfo& stored_info) {
        auto info = stored_info;
        info.stream = today(stored_info.stream);
        return visit(info);
    });
}

}  // namespace stele
