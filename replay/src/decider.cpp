#include <stele/replay/decider.hpp>

namespace stele::detail {

void require_aggregate_type(const StreamId& stream, std::string_view expected, const std::string& decider) {
    if (stream.aggregate_type() == expected) return;
    throw InvalidInput{"stream of decider " + decider, std::string{expected} + "/…", stream.name()};
}

void raise_to(const EventStore& store, const StreamId& stream, Version end, Version& version, Position& position) {
    if (version >= end) return;
    version = end;
    auto last = stele::stream(stream).from(end).until(end).raw().only(
        {.id = false, .data = false, .metadata = false, .tags = false});
    for (const Event& event : store.read(last)) position = event.position;
}

}  // namespace stele::detail
