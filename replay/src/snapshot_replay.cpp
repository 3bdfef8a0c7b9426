#include <stele/replay/command_handler.hpp>
#include <stele/replay/snapshot_replay.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace stele {
namespace {

// The position behind which nothing is within the bounds. recorded_at never goes down as position goes up.
std::optional<Position> last_position(const EventStore& store, const ReplayOptions& options) {
    if (!options.at_time) return options.at_position;
    const auto at_time = store.position_at(*options.at_time);
    return options.at_position ? std::min(at_time, *options.at_position) : at_time;
}

std::optional<Snapshot> usable(const EventStore& store, const StreamId& id, const FoldDefinition& definition,
                               const ReplayOptions& options, Snapshots& snapshots) {
    if (options.at_time && options.time_of == TimeOf::occurred) return std::nullopt;
    // A version that is not there is an error that replay() knows how to say.
    if (options.at_version && *options.at_version > store.version(id).value_or(Version{0})) return std::nullopt;
    return snapshots.find(definition, id, options.at_version, last_position(store, options));
}

State resumed(const EventStore& store, const StreamId& id, const Aggregate& aggregate, const ReplayOptions& options,
              const Snapshot& snapshot) {
    Replay run{id, aggregate};
    run.resume({id, snapshot.version, snapshot.position, snapshot.state});
    auto rest = stream(id).from(snapshot.version.next());
    if (options.at_version) rest.until(*options.at_version);
    if (options.at_position) rest.until(*options.at_position);
    if (options.at_time) rest.until(*options.at_time);
    constexpr std::int64_t progress_every = 1'000;
    const auto total = options.at_version ? options.at_version : store.version(id);
    std::int64_t seen = 0;
    for (const Event& event : store.read(rest)) {
        run.apply(event);
        if (++seen % progress_every == 0 && options.progress)
            options.progress(event.version.value(), std::max(event.version, *total).value());
    }
    return run.state();
}

}  // namespace

State replay(const EventStore& store, const StreamId& id, const Aggregate& aggregate, const ReplayOptions& options,
             Snapshots& snapshots) {
    const auto text = aggregate.definition();
    if (text.empty()) return replay(store, id, aggregate, options);
    const auto name = "aggregate " + std::string{aggregate.aggregate_type()};
    const FoldDefinition definition{name, name + "\n" + detail::ReadAlike{store}.fingerprint({}) + "\n" + text};

    const auto snapshot = usable(store, id, definition, options, snapshots);
    auto state =
        snapshot ? resumed(store, id, aggregate, options, *snapshot) : replay(store, id, aggregate, options);
    const auto begun_at = snapshot ? snapshot->version : Version{0};
    const bool is_whole = !(options.at_time && options.time_of == TimeOf::occurred);
    if (is_whole && state.version.value() - begun_at.value() >= snapshots.options().every)
        snapshots.keep(definition, id, {state.version, state.position, state.json});
    return state;
}

}  // namespace stele
