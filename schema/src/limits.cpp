#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>

#include "text.hpp"

#include <algorithm>

namespace stele {
namespace {

std::string place(std::size_t index) { return "tags[" + std::to_string(index) + "]"; }

void check_tags(const Limits& limits, const std::vector<std::string>& tags) {
    for (std::size_t i = 0; i < tags.size(); ++i) {
        if (tags[i].empty() || tags[i].size() > limits.tag_bytes || !detail::is_utf8(tags[i])) {
            limits.check_tag(tags[i], place(i));  // throws; its field is only spelled out where it is needed
        }
    }

    // Few tags are compared with one another; many are sorted, so that a long list costs no square.
    constexpr std::size_t few = 16;
    if (tags.size() <= few) {
        for (std::size_t i = 1; i < tags.size(); ++i) {
            const auto end = tags.begin() + static_cast<std::ptrdiff_t>(i);
            if (std::find(tags.begin(), end, tags[i]) != end) {
                throw InvalidInput(place(i), "each tag at most once", detail::quoted(tags[i]) + " again");
            }
        }
        return;
    }
    std::vector<std::string_view> sorted(tags.begin(), tags.end());
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) {
        throw InvalidInput("tags", "each tag at most once", detail::quoted(*twice) + " again");
    }
}

}  // namespace

void Limits::check(const StreamId& stream) const {
    detail::require_bytes_at_most(identifier_bytes, stream.tenant(), "tenant");
    detail::require_bytes_at_most(identifier_bytes, stream.aggregate_type(), "aggregate_type");
    detail::require_bytes_at_most(identifier_bytes, stream.aggregate_id(), "aggregate_id");
}

void Limits::check(const NewEvent& event) const {
    check_type(event.type, "type");
    if (event.id.is_nil()) throw InvalidInput("id", "a UUID that is not nil", event.id.to_string());
    if (event.schema_version < 1) {
        throw InvalidInput("schema_version", "1 or more", std::to_string(event.schema_version));
    }
    if (event.occurred_at && (*event.occurred_at < first_moment || *event.occurred_at > last_moment)) {
        throw InvalidInput(
            "occurred_at", "a moment in the years 0000 to 9999",
            std::to_string(event.occurred_at->time_since_epoch().count()) + " microseconds from 1970");
    }
    if (!event.metadata.is_object()) {
        throw InvalidInput("metadata", "an object", detail::quoted(event.metadata.text()));
    }
    const auto bytes = event.data.text().size() + event.metadata.text().size();
    if (bytes > event_bytes) {
        throw InvalidInput("data", "at most " + std::to_string(event_bytes) + " bytes together with metadata",
                           std::to_string(bytes));
    }
    check_tags(*this, event.tags);
}

void Limits::check_tag(std::string_view tag, std::string_view field) const {
    if (tag.empty()) throw InvalidInput(std::string(field), "at least one character", "none");
    detail::require_bytes_at_most(tag_bytes, tag, field);
    detail::require_utf8(tag, field);
}

void Limits::check_type(std::string_view type, std::string_view field) const {
    detail::require_bytes_at_most(type_bytes, type, field);
    detail::require_name(type, field);
}

}  // namespace stele
