// The event envelope: NewEvent on the way in, Event on the way out.
#pragma once

#include <stele/schema/event_id.hpp>
#include <stele/schema/json_text.hpp>
#include <stele/schema/ordinal.hpp>
#include <stele/schema/stream_id.hpp>
#include <stele/schema/time.hpp>

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// An event that is to be appended.
///
/// The id is given when the object is made, so appending the same object again is recognised as a repetition
/// (L6): that is how an append whose outcome is unknown is tried again safely.
struct NewEvent {
    std::string type;
    JsonText data;      ///< any JSON value
    JsonText metadata;  ///< an object
    EventId id = EventId::generate();
    std::optional<Timestamp> occurred_at;  ///< empty: when the store recorded it
    int schema_version = 1;                ///< 1, 2, 3, …
    std::vector<std::string> tags;         ///< each at most once

    // For writing an event in one expression: event("SiteCreated", {…}).by("user-7").tag("plan:pro")
    // Those that set a member of metadata change nothing else of its text, and replace the member if it is there.
    // They throw InvalidInput where metadata is not an object or JSON cannot say what the value holds.
    NewEvent& by(std::string_view actor) &;           ///< metadata.actor
    NewEvent& correlation(std::string_view value) &;  ///< metadata.correlation_id
    NewEvent& caused_by(std::string_view value) &;    ///< metadata.causation_id
    NewEvent& with_metadata(std::string_view key, const nlohmann::json& value) &;
    NewEvent& with_id(EventId value) &;
    NewEvent& tag(std::string tag) &;
    NewEvent& at(Timestamp time) &;
    NewEvent& schema(int version) &;

    NewEvent&& by(std::string_view actor) && { return std::move(by(actor)); }
    NewEvent&& correlation(std::string_view value) && { return std::move(correlation(value)); }
    NewEvent&& caused_by(std::string_view value) && { return std::move(caused_by(value)); }
    NewEvent&& with_metadata(std::string_view key, const nlohmann::json& value) && {
        return std::move(with_metadata(key, value));
    }
    NewEvent&& with_id(EventId value) && { return std::move(with_id(value)); }
    NewEvent&& tag(std::string name) && { return std::move(tag(std::move(name))); }
    NewEvent&& at(Timestamp time) && { return std::move(at(time)); }
    NewEvent&& schema(int version) && { return std::move(schema(version)); }
};

/// A new event. Throws InvalidInput naming "data" where JSON cannot say what `data` holds (see JsonText).
[[nodiscard]] NewEvent event(std::string type, const nlohmann::json& data = nlohmann::json::object());

/// The same with a literal: event("SiteCreated", {{"domain", "example.org"}}). `{}` is the empty object, not null.
[[nodiscard]] NewEvent event(std::string type, nlohmann::json::initializer_list_t data);

/// An event at its place in the log, immutable and there for good (L1).
///
/// A read gives events as they are understood today: the upcasters of the store's EventTypes (event_types.hpp)
/// bring older versions up to date, rename types, and may make several events of a stored one, its pieces. All
/// pieces share the position and the version of the stored event. Read::raw() gives events as they are stored.
struct Event {
    Position position{};
    Version version{};
    StreamId stream;
    std::string type{};
    int schema_version = 1;
    EventId id{};
    Timestamp occurred_at{};  ///< when the writer says it happened
    Timestamp recorded_at{};  ///< when the store committed it; never goes down as position goes up
    JsonText data{};
    JsonText metadata{};
    std::vector<std::string> tags{};

    int piece = 0;  ///< which of the pieces of the stored event this is, from 0. Piece 0 has the stored event's id,
                    ///< each further one an id derived from it, EventId::of_piece()
    int pieces = 1;  ///< how many events were made of the stored one; a query may select fewer of them

    friend bool operator==(const Event&, const Event&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Event& event);
};

/// What of an event a writer can check before the store sees it, and how much of it there may be.
struct Limits {
    std::size_t identifier_bytes = 255;  ///< tenant, aggregate type, aggregate id
    std::size_t type_bytes = 255;
    std::size_t tag_bytes = 150;
    std::size_t event_bytes = std::size_t{16} << 20;  ///< data and metadata together

    /// Throws InvalidInput naming the field ("type", "tags[3]", "data"), the limit and the size.
    void check(const StreamId& stream) const;
    void check(const NewEvent& event) const;
    void check_tag(std::string_view tag, std::string_view field) const;
    void check_type(std::string_view type, std::string_view field) const;
};

}  // namespace stele
