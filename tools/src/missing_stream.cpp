#include "missing_stream.hpp"

#include "suggest.hpp"

namespace stele::tool {

Failure missing_stream(const EventStore& store, const StreamId& stream, const std::string& command) {
    Nearest nearest{stream.name()};
    int looked_at = 0;
    store.streams([&](const StreamInfo& info) {
        nearest.consider(info.stream.name());
        return ++looked_at < 50'000;
    });
    Failure failure{Exit::not_found,
                    "not_found",
                    store.name() + ": no stream \"" + stream.name() + "\"",
                    {{"store", store.name()}, {"stream", stream.name()}}};
    if (nearest.found()) return std::move(failure).hint(command + " " + *nearest.found());
    return std::move(failure).hint("stele streams");
}

}  // namespace stele::tool
