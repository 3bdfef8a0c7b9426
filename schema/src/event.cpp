#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>
#include <stele/schema/event_json.hpp>

#include "json_cursor.hpp"
#include "text.hpp"

#include <algorithm>

namespace stele {
namespace {

/// `object` with the member `name` set to `value`: in its place where it is there, else behind the others. All
/// other bytes stay.
std::string with_member(std::string_view object, std::string_view name, std::string_view value) {
    std::string out;
    std::size_t copied = 0;
    bool found = false;
    bool empty = true;

    detail::JsonCursor cursor{object};
    cursor.space();
    cursor.object([&](std::string_view token) {
        empty = false;
        const auto from = cursor.byte();
        cursor.value();
        if (detail::unescaped(token) != name) return;
        found = true;
        out.append(object.substr(copied, from - copied)).append(value);
        copied = cursor.byte();
    });
    if (!found) {
        const auto brace = cursor.byte() - 1;
        out.append(object.substr(copied, brace - copied));
        if (!empty) out += ',';
        detail::append_json_string(out, name);
        out.append(1, ':').append(value);
        copied = brace;
    }
    return out.append(object.substr(copied));
}

}  // namespace

NewEvent& NewEvent::by(std::string_view actor) & { return with_metadata("actor", actor); }
NewEvent& NewEvent::correlation(std::string_view value) & { return with_metadata("correlation_id", value); }
NewEvent& NewEvent::caused_by(std::string_view value) & { return with_metadata("causation_id", value); }

NewEvent& NewEvent::with_metadata(std::string_view key, const nlohmann::json& value) & {
    detail::require_utf8(key, "metadata");
    if (!metadata.is_object()) throw InvalidInput("metadata", "an object", detail::quoted(metadata.text()));
    const auto member = JsonText::write(value, "metadata." + std::string(key));
    metadata = JsonText::parse(with_member(metadata.text(), key, member.text()), "metadata");
    return *this;
}

NewEvent& NewEvent::with_id(EventId value) & {
    id = value;
    return *this;
}

NewEvent& NewEvent::tag(std::string tag) & {
    tags.push_back(std::move(tag));
    return *this;
}

NewEvent& NewEvent::at(Timestamp time) & {
    occurred_at = time;
    return *this;
}

NewEvent& NewEvent::schema(int version) & {
    schema_version = version;
    return *this;
}

NewEvent event(std::string type, const nlohmann::json& data) {
    NewEvent made;
    made.type = std::move(type);
    made.data = JsonText::write(data, "data");
    return made;
}

NewEvent event(std::string type, nlohmann::json::initializer_list_t data) {
    return event(std::move(type), data.size() == 0 ? nlohmann::json::object() : nlohmann::json(data));
}

std::ostream& operator<<(std::ostream& out, const Event& event) { return out << to_event_line(event); }

}  // namespace stele
