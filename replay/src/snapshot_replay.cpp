#include <stele/replay/command_handler.hpp>
#include <stele/replay/snapshot_replay.hpp>

#include <optional>
#include <string>
#include <utility>

namespace stele {
namespace {

// Whether the snapshot's event was recorded by then. As it is stored: an upcaster may make nothing of it.
bool is_within(const EventStore& store, const StreamId& id, const Snapshot& snapshot, Timestamp time) {
    auto its_event = stream(id).from(snapshot.version).until(snapshot.version).raw();
    for (const Event& event : store.read(its_event)) return event.recorded_at <= time;
    return false;
}

std::optional<Snapshot> usable(const EventStore& store, const StreamId& id, const FoldDefinition& definition,
                               const ReplayOptions& options, Snapshots& snapshots) {
    if (options.at_time && options.time_of == TimeOf::occurred) return std::nullopt;
    // A version that is not there is an error that replay() knows how to say.
    if (options.at_version && *options.at_version > store.version(id).value_or(Version{0})) return std::nullopt;
    auto found = snapshots.find(definition, id, options.at_version, options.at_position);
    if (found && options.at_time && !is_within(store, id, *found, *options.at_time)) return std::nullopt;
    return found;
}

State resumed(const EventStore& store, const StreamId& id, const Aggregate& aggregate, const ReplayOptions& options,
              const Snapshot& snapshot) {
    Replay run{id, aggregate};
    run.resume({id, snapshot.version, snapshot.position, snapshot.state});
    auto rest = stream(id).from(snapshot.version.next());
    if (options.at_version) rest.until(*options.at_version);
    if (options.at_position) rest.until(*options.at_position);
    if (options.at_time) rest.until(*options.at_time);
    for (const Event& event : store.read(rest)) run.apply(event);
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
