#include <stele/testing/clock.hpp>
#include <stele/testing/scenario.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <map>
#include <memory>

namespace stele::testing::detail {
namespace {

class Recorder {
public:
    void record(const StreamId& stream, const std::vector<NewEvent>& events) {
        for (const auto& given : events) {
            clock_.advance(std::chrono::seconds{1});
            auto& version = versions_[stream];
            version = version.next();
            Event event{.position = Position{static_cast<std::int64_t>(recorded_.size()) + 1},
                        .version = version,
                        .stream = stream};
            event.type = given.type;
            event.schema_version = given.schema_version;
            event.id = given.id;
            event.recorded_at = clock_.now();
            event.occurred_at = given.occurred_at.value_or(event.recorded_at);
            event.data = given.data;
            event.metadata = given.metadata;
            event.tags = given.tags;
            recorded_.push_back(std::move(event));
        }
    }
    void go_on_behind(const std::vector<Event>& events) {
        recorded_ = events;
        for (const auto& event : events) {
            versions_[event.stream] = event.version;
            clock_.set(event.recorded_at);
        }
    }
    [[nodiscard]] std::vector<Event> take() && { return std::move(recorded_); }

private:
    FakeClock clock_;
    std::map<StreamId, Version> versions_;
    std::vector<Event> recorded_;
};

}  // namespace

std::vector<Event> History::events() const {
    Recorder recorder;
    for (const auto& part : parts) recorder.record(part.stream, part.events);
    return std::move(recorder).take();
}

std::size_t History::size() const {
    std::size_t count = 0;
    for (const auto& part : parts) count += part.events.size();
    return count;
}

std::vector<Event> following(const std::vector<Event>& before, const StreamId& stream,
                             const std::vector<NewEvent>& events) {
    Recorder recorder;
    recorder.go_on_behind(before);
    recorder.record(stream, events);
    auto all = std::move(recorder).take();
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(before.size()));
    return all;
}

std::string to_string(const Place& place) { return std::string{place.file} + ":" + std::to_string(place.line); }

std::string readable(const char* type_name) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name{abi::__cxa_demangle(type_name, nullptr, nullptr, &status),
                                                      std::free};
    std::string text = status == 0 ? name.get() : type_name;
    if (text.find('<') != std::string::npos || text.find('{') != std::string::npos) return text;
    const auto last = text.rfind("::");
    return last == std::string::npos ? text : text.substr(last + 2);
}

}  // namespace stele::testing::detail
