#include "listener_counts.hpp"

#include <stele/store/append.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

namespace stele {
namespace {

using Json = nlohmann::json;

// Messages of targets are quoted in `error`, and need not be UTF-8.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Parses, and hands over to `read`; whatever is wrong with the text is said alike.
template <class Read>
auto parsed(std::string_view text, const char* what, const Read& read) {
    try {
        return read(Json::parse(text));
    } catch (const Json::exception& error) {
        throw StoreError{"control_file",
                         std::string{"control.db: "} + what + " of a listener: expected its JSON, found \"" +
                             std::string{text.substr(0, 100)} + "\" (" + error.what() + ")",
                         {{"field", what}}};
    }
}

}  // namespace

std::string counts_json(const ListenerCounts& counts) {
    return text_of({{"dispatched", counts.dispatched},
                    {"delivered", counts.delivered},
                    {"failed", counts.failed},
                    {"retried", counts.retried},
                    {"dead", counts.dead},
                    {"deduplicated", counts.deduplicated},
                    {"failed_by_cause", counts.failed_by_cause},
                    {"dead_by_cause", counts.dead_by_cause},
                    {"durations", {{"counts", counts.durations.counts}, {"sum", counts.durations.sum}}}});
}

ListenerCounts counts_of(std::string_view text) {
    return parsed(text, "counts", [](const Json& json) {
        using ByCause = std::map<std::string, std::int64_t>;
        ListenerCounts counts;
        counts.dispatched = json.value("dispatched", std::int64_t{0});
        counts.delivered = json.value("delivered", std::int64_t{0});
        counts.failed = json.value("failed", std::int64_t{0});
        counts.retried = json.value("retried", std::int64_t{0});
        counts.dead = json.value("dead", std::int64_t{0});
        counts.deduplicated = json.value("deduplicated", std::int64_t{0});
        counts.failed_by_cause = json.value("failed_by_cause", ByCause{});
        counts.dead_by_cause = json.value("dead_by_cause", ByCause{});
        if (const auto durations = json.find("durations"); durations != json.end()) {
            counts.durations.counts = durations->at("counts").get<decltype(counts.durations.counts)>();
            counts.durations.sum = durations->at("sum").get<double>();
        }
        return counts;
    });
}

std::string breaker_json(const std::optional<BreakerStatus>& breaker) {
    if (!breaker) return "{}";
    Json json{{"target", breaker->target},
              {"state", breaker->state},
              {"failures", breaker->failures},
              {"error", breaker->error}};
    if (breaker->until) json["until"] = breaker->until->time_since_epoch().count();
    return text_of(json);
}

std::optional<BreakerStatus> breaker_of(std::string_view text) {
    return parsed(text, "breaker", [](const Json& json) -> std::optional<BreakerStatus> {
        if (json.empty()) return std::nullopt;
        BreakerStatus breaker;
        breaker.target = json.value("target", std::string{});
        breaker.state = json.value("state", breaker.state);
        breaker.failures = json.value("failures", 0);
        breaker.error = json.value("error", std::string{});
        if (json.contains("until"))
            breaker.until = Timestamp{std::chrono::microseconds{json["until"].get<std::int64_t>()}};
        return breaker;
    });
}

std::string under_way_json(const std::vector<Position>& positions) {
    std::string text = "[";
    Position before;
    for (const auto position : positions) {
        assert(position > before);
        if (text.size() > 1) text += ',';
        text += std::to_string(position.value() - before.value());
        before = position;
    }
    return text + "]";
}

std::vector<Position> under_way_of(std::string_view text) {
    return parsed(text, "under_way", [](const Json& json) {
        std::vector<Position> positions;
        positions.reserve(json.size());
        std::int64_t at = 0;
        for (const auto& distance : json) positions.emplace_back(at += distance.get<std::int64_t>());
        return positions;
    });
}

}  // namespace stele
