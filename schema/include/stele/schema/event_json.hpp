// The event line: one event as one line of JSON Lines, in and out.
#pragma once

#include <stele/schema/event.hpp>

#include <string>
#include <string_view>

namespace stele {

/// One line of an import: where the event goes, and the event.
struct EventLine {
    StreamId stream;
    NewEvent event;
};

/// Reads one line. `aggregate_type`, `aggregate_id`, `type` and `data` are required; `tenant`, `schema_version`,
/// `id`, `occurred_at`, `metadata` and `tags` are optional; `position`, `version` and `recorded_at` are accepted
/// and ignored, so that an export can be imported. `data` and `metadata` are kept byte for byte.
///
/// Throws InvalidInput naming the field and what is wrong. An unknown field is an error: a misspelt name must not
/// be dropped silently.
[[nodiscard]] EventLine parse_event_line(std::string_view line, const Limits& limits = {});

/// Appends the line for `event` to `out`, without the line feed. `data` and `metadata` stand as they are stored,
/// except that line breaks between their tokens, where a writer put any, become spaces: a line is a line.
void append_event_line(std::string& out, const Event& event);

[[nodiscard]] std::string to_event_line(const Event& event);

}  // namespace stele
