#include "chosen_event.hpp"

#include "failure.hpp"

#include <charconv>

namespace stele::tool {

Event event_named(const std::string& word, const std::string& command, const EventStore& store) {
    std::int64_t number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    const bool is_position = error == std::errc{} && stop == end && number > 0;
    std::optional<Event> found;
    if (is_position) {
        found = store.at(Position{number});
    } else {
        try {
            found = store.find(EventId::parse(word));
        } catch (const InvalidInput&) {
            throw usage_failure(command,
                                "EVENT: expected a position such as 90112, or an id such as "
                                "0193fbd2-7c1e-7000-8000-000000000001, found \"" +
                                    word + "\"");
        }
    }
    if (found) return *std::move(found);
    throw Failure{Exit::not_found,
                  "not_found",
                  store.name() + ": no event " + (is_position ? "at position " : "with id ") + word +
                      "; the log ends at position " + std::to_string(store.head().value()),
                  {{"store", store.name()}, {"event", word}}};
}

}  // namespace stele::tool
