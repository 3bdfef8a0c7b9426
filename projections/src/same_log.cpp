#include "same_log.hpp"

namespace stele {

std::optional<EventId> id_at(const EventStore& store, Position position) {
    if (position <= Position{0}) return std::nullopt;
    auto read = all();
    read.after(position.previous())
        .until(position)
        .raw()
        .only({.id = true, .data = false, .metadata = false, .tags = false});
    for (const Event& event : store.read(read)) return event.id;
    return std::nullopt;
}

std::optional<Event> stored_at(const EventStore& store, Position position) {
    auto read = all();
    read.after(position.previous())
        .until(position)
        .raw()
        .only({.id = false, .data = false, .metadata = false, .tags = false});
    for (const Event& event : store.read(read)) return event;
    return std::nullopt;
}

std::optional<ProjectionError> not_of_this_log(const EventStore& store, const Generation& generation) {
    const auto position = std::to_string(generation.position.value());
    if (const auto head = store.head(); generation.position > head) {
        return ProjectionError{"projection_ahead",
                               generation.name,
                               "expected a position up to the log's head " + std::to_string(head.value()) +
                                   ", found " + position + ": the log has lost events since; rebuild it",
                               {{"position", generation.position.value()}, {"head", head.value()}}};
    }
    if (!generation.event_id) return std::nullopt;
    const auto found = id_at(store, generation.position);
    if (found == generation.event_id) return std::nullopt;
    const auto in_log = found ? found->to_string() : "none";
    return ProjectionError{"projection_log",
                           generation.name,
                           "expected the event " + generation.event_id->to_string() + " at position " + position +
                               ", found " + in_log +
                               ": the log is another one than the one that its rows are of, as after a restore of "
                               "an older copy; rebuild it",
                           {{"position", generation.position.value()},
                            {"event", generation.event_id->to_string()},
                            {"found", in_log}}};
}

}  // namespace stele
