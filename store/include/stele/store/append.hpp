// What is appended, what it depends on, and what came of it.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/store/query.hpp>
#include <stele/store/schemas.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace stele {

/// Where the writer believes the stream to be.
class ExpectedVersion {
public:
    enum class Kind { any, none, exists, exactly };

    [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
    [[nodiscard]] constexpr Version version() const noexcept { return version_; }  ///< with Kind::exactly

    /// `current` is empty for a stream without events. exactly(0) is the same as none.
    [[nodiscard]] bool matches(std::optional<Version> current) const noexcept;

    friend constexpr bool operator==(ExpectedVersion, ExpectedVersion) noexcept = default;
    friend std::ostream& operator<<(std::ostream& out, ExpectedVersion expected);

    constexpr explicit ExpectedVersion(Kind kind, Version version = {}) noexcept : kind_(kind), version_(version) {}

private:
    Kind kind_;
    Version version_;
};

namespace expect {
inline constexpr ExpectedVersion any{ExpectedVersion::Kind::any};        ///< no expectation
inline constexpr ExpectedVersion none{ExpectedVersion::Kind::none};      ///< the stream has no events
inline constexpr ExpectedVersion exists{ExpectedVersion::Kind::exists};  ///< it has at least one
[[nodiscard]] constexpr ExpectedVersion exactly(Version version) noexcept {
    return ExpectedVersion{ExpectedVersion::Kind::exactly, version};
}
[[nodiscard]] constexpr ExpectedVersion exactly(std::int64_t version) noexcept { return exactly(Version{version}); }
}  // namespace expect

/// How far a source has been taken in, kept in the same transaction as the events that came of it.
struct Tracking {
    std::string source;
    std::int64_t position = 0;  ///< must be greater than the one stored for this source
    std::string note;           ///< kept beside it, for the source's own use; at most 4 KiB

    friend bool operator==(const Tracking&, const Tracking&) = default;
};

/// The events for one stream within an append.
struct AppendPart {
    StreamId stream;
    ExpectedVersion expected;
    std::vector<NewEvent> events;
};

/// One append: events for one or several streams, the conditions that they depend on, and the position of the
/// source that they came from. All of it becomes visible together or not at all (L4).
class Append {
public:
    /// Adds events to a stream. Positions follow the order of the calls. A stream may be named again with
    /// expect::any, to interleave streams; an expectation is about the stream before this append.
    /// Throws InvalidInput when `events` is empty, or the stream was named before and `expected` is not any.
    Append& to(StreamId stream, ExpectedVersion expected, std::vector<NewEvent> events) &;
    /// Refuses the whole append when an event matches. Conditions see what was committed before, never the events
    /// of their own append.
    Append& unless(Condition condition) &;
    /// Refuses the whole append when `source` is at `position` already, or beyond. May stand without events. Where
    /// the events are there already (L6) nothing is written, so the source stays where it is.
    Append& tracking(std::string source, std::int64_t position, std::string note = {}) &;

    /// All events of this append were checked: EventStore::check() returned `by` for each of them. So they are not
    /// checked again, unless the store's schemas have changed since.
    Append& checked(CheckedBy by) &;

    Append&& to(StreamId stream, ExpectedVersion expected, std::vector<NewEvent> events) && {
        return std::move(to(std::move(stream), expected, std::move(events)));
    }
    Append&& unless(Condition condition) && { return std::move(unless(std::move(condition))); }
    Append&& tracking(std::string source, std::int64_t position, std::string note = {}) && {
        return std::move(tracking(std::move(source), position, std::move(note)));
    }
    Append&& checked(CheckedBy by) && { return std::move(checked(by)); }

    [[nodiscard]] const std::vector<AppendPart>& parts() const noexcept { return parts_; }
    [[nodiscard]] const std::vector<Condition>& conditions() const noexcept { return conditions_; }
    [[nodiscard]] const std::optional<Tracking>& tracking() const noexcept { return tracking_; }
    [[nodiscard]] CheckedBy checked() const noexcept { return checked_; }
    [[nodiscard]] bool empty() const noexcept { return parts_.empty() && !tracking_; }

private:
    std::vector<AppendPart> parts_;
    std::vector<Condition> conditions_;
    std::optional<Tracking> tracking_;
    CheckedBy checked_;
};

/// The events are durable, and visible to every read that starts from now on.
struct Appended {
    Position first_position;  ///< 0 where the append held no events, only tracking
    Position last_position;
    Version version;  ///< of the last event in the first stream
    /// Of the last event in each stream, in the order in which to() named them first, where there are several.
    std::vector<Version> versions;
    Timestamp recorded_at{};  ///< of the last event
    bool duplicate = false;   ///< the same events were there before; this is the answer given then (L6)

    friend bool operator==(const Appended&, const Appended&) = default;
};

/// The stream was not where the writer believed. Nothing was written.
struct VersionConflict {
    StreamId stream;
    ExpectedVersion expected;
    std::optional<Version> actual;     ///< empty: the stream has no events
    std::optional<Position> position;  ///< of the stream's last event
};

/// An event matches a condition. Nothing was written.
struct ConditionConflict {
    std::size_t condition;  ///< its place among unless(…), from 0
    Query query;
    Position after;
    Position position;  ///< of an event that matches: the newest one
};

/// The source has been taken in up to there, or further, before. Nothing was written.
struct TrackingConflict {
    std::string source;
    std::int64_t expected_above;  ///< what is stored
    std::int64_t given;
};

using AppendResult = std::variant<Appended, VersionConflict, ConditionConflict, TrackingConflict>;

/// Thrown by append() where try_append() returns a conflict.
class Conflict : public Error {
public:
    using Details = std::variant<VersionConflict, ConditionConflict, TrackingConflict>;
    Conflict(const std::string& store, Details details);
    [[nodiscard]] const Details& details() const noexcept { return details_; }

protected:
    /// With more to say, and more facts.
    Conflict(const std::string& store, Details details, const std::string& more, const nlohmann::json& facts);

private:
    Details details_;
};

/// An id of this append is in the store already, and not as a plain repetition of one append: other content, only
/// some of the ids, another order, or twice in this append. Nothing was written.
class IdConflict : public Error {
public:
    IdConflict(const std::string& store, EventId id, std::optional<Position> position,
               const std::string& difference);
    [[nodiscard]] EventId id() const noexcept { return id_; }
    [[nodiscard]] std::optional<Position> position() const noexcept { return position_; }

private:
    EventId id_;
    std::optional<Position> position_;
};

/// The queue of appends, or another process, kept us waiting past Options::deadline. Nothing was written.
class StoreBusy : public Error {
public:
    using Error::Error;
    StoreBusy(const std::string& store, const std::string& waiting_for, std::chrono::milliseconds waited);
};

/// The disk or the file failed, or it is not a store that this build can open.
class StoreError : public Error {
public:
    using Error::Error;
};

}  // namespace stele
