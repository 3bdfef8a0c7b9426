#include <stele/store/query.hpp>

#include <algorithm>

namespace stele {

namespace {

bool contains(const std::vector<std::string>& list, const std::string& wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
}

/// Applies `change` to every item and drops those that it says can match nothing any more. For a query without
/// items, narrowing starts from one item that asks for nothing yet.
template <class Change>
void narrow_items(Query& query, const char* field, const Change& change) {
    auto items = query.selects_everything() ? std::vector<QueryItem>{QueryItem{}} : query.items();
    std::erase_if(items, [&](QueryItem& item) { return !change(item); });
    if (items.empty()) {
        throw InvalidInput(field, "a value that some item of the query allows",
                           "one that leaves nothing to select");
    }
    query = Query{std::move(items)};
}

/// Sets `slot`; false where it was set to something else before: an item cannot be of two streams at once.
template <class T>
bool narrow_to(std::optional<T>& slot, const T& value) {
    if (slot && *slot != value) return false;
    slot = value;
    return true;
}

}  // namespace

bool QueryItem::asks_for_nothing() const noexcept {
    return types.empty() && tags.empty() && !stream && !aggregate_type && !tenant;
}

bool QueryItem::matches(const Event& event) const {
    if (!types.empty() && !contains(types, event.type)) return false;
    if (stream && *stream != event.stream) return false;
    if (aggregate_type && *aggregate_type != event.stream.aggregate_type()) return false;
    if (tenant && *tenant != event.stream.tenant()) return false;
    return std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) { return contains(event.tags, tag); });
}

Query::Query(std::vector<QueryItem> items) : items_(std::move(items)) {
    if (items_.empty()) {
        throw InvalidInput("query", "at least one item (a query without any is all())", "an empty list");
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if (items_[i].asks_for_nothing()) {
            throw InvalidInput("query[" + std::to_string(i) + "]",
                               "types, tags, a stream, an aggregate type or a tenant",
                               "an item that asks for nothing");
        }
        for (const auto& type : items_[i].types) {
            if (type.empty())
                throw InvalidInput("query[" + std::to_string(i) + "].types", "a type", "an empty string");
        }
        for (const auto& tag : items_[i].tags) {
            if (tag.empty())
                throw InvalidInput("query[" + std::to_string(i) + "].tags", "a tag", "an empty string");
        }
    }
}

bool Query::matches(const Event& event) const {
    return items_.empty() ||
           std::any_of(items_.begin(), items_.end(), [&](const QueryItem& item) { return item.matches(event); });
}

Condition Query::after(Position position) const { return Condition{*this, position}; }

Query operator|(const Query& a, const Query& b) {
    if (a.selects_everything() || b.selects_everything()) return Query{};
    auto items = a.items();
    items.insert(items.end(), b.items().begin(), b.items().end());
    return Query{std::move(items)};
}

std::ostream& operator<<(std::ostream& out, const Query& query) {
    if (query.selects_everything()) return out << "every event";
    const auto list = [&](const char* word, const std::vector<std::string>& names, const char*& separator) {
        if (names.empty()) return;
        out << separator << word;
        for (std::size_t i = 0; i < names.size(); ++i) out << (i == 0 ? " " : ", ") << names[i];
        separator = "; ";
    };
    const auto one = [&](const char* word, std::string_view name, const char*& separator) {
        out << separator << word << ' ' << name;
        separator = "; ";
    };
    const char* alternative = "";
    for (const auto& item : query.items()) {
        out << alternative << '(';
        const char* separator = "";
        list(item.types.size() == 1 ? "type" : "types", item.types, separator);
        list(item.tags.size() == 1 ? "tag" : "tags", item.tags, separator);
        if (item.stream) one("stream", item.stream->name(), separator);
        if (item.aggregate_type) one("aggregate type", *item.aggregate_type, separator);
        if (item.tenant) one("tenant", *item.tenant, separator);
        out << ')';
        alternative = " or ";
    }
    return out;
}

Query matching(Types types) { return Query{{QueryItem{.types = std::move(types.names)}}}; }
Query matching(Tags tags) { return Query{{QueryItem{.tags = std::move(tags.names)}}}; }
Query matching(Types types, Tags tags) {
    return Query{{QueryItem{.types = std::move(types.names), .tags = std::move(tags.names)}}};
}
Query matching(const StreamId& stream) { return Query{{QueryItem{.stream = stream}}}; }

Read stream(const StreamId& id) { return Read{matching(id)}; }

Read& Read::types(std::vector<std::string> any_of) {
    if (any_of.empty()) throw InvalidInput("types", "at least one type", "an empty list");
    narrow_items(query_, "types", [&](QueryItem& item) {
        if (item.types.empty()) {
            item.types = any_of;
        } else {
            std::erase_if(item.types, [&](const std::string& type) { return !contains(any_of, type); });
        }
        return !item.types.empty();
    });
    return *this;
}

Read& Read::tag(std::string tag) { return tags({std::move(tag)}); }

Read& Read::tags(std::vector<std::string> all_of) {
    if (all_of.empty()) throw InvalidInput("tags", "at least one tag", "an empty list");
    narrow_items(query_, "tags", [&](QueryItem& item) {
        for (const auto& tag : all_of) {
            if (!contains(item.tags, tag)) item.tags.push_back(tag);
        }
        return true;
    });
    return *this;
}

Read& Read::stream(const StreamId& stream) {
    narrow_items(query_, "stream", [&](QueryItem& item) { return narrow_to(item.stream, stream); });
    return *this;
}

Read& Read::aggregate_type(std::string type) {
    narrow_items(query_, "aggregate_type", [&](QueryItem& item) { return narrow_to(item.aggregate_type, type); });
    return *this;
}

Read& Read::tenant(std::string tenant) {
    narrow_items(query_, "tenant", [&](QueryItem& item) { return narrow_to(item.tenant, tenant); });
    return *this;
}

// Bounds of one kind add up: the tighter one holds, whatever the order of the calls.
namespace {
template <class T>
void raise(std::optional<T>& bound, T value) {
    bound = bound ? std::max(*bound, value) : value;
}
template <class T>
void lower(std::optional<T>& bound, T value) {
    bound = bound ? std::min(*bound, value) : value;
}
}  // namespace

Read& Read::after(Position position) {
    after_ = std::max(after_, position);
    return *this;
}
Read& Read::until(Position position) {
    lower(until_position_, position);
    return *this;
}
Read& Read::from(Version version) {
    raise(from_version_, version);
    return *this;
}
Read& Read::until(Version version) {
    lower(until_version_, version);
    return *this;
}
Read& Read::since(Timestamp recorded_at) {
    raise(since_, recorded_at);
    return *this;
}
Read& Read::until(Timestamp recorded_at) {
    lower(until_time_, recorded_at);
    return *this;
}
Read& Read::correlation(std::string id) {
    if (correlation_ && *correlation_ != id) throw InvalidInput("correlation", "one value", "two different ones");
    correlation_ = std::move(id);
    return *this;
}
Read& Read::limit(std::size_t events) {
    lower(limit_, events);
    return *this;
}
Read& Read::unlimited() {
    limit_.reset();
    return *this;
}
Read& Read::backward(bool yes) {
    backward_ = yes;
    return *this;
}
Read& Read::raw(bool yes) {
    raw_ = yes;
    return *this;
}
Read Read::with(Query query) const {
    auto read = *this;
    read.query_ = std::move(query);
    return read;
}
Read& Read::only(EventParts parts) {
    parts_ = parts;
    return *this;
}

}  // namespace stele
