// Scenarios: what has happened, what is asked, and what is to come of it.
//
//   given<Site>(SiteCreated{"example.org"}).when(DeleteSite{}).then(SiteDeleted{});
//   given<Site>().when(DeleteSite{}).then_error<NoSuchSite>();
//   given(in("Site/s1", SiteCreated{"a.example"}), in("Site/s2", SiteCreated{"b.example"}))
//       .project<SiteCount>().expect("SELECT n FROM site_count", {{2}});
//
// Events are typed events, NewEvents, and ranges, tuples and optionals of these. They are at the versions 1, 2, 3,
// … of their stream and at the positions 1, 2, 3, …, recorded a second apart from 2026-01-05T10:00:00Z on.
//
// Each scenario is run twice, so that what depends on anything but its events shows: see decider_scenario.hpp and
// projection_scenario.hpp.
#pragma once

#include <stele/replay/decider.hpp>
#include <stele/schema/event.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::testing {

/// Events of one stream.
struct InStream {
    StreamId stream;
    std::vector<NewEvent> events;
};

/// Events of the stream called `name`: `in("Site/site-1", SiteCreated{…}, SiteDeleted{})`.
template <class... E>
[[nodiscard]] InStream in(std::string_view name, E&&... events) {
    InStream made{StreamId::parse(name), {}};
    (stele::detail::add_decided(made.events, std::forward<E>(events)), ...);
    return made;
}

namespace detail {

/// Where a scenario stands in the test.
struct Place {
    const char* file;
    int line;
    friend std::string to_string(const Place& place);
};

/// What has happened, stream by stream in the order given.
struct History {
    std::vector<InStream> parts;

    /// As a store would return it.
    [[nodiscard]] std::vector<Event> events() const;
    [[nodiscard]] std::size_t size() const;

    template <class E>
    void add(E&& given, const StreamId& otherwise) {
        if constexpr (std::same_as<std::remove_cvref_t<E>, InStream>) {
            parts.push_back(std::forward<E>(given));
        } else {
            if (parts.empty() || parts.back().stream != otherwise) parts.push_back({otherwise, {}});
            stele::detail::add_decided(parts.back().events, std::forward<E>(given));
        }
    }
};

/// What does not agree, as text for people: each expected event beside the one that came, and the members in which
/// they differ. Empty where all agree. Metadata is compared where the expected event has any, times and ids never.
[[nodiscard]] std::string differences(const std::vector<NewEvent>& expected, const std::vector<NewEvent>& found);

/// "  1. SiteCreated v1 {"domain":"example.org"}", a line each.
[[nodiscard]] std::string listed(const std::vector<NewEvent>& events, std::string_view indent);

/// The events behind `before`, as they would be stored.
[[nodiscard]] std::vector<Event> following(const std::vector<Event>& before, const StreamId& stream,
                                           const std::vector<NewEvent>& events);

/// A type's name without its namespaces, as people write it.
[[nodiscard]] std::string readable(const char* type_name);

}  // namespace detail
}  // namespace stele::testing
