// Query: which events. One type serves reads, subscriptions, append conditions and projections.
//
// A query is a list of items joined by OR; an item matches an event when everything that it names holds:
// any of its types, all of its tags, its stream, its aggregate type, its tenant.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace stele {

/// One alternative of a query. What is left empty is not asked for.
struct QueryItem {
    std::vector<std::string> types{};  ///< any of these
    std::vector<std::string> tags{};   ///< all of these, compared byte for byte
    std::optional<StreamId> stream{};
    std::optional<std::string> aggregate_type{};
    std::optional<std::string> tenant{};  ///< "" selects events without a tenant

    [[nodiscard]] bool asks_for_nothing() const noexcept;
    [[nodiscard]] bool matches(const Event& event) const;

    friend bool operator==(const QueryItem&, const QueryItem&) = default;
};

struct Types {
    std::vector<std::string> names;
};
struct Tags {
    std::vector<std::string> names;
};

/// For matching(): any of these types; all of these tags.
template <class... S>
[[nodiscard]] Types types(S&&... names) {
    return {{std::string(std::forward<S>(names))...}};
}
template <class... S>
[[nodiscard]] Tags tags(S&&... names) {
    return {{std::string(std::forward<S>(names))...}};
}

class Condition;

class Query {
public:
    /// Every event.
    Query() = default;

    /// Events that match one of `items`. Throws InvalidInput when there are none, or an item asks for nothing:
    /// a filter that was meant and got lost must not select the whole log.
    explicit Query(std::vector<QueryItem> items);

    [[nodiscard]] bool selects_everything() const noexcept { return items_.empty(); }
    [[nodiscard]] const std::vector<QueryItem>& items() const noexcept { return items_; }
    [[nodiscard]] bool matches(const Event& event) const;

    /// As an append condition: no event of this query may stand behind `position`.
    [[nodiscard]] Condition after(Position position) const;

    /// Events of either.
    friend Query operator|(const Query& a, const Query& b);
    friend bool operator==(const Query&, const Query&) = default;
    /// For messages: `(types t2, t3; tags B) or (tags C)`.
    friend std::ostream& operator<<(std::ostream& out, const Query& query);

private:
    std::vector<QueryItem> items_;  ///< empty: everything
};

[[nodiscard]] Query matching(Types types);
[[nodiscard]] Query matching(Tags tags);
[[nodiscard]] Query matching(Types types, Tags tags);
[[nodiscard]] Query matching(const StreamId& stream);

/// "Append only if no event of `query` stands behind `after`." Refused appends write nothing.
class Condition {
public:
    Condition(Query query,
              Position after = {})  // NOLINT(google-explicit-constructor): unless(matching(…)) reads as it is
        : query_(std::move(query)), after_(after) {}

    [[nodiscard]] const Query& query() const noexcept { return query_; }
    [[nodiscard]] Position after() const noexcept { return after_; }

private:
    Query query_;
    Position after_;
};

/// Of an event, what a read may leave out. Stream, position, version, type, schema version and times are always
/// there.
struct EventParts {
    bool id = true;
    bool data = true;
    bool metadata = true;
    bool tags = true;

    friend bool operator==(const EventParts&, const EventParts&) = default;
    /// What either asks for.
    friend EventParts operator|(const EventParts& a, const EventParts& b) {
        return {a.id || b.id, a.data || b.data, a.metadata || b.metadata, a.tags || b.tags};
    }
};

/// What a read returns: a query, the part of the log, the direction, how many.
///
/// Bounds add up: an event is returned when it satisfies every one that was set. Written as
/// `all().types({"BackupFailed"}).tag("tenant:acme").since(yesterday).limit(50)`.
class Read {
public:
    Read() = default;
    explicit Read(Query query) : query_(std::move(query)) {}

    // These narrow every item of the query; an item that can match nothing any more is dropped. InvalidInput where
    // none is left.
    Read& types(std::vector<std::string> any_of);
    Read& tag(std::string tag);
    Read& tags(std::vector<std::string> all_of);
    Read& stream(const StreamId& stream);
    Read& aggregate_type(std::string type);
    Read& tenant(std::string tenant);

    Read& after(Position position);      ///< from the event behind it
    Read& until(Position position);      ///< up to it, included
    Read& from(Version version);         ///< in the stream, included; only with a stream
    Read& until(Version version);        ///< in the stream, included; only with a stream
    Read& since(Timestamp recorded_at);  ///< recorded at or after it
    Read& until(Timestamp recorded_at);  ///< recorded at or before it
    Read& correlation(std::string id);   ///< metadata.correlation_id, a string, equals it
    Read& unlimited();                   ///< takes every limit() back
    Read& limit(std::size_t events);     ///< at most so many; 0 gives none. Pieces of one event all come or none,
                                         ///< so that a last event in pieces may make it a few more
    Read& backward(bool yes = true);     ///< newest first
    /// What is not among `parts` need not be fetched, and may be left as in an Event that says nothing: for reads
    /// that are long and look at little.
    Read& only(EventParts parts);

    /// Events as they are stored: no upcaster is asked, and the query means stored types. Streams and aggregate
    /// types are found by any name that they have had. Versions, positions and times are the same either way.
    Read& raw(bool yes = true);

    /// The same part of the log, for another query.
    [[nodiscard]] Read with(Query query) const;

    [[nodiscard]] const Query& query() const noexcept { return query_; }
    [[nodiscard]] Position after() const noexcept { return after_; }
    [[nodiscard]] std::optional<Position> until_position() const noexcept { return until_position_; }
    [[nodiscard]] std::optional<Version> from_version() const noexcept { return from_version_; }
    [[nodiscard]] std::optional<Version> until_version() const noexcept { return until_version_; }
    [[nodiscard]] std::optional<Timestamp> since() const noexcept { return since_; }
    [[nodiscard]] std::optional<Timestamp> until_time() const noexcept { return until_time_; }
    [[nodiscard]] const std::optional<std::string>& correlation() const noexcept { return correlation_; }
    [[nodiscard]] std::optional<std::size_t> limit() const noexcept { return limit_; }
    [[nodiscard]] bool is_backward() const noexcept { return backward_; }
    [[nodiscard]] const EventParts& parts() const noexcept { return parts_; }
    [[nodiscard]] bool is_raw() const noexcept { return raw_; }

private:
    Query query_;
    Position after_;
    std::optional<Position> until_position_;
    std::optional<Version> from_version_;
    std::optional<Version> until_version_;
    std::optional<Timestamp> since_;
    std::optional<Timestamp> until_time_;
    std::optional<std::string> correlation_;
    std::optional<std::size_t> limit_;
    bool backward_ = false;
    bool raw_ = false;
    EventParts parts_{};
};

/// The whole log, to be narrowed.
[[nodiscard]] inline Read all() { return Read{}; }
/// One stream, to be narrowed.
[[nodiscard]] Read stream(const StreamId& id);

}  // namespace stele
