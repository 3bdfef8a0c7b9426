#include "model.hpp"

#include <algorithm>

namespace stele::test {

namespace {

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
}

std::vector<EventId> ids_of(const Append& append) {
    std::vector<EventId> ids;
    for (const AppendPart& part : append.parts()) {
        for (const NewEvent& event : part.events) ids.push_back(event.id);
    }
    return ids;
}

bool same_content(const Append& a, const Append& b) {
    struct Content {
        StreamId stream;
        NewEvent event;
    };
    const auto flat = [](const Append& append) {
        std::vector<Content> all;
        for (const AppendPart& part : append.parts()) {
            for (const NewEvent& event : part.events) all.push_back({part.stream, event});
        }
        return all;
    };
    return std::ranges::equal(flat(a), flat(b), [](const Content& x, const Content& y) {
        return x.stream == y.stream && x.event.id == y.event.id && x.event.type == y.event.type &&
               x.event.data == y.event.data && x.event.metadata == y.event.metadata &&
               x.event.occurred_at == y.event.occurred_at && x.event.schema_version == y.event.schema_version &&
               x.event.tags == y.event.tags;
    });
}

bool holds(ExpectedVersion expected, std::optional<Version> actual) {
    switch (expected.kind()) {
        case ExpectedVersion::Kind::any:
            return true;
        case ExpectedVersion::Kind::none:
            return !actual;
        case ExpectedVersion::Kind::exists:
            return actual.has_value();
        case ExpectedVersion::Kind::exactly:
            return actual.value_or(Version{0}) == expected.version();
    }
    return false;
}

bool has_correlation(const Event& event, const std::string& id) {
    const auto metadata = event.metadata.value();
    const auto found = metadata.find("correlation_id");
    return found != metadata.end() && found->is_string() && found->get<std::string>() == id;
}

}  // namespace

bool model_matches(const QueryItem& item, const Event& event) {
    if (!item.types.empty() && !contains(item.types, event.type)) return false;
    for (const std::string& tag : item.tags) {
        if (!contains(event.tags, tag)) return false;
    }
    if (item.stream && item.stream->name() != event.stream.name()) return false;
    if (item.aggregate_type && *item.aggregate_type != event.stream.aggregate_type()) return false;
    return !item.tenant || *item.tenant == event.stream.tenant();
}

bool model_matches(const Query& query, const Event& event) {
    if (query.items().empty()) return true;
    return std::any_of(query.items().begin(), query.items().end(),
                       [&](const QueryItem& item) { return model_matches(item, event); });
}

std::optional<Version> Model::version(const StreamId& stream) const {
    for (auto event = log_.rbegin(); event != log_.rend(); ++event) {
        if (event->stream == stream) return event->version;
    }
    return std::nullopt;
}

std::optional<Tracking> Model::tracked(const std::string& source) const {
    const auto found = tracked_.find(source);
    return found == tracked_.end() ? std::nullopt : std::optional{found->second};
}

Position Model::position_at(Timestamp time) const {
    Position last;
    for (const Event& event : log_) {
        if (event.recorded_at <= time) last = event.position;
    }
    return last;
}

std::vector<Event> Model::read(const Read& read) const {
    std::vector<Event> found;
    for (const Event& event : log_) {
        if (event.position <= read.after()) continue;
        if (read.until_position() && event.position > *read.until_position()) continue;
        if (read.from_version() && event.version < *read.from_version()) continue;
        if (read.until_version() && event.version > *read.until_version()) continue;
        if (read.since() && event.recorded_at < *read.since()) continue;
        if (read.until_time() && event.recorded_at > *read.until_time()) continue;
        if (read.correlation() && !has_correlation(event, *read.correlation())) continue;
        if (model_matches(read.query(), event)) found.push_back(event);
    }
    if (read.is_backward()) std::reverse(found.begin(), found.end());
    if (read.limit() && found.size() > *read.limit())
        found.erase(found.begin() + static_cast<std::ptrdiff_t>(*read.limit()), found.end());
    return found;
}

std::vector<StreamInfo> Model::streams() const {
    struct Order {
        bool operator()(const StreamId& a, const StreamId& b) const {
            return std::tuple{a.tenant(), a.aggregate_type(), a.aggregate_id()} <
                   std::tuple{b.tenant(), b.aggregate_type(), b.aggregate_id()};
        }
    };
    std::map<StreamId, StreamInfo, Order> found;
    for (const Event& event : log_) {
        StreamInfo& info =
            found.try_emplace(event.stream, StreamInfo{event.stream, {}, event.position, {}, {}}).first->second;
        info.version = event.version;
        info.last_position = event.position;
        info.last_recorded_at = event.recorded_at;
    }
    std::vector<StreamInfo> list;
    for (auto& [id, info] : found) list.push_back(info);
    return list;
}

std::vector<TypeInfo> Model::types() const {
    std::map<std::string, TypeInfo> found;
    for (const Event& event : log_) {
        TypeInfo& info = found[event.type];
        info.type = event.type;
        if (++info.count == 1) info.first_position = event.position;
        info.last_position = event.position;
    }
    std::vector<TypeInfo> list;
    for (auto& [type, info] : found) list.push_back(info);
    return list;
}

Model::Answers Model::append(const Append& append, Timestamp time) {
    const std::vector<EventId> ids = ids_of(append);
    const std::set<EventId> distinct{ids.begin(), ids.end()};
    const bool known = std::any_of(ids.begin(), ids.end(), [&](const EventId& id) { return ids_.contains(id); });
    if (distinct.size() != ids.size()) return {true, {}};
    if (known) {
        for (const Taken& before : taken_) {
            if (!same_content(before.append, append)) continue;
            Appended answer = before.answer;
            answer.duplicate = true;
            return {false, {answer}};
        }
        return {true, {}};
    }
    if (auto refused = refusals(append); !refused.empty()) return {false, std::move(refused)};
    return {false, {take(append, time)}};
}

std::vector<AppendResult> Model::refusals(const Append& append) const {
    std::vector<AppendResult> refused;
    for (const AppendPart& part : append.parts()) {
        const auto actual = version(part.stream);
        if (holds(part.expected, actual)) continue;
        VersionConflict conflict{part.stream, part.expected, actual, std::nullopt};
        for (const Event& event : log_) {
            if (event.stream == part.stream) conflict.position = event.position;
        }
        refused.push_back(conflict);
    }
    for (std::size_t i = 0; i < append.conditions().size(); ++i) {
        const Condition& condition = append.conditions()[i];
        Position newest;
        for (const Event& event : log_) {
            if (event.position > condition.after() && model_matches(condition.query(), event))
                newest = event.position;
        }
        if (newest > Position{0})
            refused.push_back(ConditionConflict{i, condition.query(), condition.after(), newest});
    }
    if (const auto& tracking = append.tracking()) {
        const auto before = tracked(tracking->source);
        if (before && before->position >= tracking->position)
            refused.push_back(TrackingConflict{tracking->source, before->position, tracking->position});
    }
    return refused;
}

Appended Model::take(const Append& append, Timestamp time) {
    Appended answer;
    if (append.tracking()) tracked_[append.tracking()->source] = *append.tracking();
    if (append.parts().empty()) return answer;

    last_recorded_ = std::max(last_recorded_, time);
    std::vector<StreamId> streams;
    for (const AppendPart& part : append.parts()) {
        if (std::find(streams.begin(), streams.end(), part.stream) == streams.end()) streams.push_back(part.stream);
        for (const NewEvent& given : part.events) {
            const auto before = version(part.stream);
            log_.push_back(Event{head().next(), before.value_or(Version{}).next(), part.stream, given.type,
                                 given.schema_version, given.id, given.occurred_at.value_or(last_recorded_),
                                 last_recorded_, given.data, given.metadata, given.tags});
            ids_.insert(given.id);
            if (answer.first_position == Position{}) answer.first_position = head();
        }
    }
    answer.last_position = head();
    answer.version = *version(streams.front());
    if (streams.size() > 1) {
        for (const StreamId& stream : streams) answer.versions.push_back(*version(stream));
    }
    answer.recorded_at = last_recorded_;
    taken_.push_back({append, answer});
    return answer;
}

}  // namespace stele::test
