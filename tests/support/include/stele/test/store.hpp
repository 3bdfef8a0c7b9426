// A small vocabulary for tests on a store: fill it, ask what is in it, print what differs.
#pragma once

#include <stele/store/event_store.hpp>
#include <stele/test/catch.hpp>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace stele::test {

/// An event whose data and metadata do not matter.
[[nodiscard]] inline NewEvent event(std::string type, std::vector<std::string> tags = {}) {
    NewEvent made = stele::event(std::move(type));
    made.tags = std::move(tags);
    return made;
}

/// Events that differ in nothing but their types.
[[nodiscard]] inline std::vector<NewEvent> events(const std::vector<std::string>& types) {
    std::vector<NewEvent> made;
    made.reserve(types.size());
    for (const std::string& type : types) made.push_back(event(type));
    return made;
}

/// Appends one event of each type to `stream`, in one append, wherever the stream is.
inline Appended seed(EventStore& store, const StreamId& stream, const std::vector<std::string>& types) {
    return store.append(stream, expect::any, events(types));
}

/// Everything that `read` returns, in order.
[[nodiscard]] inline std::vector<Event> events_in(const EventStore& store, const Read& read = all()) {
    std::vector<Event> found;
    for (const Event& e : store.read(read)) found.push_back(e);
    return found;
}
[[nodiscard]] inline std::vector<Event> events_in(const EventStore& store, const StreamId& stream) {
    return events_in(store, stele::stream(stream));
}

[[nodiscard]] inline std::vector<std::string> types_in(const EventStore& store, const Read& read = all()) {
    std::vector<std::string> found;
    for (const Event& e : store.read(read)) found.push_back(e.type);
    return found;
}
[[nodiscard]] inline std::vector<std::string> types_in(const EventStore& store, const StreamId& stream) {
    return types_in(store, stele::stream(stream));
}

/// As plain numbers, so that a test can write {1, 2, 3}.
using Numbers = std::vector<std::int64_t>;

[[nodiscard]] inline Numbers positions_in(const EventStore& store, const Read& read = all()) {
    Numbers found;
    for (const Event& e : store.read(read)) found.push_back(e.position.value());
    return found;
}
[[nodiscard]] inline Numbers positions_in(const EventStore& store, const Query& query) {
    return positions_in(store, Read{query});
}
[[nodiscard]] inline Numbers versions_in(const EventStore& store, const Read& read) {
    Numbers found;
    for (const Event& e : store.read(read)) found.push_back(e.version.value());
    return found;
}

/// from, from + 1, …, to.
[[nodiscard]] inline Numbers numbers(std::int64_t from, std::int64_t to) {
    Numbers made;
    for (std::int64_t n = from; n <= to; ++n) made.push_back(n);
    return made;
}

/// The outcome that `result` holds. Fails the test, saying what is there instead, where it is another one.
template <class Outcome>
[[nodiscard]] Outcome outcome(const AppendResult& result) {
    CAPTURE(result);
    REQUIRE(std::holds_alternative<Outcome>(result));
    return std::get<Outcome>(result);
}

inline std::ostream& print(std::ostream& out, const Appended& appended) {
    out << "appended at " << appended.first_position << " to " << appended.last_position << ", version "
        << appended.version;
    for (const Version version : appended.versions) out << ' ' << version;
    return out << ", recorded " << to_rfc3339(appended.recorded_at) << (appended.duplicate ? ", a duplicate" : "");
}
inline std::ostream& print(std::ostream& out, const VersionConflict& conflict) {
    out << conflict.stream << ": expected " << conflict.expected << ", is at ";
    if (!conflict.actual) return out << "nothing";
    return out << *conflict.actual << " (position " << conflict.position.value_or(Position{}) << ')';
}
inline std::ostream& print(std::ostream& out, const ConditionConflict& conflict) {
    return out << "condition " << conflict.condition << " (" << conflict.query << " after " << conflict.after
               << ") is broken by position " << conflict.position;
}
inline std::ostream& print(std::ostream& out, const TrackingConflict& conflict) {
    return out << "source " << conflict.source << ": expected above " << conflict.expected_above << ", given "
               << conflict.given;
}

}  // namespace stele::test

// How Catch prints the values of a store that have no operator<< of their own.
namespace Catch {

template <class T>
requires requires(std::ostream& out, const T& value) { stele::test::print(out, value); }
struct StringMaker<T> {
    static std::string convert(const T& value) {
        std::ostringstream out;
        stele::test::print(out, value);
        return out.str();
    }
};

template <>
struct StringMaker<stele::AppendResult> {
    static std::string convert(const stele::AppendResult& result) {
        return std::visit([](const auto& outcome) { return Detail::stringify(outcome); }, result);
    }
};

template <>
struct StringMaker<stele::Timestamp> {
    static std::string convert(stele::Timestamp time) { return stele::to_rfc3339(time); }
};

template <class T>
struct StringMaker<std::optional<T>> {
    static std::string convert(const std::optional<T>& value) {
        return value ? Detail::stringify(*value) : std::string{"nothing"};
    }
};

template <>
struct StringMaker<stele::Tracking> {
    static std::string convert(const stele::Tracking& tracking) {
        return tracking.source + " at " + std::to_string(tracking.position) + " (" + tracking.note + ")";
    }
};

}  // namespace Catch
