#include <stele/projections/projection_status.hpp>

#include <array>
#include <cstdio>
#include <ostream>
#include <sstream>

namespace stele {
namespace {

std::string with_one_decimal(double value) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f", value);
    return text.data();
}

// 1,234,567
std::string grouped(std::int64_t value) {
    auto digits = std::to_string(value);
    for (auto end = static_cast<std::ptrdiff_t>(digits.size()) - 3; end > (value < 0 ? 1 : 0); end -= 3) {
        digits.insert(static_cast<std::size_t>(end), ",");
    }
    return digits;
}

std::string lasting(double seconds) {
    if (seconds < 120) return with_one_decimal(seconds) + " s";
    if (seconds < 7'200) return with_one_decimal(seconds / 60) + " min";
    if (seconds < 172'800) return with_one_decimal(seconds / 3'600) + " h";
    return with_one_decimal(seconds / 86'400) + " days";
}

void line(std::ostream& out, const char* what, const std::string& value) {
    std::string label = what;
    label.resize(12, ' ');
    out << "  " << label << value << '\n';
}

}  // namespace

std::string describe(const ProjectionStatus& status) {
    std::ostringstream out;
    out << status.name << ": " << status.state;
    if (status.since != Timestamp{}) out << " since " << to_rfc3339(status.since);
    out << '\n';
    line(out, "version",
         std::to_string(status.version) +
             (status.generation > 0 ? ", generation " + std::to_string(status.generation) : "") +
             (status.mode == ProjectionMode::sync ? ", sync" : ", async"));
    line(out, "position", grouped(status.position.value()) + " of " + grouped(status.head.value()));
    line(out, "behind",
         status.lag_events == 0 ? "nothing"
                                : grouped(status.lag_events) + (status.lag_events == 1 ? " event, " : " events, ") +
                                      lasting(status.lag_seconds));
    if (status.rate > 0) line(out, "rate", grouped(static_cast<std::int64_t>(status.rate)) + " events/s");
    if (status.skipped > 0)
        line(out, "skipped", grouped(status.skipped) + (status.skipped == 1 ? " event" : " events"));
    line(out, "owner", status.owner.empty() ? "nobody" : status.owner);
    if (status.building) {
        const auto& build = *status.building;
        std::string text = "generation " + std::to_string(build.generation) + ", " +
                           with_one_decimal(build.percent) + " %, " +
                           grouped(static_cast<std::int64_t>(build.events_per_second)) + " events/s";
        if (build.seconds_left) text += ", " + lasting(*build.seconds_left) + " left";
        line(out, "building", text);
    }
    if (status.failure) {
        line(out, "stopped at",
             "position " + grouped(status.failure->position.value()) + ", " + status.failure->type +
                 (status.failure->place.empty() ? "" : ", in " + status.failure->place));
    }
    if (!status.error.empty()) line(out, "error", status.error);
    if (!status.advice.empty()) line(out, "what now", status.advice);
    return out.str();
}

}  // namespace stele
