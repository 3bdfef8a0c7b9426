#include <stele/schema/cloud_event.hpp>
#include <stele/schema/error.hpp>

#include "json_cursor.hpp"
#include "text.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace stele {
namespace {

/// The attributes that have a place of their own in an event.
struct Attributes {
    std::optional<std::string> specversion, id, source, subject, type, time, data_base64;
    std::optional<std::string_view> data;
};

/// Where a string attribute goes; null for those that become metadata.
std::optional<std::string>* place_of(const std::string& name, Attributes& attributes) {
    static const std::map<std::string, std::optional<std::string> Attributes::*, std::less<>> places{
        {"specversion", &Attributes::specversion}, {"id", &Attributes::id},     {"source", &Attributes::source},
        {"subject", &Attributes::subject},         {"type", &Attributes::type}, {"time", &Attributes::time},
        {"data_base64", &Attributes::data_base64}};
    const auto found = places.find(name);
    return found == places.end() ? nullptr : &(attributes.*(found->second));
}

/// `orders` of `https://shop.example/eu/orders/?page=2`.
std::string_view last_segment(std::string_view source) {
    source = source.substr(0, source.find_first_of("?#"));
    while (!source.empty() && (source.back() == '/' || source.back() == ':')) source.remove_suffix(1);
    const auto start = source.find_last_of("/:");
    return start == std::string_view::npos ? source : source.substr(start + 1);
}

bool is_attribute_name(const std::string& name) {
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

/// The id, where it is a UUID that may be one of an event.
std::optional<EventId> as_uuid(const std::string& id) {
    try {
        const auto parsed = EventId::parse(id);
        return parsed.is_nil() ? std::nullopt : std::optional{parsed};
    } catch (const InvalidInput&) {
        return std::nullopt;
    }
}

/// CloudEvents promise that source and id together are unique. A source, being a URI, holds no space.
EventId named_id(const std::string& source, const std::string& id) {
    static const auto name_space = boost::uuids::string_generator{}("7bb0f3e5-5b0f-4c0e-9a55-3a5a2e1f6c1d");
    return EventId{boost::uuids::name_generator_sha1{name_space}(source + " " + id)};
}

/// One CloudEvent, taken apart.
class CloudEventReader {
public:
    explicit CloudEventReader(std::string_view line) : line_(line), cursor_(line) {}

    EventLine read(const Limits& limits) {
        detail::require_utf8(line_, "line");
        try {
            read_attributes();
        } catch (const detail::JsonFault& fault) {
            throw InvalidInput(place_, fault.expected + " at byte " + std::to_string(fault.byte) + " of the line",
                               fault.found);
        }
        require_attributes();
        EventLine line{stream(), event()};
        limits.check(line.stream);
        limits.check(line.event);
        return line;
    }

private:
    void read_attributes() {
        cursor_.space();
        cursor_.object([this](std::string_view token) {
            place_ = detail::unescaped(token);
            if (!seen_.insert(place_).second) throw InvalidInput(place_, "each attribute once", "it again");
            read_attribute();
            place_ = "line";
        });
        cursor_.space();
        cursor_.expect_end();
    }

    void read_attribute() {
        const char first = cursor_.ahead();
        const auto value = cursor_.value();
        if (place_ == "data") {
            attributes_.data = value;
        } else if (value == "null") {
            return;  // unset
        } else if (auto* attribute = place_of(place_, attributes_)) {
            if (first != '"') throw InvalidInput(place_, "a string", detail::printable(value));
            *attribute = detail::unescaped(value);
        } else {
            // No name of ours can be among these: ours hold an underscore.
            if (!is_attribute_name(place_))
                throw InvalidInput(detail::printable(place_), "a name of lower-case letters and digits", "others");
            if (first == '{' || first == '[')
                throw InvalidInput(place_, "a string, a number, true or false",
                                   first == '{' ? "an object" : "an array");
            if (place_ == "correlationid") return add_metadata("correlation_id", value);
            if (place_ == "causationid") return add_metadata("causation_id", value);
            add_metadata(place_, value);
        }
    }

    void require_attributes() const {
        const auto require = [](const char* name, const std::optional<std::string>& value) {
            if (!value) throw InvalidInput(name, "a value", "none");
            if (value->empty()) throw InvalidInput(name, "a string that is not empty", "\"\"");
        };
        require("specversion", attributes_.specversion);
        if (*attributes_.specversion != "1.0")
            throw InvalidInput("specversion", "\"1.0\"", detail::quoted(*attributes_.specversion));
        require("id", attributes_.id);
        require("source", attributes_.source);
        require("type", attributes_.type);
        if (attributes_.data && attributes_.data_base64)
            throw InvalidInput("data_base64", "either this or data", "both");
    }

    StreamId stream() const {
        const auto type = last_segment(*attributes_.source);
        if (type.empty())
            throw InvalidInput("source", "a name behind the last '/'", detail::quoted(*attributes_.source));
        const auto& subject = attributes_.subject;
        return StreamId{type, subject && !subject->empty() ? *subject : *attributes_.source};
    }

    NewEvent event() {
        const auto uuid = as_uuid(*attributes_.id);
        add_metadata_string("source", *attributes_.source);
        if (!uuid) add_metadata_string("source_id", *attributes_.id);
        if (attributes_.data_base64) add_metadata_string("data_encoding", "base64");

        NewEvent event{.type = *attributes_.type,
                       .data = {},
                       .metadata = JsonText::trusted("{" + metadata_ + "}"),
                       .id = uuid ? *uuid : named_id(*attributes_.source, *attributes_.id),
                       .occurred_at = {},
                       .tags = {}};
        if (attributes_.data) event.data = JsonText::trusted(std::string(*attributes_.data));
        if (attributes_.data_base64) {
            std::string text;
            detail::append_json_string(text, *attributes_.data_base64);
            event.data = JsonText::trusted(std::move(text));
        }
        if (attributes_.time) event.occurred_at = parse_rfc3339(*attributes_.time, "time");
        return event;
    }

    void add_metadata(std::string_view name, std::string_view json) {
        if (!metadata_.empty()) metadata_ += ',';
        detail::append_json_string(metadata_, name);
        metadata_ += ':';
        metadata_ += json;
    }

    void add_metadata_string(std::string_view name, std::string_view text) {
        std::string json;
        detail::append_json_string(json, text);
        add_metadata(name, json);
    }

    std::string_view line_;
    detail::JsonCursor cursor_;
    std::string place_ = "line";  ///< the attribute that is being read
    std::set<std::string> seen_;
    Attributes attributes_;
    std::string metadata_;  ///< members of the object
};

}  // namespace

EventLine parse_cloud_event(std::string_view line, const Limits& limits) {
    return CloudEventReader{line}.read(limits);
}

}  // namespace stele
