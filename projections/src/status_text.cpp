#include <stele/projections/projection_status.hpp>

#include "status_words.hpp"

#include <sstream>

namespace stele {

std::string describe(const ProjectionStatus& status) {
    std::ostringstream out;
    out << status.name << ": " << status.state;
    if (status.since != Timestamp{}) out << " since " << to_rfc3339(status.since);
    out << '\n';
    status_line(out, "version",
                std::to_string(status.version) +
                    (status.generation > 0 ? ", generation " + std::to_string(status.generation) : "") +
                    (status.mode == ProjectionMode::sync ? ", sync" : ", async"));
    status_line(out, "position", grouped(status.position.value()) + " of " + grouped(status.head.value()));
    status_line(out, "behind",
                status.lag_events == 0 ? "nothing"
                                       : counted(status.lag_events, "event") + ", " + lasting(status.lag_seconds));
    if (status.rate > 0) status_line(out, "rate", grouped(static_cast<std::int64_t>(status.rate)) + " events/s");
    if (status.skipped > 0) status_line(out, "skipped", counted(status.skipped, "event"));
    status_line(out, "owner", status.owner.empty() ? "nobody" : status.owner);
    if (status.building) {
        const auto& build = *status.building;
        std::string text = "generation " + std::to_string(build.generation) + ", " +
                           with_one_decimal(build.percent) + " %, " +
                           grouped(static_cast<std::int64_t>(build.events_per_second)) + " events/s";
        if (build.seconds_left) text += ", " + lasting(*build.seconds_left) + " left";
        status_line(out, "building", text);
    }
    if (status.failure && status.failure->position > Position{}) {
        status_line(out, "stopped at",
                    "position " + grouped(status.failure->position.value()) + ", " + status.failure->type +
                        (status.failure->place.empty() ? "" : ", in " + status.failure->place));
    }
    if (!status.error.empty()) status_line(out, "error", status.error);
    if (!status.trouble.empty()) status_line(out, "trouble", status.trouble);
    if (!status.advice.empty()) status_line(out, "what now", status.advice);
    return out.str();
}

}  // namespace stele
