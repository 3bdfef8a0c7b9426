// What the tests of sinks say often: an event, an attempt to deliver it, and what came of that.
#pragma once

#include <stele/sinks/sink.hpp>
#include <stele/test/catch.hpp>
#include <stele/test/temporary_folder.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace stele::sinks::test {

inline const std::string key = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";

[[nodiscard]] inline Event some_event(
    const std::string& data = R"({"error":"no space","site":"example.org"})",
    const std::string& metadata = R"({"actor":"user-7","correlation_id":"c-1"})") {
    Event event{Position{42}, Version{3}, StreamId{"acme", "Site", "site-42"}, "BackupFailed"};
    event.id = EventId::parse("0190f3a2-0000-7000-8000-000000000001");
    event.occurred_at = parse_rfc3339("2026-01-05T09:59:58Z");
    event.recorded_at = parse_rfc3339("2026-01-05T10:00:00Z");
    event.data = JsonText::parse(data);
    event.metadata = JsonText::parse(metadata);
    return event;
}

/// What an attempt came to.
struct Attempted {
    bool succeeded = false;
    bool is_permanent = false;
    std::string cause;
    std::string message;
    std::optional<std::chrono::milliseconds> wait;
};

[[nodiscard]] inline Attempted attempt(ListenerHandler& handler, const Event& event = some_event(),
                                       const std::stop_token& stop = {}, int number = 1) {
    const std::string listener = "tell";
    const Delivery delivery{listener, key, number, false, stop};
    Attempted came_to;
    try {
        handler.deliver(event, delivery);
        came_to.succeeded = true;
    } catch (const Permanent& error) {
        came_to = {false, true, error.cause(), error.what(), {}};
    } catch (const DeliveryFailed& error) {
        came_to = {false, false, error.cause(), error.what(), {}};
    } catch (const std::exception& error) {
        came_to = {false, false, "exception", error.what(), {}};
    }
    came_to.wait = delivery.asked_wait();
    return came_to;
}

/// A listener with the sink, and one handler of it.
class Sinking {
public:
    explicit Sinking(Sink sink) : listener_(sink_listener({.name = "tell"}, std::move(sink))), handler_(make()) {}

    [[nodiscard]] std::unique_ptr<ListenerHandler> make() const { return listener_->handler(); }
    [[nodiscard]] ListenerHandler& handler() const { return *handler_; }
    [[nodiscard]] const Listener& listener() const { return *listener_; }
    [[nodiscard]] Attempted attempt(const Event& event = some_event(), const std::stop_token& stop = {},
                                    int number = 1) const {
        return test::attempt(*handler_, event, stop, number);
    }

private:
    std::shared_ptr<const Listener> listener_;
    std::unique_ptr<ListenerHandler> handler_;
};

[[nodiscard]] inline std::string content(const std::filesystem::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}
inline void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream{file, std::ios::binary} << text;
}

/// A secret with this value, as a program would have one.
[[nodiscard]] inline Secret secret(const std::string& value) {
    return Secret::by("the secret", [value] { return value; });
}

}  // namespace stele::sinks::test
