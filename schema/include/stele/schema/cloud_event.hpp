// CloudEvents 1.0 in their JSON format (cloudevents.io), read as event lines.
#pragma once

#include <stele/schema/event_json.hpp>

#include <string_view>

namespace stele {

/// Reads one CloudEvent. What becomes of its attributes:
///
///     source           the aggregate type is its last segment: `orders` of `https://shop.example/eu/orders/`,
///                      without query and fragment; metadata.source holds all of it
///     subject          the aggregate id; without one, the source stands for it
///     id               the event's id, where it is a UUID. Any other becomes a UUID version 5 of source and id,
///                      so that the same event is recognised (L6), and metadata.source_id holds it as it is
///     type, time       type, occurred_at
///     data             data, byte for byte; `{}` where there is none
///     data_base64      data, as the string that it is, and metadata.data_encoding says "base64"
///     correlationid, causationid       metadata.correlation_id, metadata.causation_id
///     any other        metadata, under its name
///
/// An attribute that is null is absent. The event has no tenant, no tags and schema version 1.
///
/// Throws InvalidInput naming the attribute and what is wrong.
[[nodiscard]] EventLine parse_cloud_event(std::string_view line, const Limits& limits = {});

}  // namespace stele
