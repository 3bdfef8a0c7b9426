#include <stele/projections/projection_error.hpp>

namespace stele {
namespace {

std::string message_of(const std::string& projection, const Event& event, const std::string& place,
                       const std::string& reason) {
    return "projection \"" + projection + "\": position " + std::to_string(event.position.value()) + ", " +
           event.type + " v" + std::to_string(event.schema_version) + ": " + (place.empty() ? "" : place + ": ") +
           reason + "; halted at " + std::to_string(event.position.previous().value());
}

}  // namespace

HandlerFailed::HandlerFailed(std::string projection, const Event& event, std::string place, std::string reason)
    : Error("handler_failed", message_of(projection, event, place, reason),
            {{"projection", projection},
             {"position", event.position.value()},
             {"type", event.type},
             {"place", place},
             {"reason", reason}}),
      projection_(std::move(projection)),
      position_(event.position),
      type_(event.type),
      place_(std::move(place)),
      reason_(std::move(reason)) {}

ProjectionError::ProjectionError(std::string code, const std::string& projection, const std::string& message,
                                 nlohmann::json facts)
    : Error(std::move(code), "projection \"" + projection + "\": " + message,
            [&] {
                facts["projection"] = projection;
                return std::move(facts);
            }()),
      projection_(projection) {}

}  // namespace stele
