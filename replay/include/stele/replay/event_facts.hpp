// EventFacts: of an event, what says who did what, and when. Without its data: for answers that name many events.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/schema/event.hpp>

#include <optional>
#include <string>

namespace stele {

struct EventFacts {
    Position position;
    Version version;
    StreamId stream;
    std::string type;
    int schema_version = 1;
    EventId id;
    Timestamp occurred_at;
    Timestamp recorded_at;
    JsonText metadata;

    explicit EventFacts(const Event& event);

    /// metadata.actor, metadata.correlation_id, metadata.causation_id, where they are strings.
    [[nodiscard]] std::optional<std::string> actor() const;
    [[nodiscard]] std::optional<std::string> correlation_id() const;
    [[nodiscard]] std::optional<std::string> causation_id() const;
};

}  // namespace stele
