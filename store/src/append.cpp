#include <stele/store/append.hpp>

#include <algorithm>
#include <sstream>

namespace stele {

namespace {

constexpr std::size_t max_source_bytes = 1024;
constexpr std::size_t max_note_bytes = 4096;

std::string describe(const VersionConflict& conflict) {
    std::ostringstream out;
    out << "append to " << conflict.stream << ": expected " << conflict.expected << ", stream ";
    if (conflict.actual) {
        out << "is at " << *conflict.actual;
    } else {
        out << "has no events";
    }
    out << "; nothing was written";
    return out.str();
}

std::string describe(const ConditionConflict& conflict) {
    std::ostringstream out;
    out << "append: expected no event of " << conflict.query << " after position " << conflict.after
        << ", found one at position " << conflict.position << "; nothing was written";
    return out.str();
}

std::string describe(const TrackingConflict& conflict) {
    std::ostringstream out;
    out << "append: source \"" << conflict.source << "\": expected a position above " << conflict.expected_above
        << ", found " << conflict.given << "; nothing was written";
    return out.str();
}

nlohmann::json facts_of(const VersionConflict& conflict) {
    std::ostringstream expected;
    expected << conflict.expected;
    nlohmann::json facts{{"stream", conflict.stream.name()}, {"expected", expected.str()}, {"actual", nullptr}};
    if (conflict.actual) facts["actual"] = conflict.actual->value();
    if (conflict.position) facts["position"] = conflict.position->value();
    return facts;
}

nlohmann::json facts_of(const ConditionConflict& conflict) {
    std::ostringstream query;
    query << conflict.query;
    return {{"condition", conflict.condition},
            {"query", query.str()},
            {"after", conflict.after.value()},
            {"position", conflict.position.value()}};
}

nlohmann::json facts_of(const TrackingConflict& conflict) {
    return {{"source", conflict.source}, {"expected_above", conflict.expected_above}, {"given", conflict.given}};
}

}  // namespace

bool ExpectedVersion::matches(std::optional<Version> current) const noexcept {
    switch (kind_) {
        case Kind::any:
            return true;
        case Kind::none:
            return !current;
        case Kind::exists:
            return current.has_value();
        case Kind::exactly:
            return current.value_or(Version{0}) == version_;
    }
    return false;
}

std::ostream& operator<<(std::ostream& out, ExpectedVersion expected) {
    switch (expected.kind()) {
        case ExpectedVersion::Kind::any:
            return out << "any version";
        case ExpectedVersion::Kind::none:
            return out << "no events";
        case ExpectedVersion::Kind::exists:
            return out << "at least one event";
        case ExpectedVersion::Kind::exactly:
            return out << "version " << expected.version();
    }
    return out;
}

Append& Append::to(StreamId stream, ExpectedVersion expected, std::vector<NewEvent> events) & {
    if (events.empty()) throw InvalidInput("events", "at least one event for " + stream.name(), "none");
    if (expected != expect::any &&
        std::any_of(parts_.begin(), parts_.end(), [&](const AppendPart& part) { return part.stream == stream; })) {
        throw InvalidInput("stream", "one expectation a stream, given where it is first named",
                           stream.name() + " named again with an expectation");
    }
    parts_.push_back({std::move(stream), expected, std::move(events)});
    return *this;
}

Append& Append::checked(CheckedBy by) & {
    checked_ = by;
    return *this;
}

Append& Append::unless(Condition condition) & {
    conditions_.push_back(std::move(condition));
    return *this;
}

Append& Append::tracking(std::string source, std::int64_t position, std::string note) & {
    if (tracking_) throw InvalidInput("tracking", "one source an append", "two");
    if (source.empty() || source.size() > max_source_bytes) {
        throw InvalidInput("tracking.source", "1 to 1024 bytes", std::to_string(source.size()) + " bytes");
    }
    if (position < 1) throw InvalidInput("tracking.position", "1 or more", std::to_string(position));
    if (note.size() > max_note_bytes) {
        throw InvalidInput("tracking.note", "at most 4096 bytes", std::to_string(note.size()) + " bytes");
    }
    tracking_ = Tracking{std::move(source), position, std::move(note)};
    return *this;
}

namespace {
nlohmann::json with(nlohmann::json facts, const nlohmann::json& more) {
    facts.update(more);
    return facts;
}
}  // namespace

Conflict::Conflict(const std::string& store, Details details) : Conflict(store, std::move(details), "", {}) {}

Conflict::Conflict(const std::string& store, Details details, const std::string& more, const nlohmann::json& facts)
    : Error("conflict",
            store + ": " + std::visit([](const auto& conflict) { return describe(conflict); }, details) + more,
            with(std::visit([](const auto& conflict) { return nlohmann::json(facts_of(conflict)); }, details),
                 facts.is_null() ? nlohmann::json::object() : facts)),
      details_(std::move(details)) {}

IdConflict::IdConflict(const std::string& store, EventId id, std::optional<Position> position,
                       const std::string& difference)
    : Error("id_conflict",
            store + ": append of event " + id.to_string() + ": " + difference + "; nothing was written",
            {{"id", id.to_string()}, {"difference", difference}}),
      id_(id),
      position_(position) {}

StoreBusy::StoreBusy(const std::string& store, const std::string& waiting_for, std::chrono::milliseconds waited)
    : Error("store_busy",
            store + ": append: waited " + std::to_string(waited.count()) + " ms for " + waiting_for +
                "; nothing was written; append the same events again, or raise Options::deadline",
            {{"waiting_for", waiting_for}, {"waited_ms", waited.count()}}) {}

}  // namespace stele
