#include "payload.hpp"

#include <cassert>
#include <string_view>

namespace stele::bench {
namespace {

std::string digits(std::uint64_t number, std::size_t width) {
    auto text = std::to_string(number);
    if (text.size() < width) text.insert(0, width - text.size(), '0');
    return text;
}

// Closes `json`, an object whose last member is a string that is still open, at exactly `bytes` bytes.
JsonText filled_up(std::string json, std::size_t bytes) {
    static constexpr std::string_view close = "\"}";
    assert(json.size() + close.size() <= bytes);
    json.append(bytes - close.size() - json.size(), '.');
    json += close;
    return JsonText::trusted(std::move(json));
}

}  // namespace

std::uint64_t mixed(std::uint64_t number) {
    auto z = number + 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

Payloads::Payloads(std::size_t streams) {
    streams_.reserve(streams);
    for (std::size_t i = 0; i < streams; ++i) streams_.emplace_back("Order", "order-" + digits(i, 7));
}

const std::vector<std::string>& Payloads::types() {
    static const std::vector<std::string> names{"OrderPlaced", "OrderLineAdded", "OrderPaid", "OrderShipped",
                                                "OrderClosed"};
    return names;
}

PlannedEvent Payloads::event(std::uint64_t number, std::size_t stream) const {
    const auto draw = mixed(number);
    const auto type = number % types().size();
    auto data = R"({"number":)" + std::to_string(number) + R"(,"customer":"customer-)" + digits(draw % 5000, 4) +
                R"(","country":"country-)" + digits(draw % 25, 2) + R"(","amount":)" +
                std::to_string(draw % 100'000) + R"(,"express":)" + (draw % 2 == 0 ? "true" : "false") +
                R"(,"note":")";
    auto metadata = R"({"actor":"user-)" + digits(draw % 100, 3) + R"(","correlation_id":"request-)" +
                    digits(number / 3, 9) + R"(","from":")";
    NewEvent event;
    event.type = types()[type];
    event.data = filled_up(std::move(data), data_bytes);
    event.metadata = filled_up(std::move(metadata), metadata_bytes);
    return {stream, type, std::move(event)};
}

PlannedEvent Payloads::event(std::uint64_t number) const { return event(number, mixed(number) % streams_.size()); }

std::vector<PlannedEvent> Payloads::events(std::uint64_t first, std::size_t count) const {
    std::vector<PlannedEvent> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) all.push_back(event(first + i));
    return all;
}

std::vector<PlannedEvent> Payloads::one_for_each_stream() const {
    std::vector<PlannedEvent> all;
    all.reserve(streams_.size());
    for (std::size_t i = 0; i < streams_.size(); ++i) all.push_back(event(i, i));
    return all;
}

}  // namespace stele::bench
