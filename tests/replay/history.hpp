// Histories made by hand: the events of one stream, as a store would return them.
#pragma once

#include <stele/replay/aggregate.hpp>
#include <stele/test/catch.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace stele::test {

/// A type and its data.
struct Happening {
    std::string type;
    nlohmann::json data = nlohmann::json::object();
};

/// 2026-01-05T10:00:00Z and so many minutes.
[[nodiscard]] inline Timestamp minute(int minutes) {
    return parse_rfc3339("2026-01-05T10:00:00Z") + std::chrono::minutes{minutes};
}

/// The events at versions 1, 2, 3, …, positions 11, 21, 31, …, recorded a minute apart.
[[nodiscard]] inline std::vector<Event> history(const StreamId& stream, const std::vector<Happening>& happenings) {
    std::vector<Event> events;
    for (const auto& [type, data] : happenings) {
        const auto n = static_cast<int>(events.size());
        events.push_back({.position = Position{10 * n + 11},
                          .version = Version{n + 1},
                          .stream = stream,
                          .type = type,
                          .schema_version = 1,
                          .id = EventId::generate(),
                          .occurred_at = minute(n),
                          .recorded_at = minute(n),
                          .data = data,
                          .metadata = {},
                          .tags = {}});
    }
    return events;
}

/// The state after all of `events`, as a value.
template <class Events>
[[nodiscard]] nlohmann::json state_after(const Aggregate& aggregate, Events&& events) {
    const auto folding = aggregate.begin();
    for (const Event& event : events) folding->apply(event);
    return folding->state().value();
}

}  // namespace stele::test
