#include <stele/replay/diff.hpp>
#include <stele/replay/json_diff.hpp>

#include "missing.hpp"

#include <charconv>
#include <optional>
#include <utility>

namespace stele {
namespace {

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stop == end ? std::optional{value} : std::nullopt;
}

Version last_version(const EventStore& store, Read read) {
    for (const Event& event : store.read(read.backward().limit(1))) return event.version;
    return Version{};
}

template <class Bound>
Version version_within(const EventStore& store, const StreamId& id, Bound bound) {
    if (!store.version(id)) throw no_such_stream(store, id);
    return last_version(store, stream(id).until(bound));
}

// By when events occurred: such a moment is no version, as events may be left out anywhere before it.
State state_by_occurrence(const EventStore& store, const StreamId& id, const Aggregate& aggregate, Timestamp time,
                          const DiffOptions& options) {
    try {
        return replay(store, id, aggregate,
                      {.at_time = time, .time_of = TimeOf::occurred, .progress = options.progress});
    } catch (const NotFound&) {
        if (!store.version(id)) throw;
        return Replay{id, aggregate}.state();
    }
}

State state_at(const EventStore& store, const StreamId& id, const Aggregate& aggregate, const Moment& moment,
               const DiffOptions& options) {
    if (const auto* time = std::get_if<Timestamp>(&moment))
        return state_by_occurrence(store, id, aggregate, *time, options);
    const auto version = version_at(store, id, moment);
    if (version == Version{}) return Replay{id, aggregate}.state();
    return replay(store, id, aggregate, {.at_version = version, .progress = options.progress});
}

// The states after two versions, the first of which is not the later one, by one fold.
std::pair<State, State> states_at(const EventStore& store, const StreamId& id, const Aggregate& aggregate,
                                  Version first, Version second, const DiffOptions& options) {
    constexpr std::int64_t progress_every = 1'000;
    Replay run{id, aggregate};
    std::optional<State> at_first;
    if (second == Version{}) return {run.state(), run.state()};
    std::int64_t seen = 0;
    for (const Event& event : store.read(stream(id).until(second))) {
        if (!at_first && event.version > first) at_first = run.state();
        run.apply(event);
        if (++seen % progress_every == 0 && options.progress) options.progress(seen, second.value());
    }
    auto at_second = run.state();
    if (!at_first) at_first = at_second;
    return {*std::move(at_first), std::move(at_second)};
}

}  // namespace

Moment parse_moment(std::string_view text, std::string_view field) {
    const bool is_position = !text.empty() && text.front() == '@';
    if (const auto value = number(is_position ? text.substr(1) : text); value && *value >= 0)
        return is_position ? Moment{Position{*value}} : Moment{Version{*value}};
    if (!is_position) {
        constexpr std::size_t date_alone = 10;
        try {
            return parse_rfc3339(text.size() == date_alone ? std::string{text} + "T00:00:00Z" : std::string{text});
        } catch (const InvalidInput&) {
            // told below, with what else it could have been
        }
    }
    throw InvalidInput{std::string{field},
                       "a version such as 5, a position such as @90112, or a time such as 2026-01-05T10:00:00Z",
                       '"' + std::string{text} + '"'};
}

Version version_at(const EventStore& store, const StreamId& id, const Moment& moment) {
    if (const auto* position = std::get_if<Position>(&moment)) {
        if (position->value() < 0) throw InvalidInput("position", "0 or more", std::to_string(position->value()));
        return version_within(store, id, *position);
    }
    if (const auto* time = std::get_if<Timestamp>(&moment)) return version_within(store, id, *time);
    const auto version = std::get<Version>(moment);
    if (version.value() < 0) throw InvalidInput("version", "0 or more", std::to_string(version.value()));
    const auto last = store.version(id);
    if (!last) throw no_such_stream(store, id);
    if (version > *last) throw no_such_version(store, id, version, *last);
    return version;
}

StateDifference diff(const EventStore& store, const StreamId& id, const Aggregate& aggregate, const Moment& from,
                     const Moment& to, const DiffOptions& options) {
    const auto difference = [](State a, State b) {
        auto patch = json_diff(value_of(a), value_of(b));
        return StateDifference{std::move(a), std::move(b), std::move(patch)};
    };
    if (options.time_of == TimeOf::occurred) {
        auto a = state_at(store, id, aggregate, from, options);
        return difference(std::move(a), state_at(store, id, aggregate, to, options));
    }
    const auto a = version_at(store, id, from);
    const auto b = version_at(store, id, to);
    auto [first, second] = states_at(store, id, aggregate, std::min(a, b), std::max(a, b), options);
    if (a > b) std::swap(first, second);
    return difference(std::move(first), std::move(second));
}

}  // namespace stele
