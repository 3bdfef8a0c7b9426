#include <stele/sinks/log.hpp>

#include "settings.hpp"
#include "text.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stele::sinks {
namespace {

void write_to_stderr(std::string_view line) {
    std::string whole{line};
    whole.push_back('\n');
    std::string_view left = whole;
    while (!left.empty()) {
        const auto n = ::write(STDERR_FILENO, left.data(), left.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw DeliveryFailed{"log", std::string{"writing to standard error: "} + std::strerror(errno)};
        left.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string as_text(const Event& event, const Delivery& delivery) {
    constexpr std::size_t most_data = 1'000;
    constexpr std::size_t most_name = 1'000;
    return to_rfc3339(event.recorded_at) + " " + delivery.listener() + ": " +
           std::to_string(event.position.value()) + " " + printable(event.stream.name(), most_name) + " v" +
           std::to_string(event.version.value()) + " " + printable(event.type, most_name) + " " +
           printable(event.data.text(), most_data);
}

class LogHandler final : public ListenerHandler {
public:
    explicit LogHandler(Log settings) : settings_(std::move(settings)) {}

    void deliver(const Event& event, const Delivery& delivery) override {
        const bool is_text = settings_.format == Log::Format::text;
        const auto line =
            is_text ? as_text(event, delivery)
                    : event_line_with(event, {{"listener", delivery.listener()}, {"delivery_key", delivery.key()}});
        if (settings_.write) {
            settings_.write(line);
        } else {
            write_to_stderr(line);
        }
    }

private:
    const Log settings_;
};

}  // namespace

std::unique_ptr<Workshop> workshop_of(const Log& settings, const Rules&) {
    return workshop_for<LogHandler>(settings);
}

}  // namespace stele::sinks
