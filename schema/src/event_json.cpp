#include <stele/schema/error.hpp>
#include <stele/schema/event_json.hpp>

#include "json_cursor.hpp"
#include "text.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <optional>

namespace stele {
namespace {

enum Field : std::size_t {
    aggregate_type,
    aggregate_id,
    tenant,
    type,
    schema_version,
    id,
    occurred_at,
    data,
    metadata,
    tags,
    position,
    version,
    recorded_at,
    fields
};

constexpr std::array<std::string_view, fields> names{
    "aggregate_type", "aggregate_id", "tenant", "type",     "schema_version", "id",         "occurred_at",
    "data",           "metadata",     "tags",   "position", "version",        "recorded_at"};

Field field_named(std::string_view token) {
    const auto name = detail::unescaped(token);
    for (std::size_t i = 0; i < fields; ++i) {
        if (names[i] == name) return static_cast<Field>(i);
    }
    std::string known;
    for (const auto one : names) known.append(known.empty() ? "one of " : ", ").append(one);
    throw InvalidInput(name.empty() ? "\"\"" : detail::printable(name), known, "an unknown field");
}

/// `value`, a whole JSON text, as it stands in a message: as it is, where it is short.
std::string shown(std::string_view value) {
    constexpr std::size_t longest = 60;
    if (value.size() <= longest) return std::string(value);
    if (value[0] == '{') return "an object";
    if (value[0] == '[') return "an array";
    return detail::quoted(value);
}

/// One line, taken apart.
class LineReader {
public:
    explicit LineReader(std::string_view line) : line_(line), cursor_(line) {}

    EventLine read(const Limits& limits) {
        detail::require_utf8(line_, "line");
        try {
            read_fields();
        } catch (const detail::JsonFault& fault) {
            throw InvalidInput(place_, fault.expected + " at byte " + std::to_string(fault.byte) + " of the line",
                               fault.found);
        }
        for (const auto field : {aggregate_type, aggregate_id, type, data}) {
            if (!seen_[field]) throw InvalidInput(std::string(names[field]), "a value", "none");
        }
        event_.id = id_ ? *id_ : EventId::generate();

        EventLine line{StreamId{tenant_, aggregate_type_, aggregate_id_}, std::move(event_)};
        limits.check(line.stream);
        limits.check(line.event);
        return line;
    }

private:
    void read_fields() {
        cursor_.space();
        cursor_.object([this](std::string_view token) {
            const auto field = field_named(token);
            place_ = names[field];
            if (seen_[field]) throw InvalidInput(place_, "each field once", "it again");
            seen_.set(field);
            read_field(field);
            place_ = "line";
        });
        cursor_.space();
        cursor_.expect_end();
    }

    void read_field(Field field) {
        switch (field) {
            case aggregate_type:
                aggregate_type_ = string();
                break;
            case aggregate_id:
                aggregate_id_ = string();
                break;
            case tenant:
                tenant_ = string();
                break;
            case type:
                event_.type = string();
                break;
            case schema_version:
                event_.schema_version = whole_number();
                break;
            case id:
                id_ = EventId::parse(string());
                break;
            case occurred_at:
                event_.occurred_at = parse_rfc3339(string(), place_);
                break;
            case data:
                event_.data = JsonText::trusted(std::string(cursor_.value()));
                break;
            case metadata:
                require_ahead('{', "an object");
                event_.metadata = JsonText::trusted(std::string(cursor_.value()));
                break;
            case tags:
                event_.tags = strings();
                break;
            case position:
            case version:
            case recorded_at:
                cursor_.value();
                break;  // the export's own; the store gives new ones
            case fields:
                break;
        }
    }

    std::string string() {
        require_ahead('"', "a string");
        return detail::unescaped(cursor_.string());
    }

    int whole_number() {
        const auto text = cursor_.value();
        int number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || end != text.data() + text.size()) {
            throw InvalidInput(place_, "a whole number", shown(text));
        }
        return number;
    }

    std::vector<std::string> strings() {
        require_ahead('[', "an array of strings");
        std::vector<std::string> all;
        cursor_.array([&] {
            place_ = "tags[" + std::to_string(all.size()) + "]";
            all.push_back(string());
            place_ = "tags";
        });
        return all;
    }

    /// Refuses the value ahead unless it begins with `first`, as all values of its type do and no others.
    void require_ahead(char first, const char* described) {
        if (cursor_.ahead() != first) throw InvalidInput(place_, described, shown(cursor_.value()));
    }

    std::string_view line_;
    detail::JsonCursor cursor_;
    std::string place_ = "line";  ///< the field that is being read
    std::bitset<fields> seen_;

    std::string aggregate_type_;
    std::string aggregate_id_;
    std::string tenant_;
    std::optional<EventId> id_;
    NewEvent event_{.type = {}, .data = {}, .metadata = {}, .id = EventId{}, .occurred_at = {}, .tags = {}};
};

void append_member(std::string& out, std::string_view name, std::string_view json) {
    out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":").append(json);
}

void append_string_member(std::string& out, std::string_view name, std::string_view text) {
    append_member(out, name, {});
    detail::append_json_string(out, text);
}

/// Within JSON a raw line break stands between tokens only, where a space means the same.
void append_json_member(std::string& out, std::string_view name, const JsonText& json) {
    append_member(out, name, {});
    const auto from = out.size();
    out.append(json.text());
    if (json.text().find_first_of("\r\n") == std::string::npos) return;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
}

}  // namespace

EventLine parse_event_line(std::string_view line, const Limits& limits) { return LineReader{line}.read(limits); }

void append_event_line(std::string& out, const Event& event) {
    out += '{';
    append_string_member(out, "aggregate_type", event.stream.aggregate_type());
    append_string_member(out, "aggregate_id", event.stream.aggregate_id());
    if (!event.stream.tenant().empty()) append_string_member(out, "tenant", event.stream.tenant());
    append_string_member(out, "type", event.type);
    append_member(out, "schema_version", std::to_string(event.schema_version));
    append_string_member(out, "id", event.id.to_string());
    append_string_member(out, "occurred_at", to_rfc3339(event.occurred_at));
    append_json_member(out, "data", event.data);
    append_json_member(out, "metadata", event.metadata);
    if (!event.tags.empty()) {
        append_member(out, "tags", "[");
        for (const auto& tag : event.tags) {
            if (out.back() != '[') out += ',';
            detail::append_json_string(out, tag);
        }
        out += ']';
    }
    append_member(out, "position", std::to_string(event.position.value()));
    append_member(out, "version", std::to_string(event.version.value()));
    append_string_member(out, "recorded_at", to_rfc3339(event.recorded_at));
    out += '}';
}

std::string to_event_line(const Event& event) {
    std::string line;
    append_event_line(line, event);
    return line;
}

}  // namespace stele
