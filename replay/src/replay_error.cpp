#include <stele/replay/aggregate.hpp>

#include <string>

namespace stele {

ReplayError::ReplayError(std::string_view source, const Event& event, std::string_view reason)
    : Error("replay_failed",
            std::string{source} + ": " + event.stream.name() + ": version " +
                std::to_string(event.version.value()) + ", position " + std::to_string(event.position.value()) +
                ", " + event.type + " v" + std::to_string(event.schema_version) + ": " + std::string{reason},
            {{"source", source},
             {"stream", event.stream.name()},
             {"version", event.version.value()},
             {"position", event.position.value()},
             {"type", event.type},
             {"schema_version", event.schema_version},
             {"reason", reason}}) {}

}  // namespace stele
