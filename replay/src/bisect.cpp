#include <stele/replay/bisect.hpp>

#include "feed.hpp"

#include <utility>

namespace stele {

std::int64_t turns(const EventStore& store, const StreamId& id, const Aggregate& aggregate,
                   sql::Condition& condition, const ReplayOptions& options,
                   const std::function<bool(const Turn&)>& visit) {
    Replay run{id, aggregate};
    auto before = run.state().json;
    bool held = false;
    std::int64_t looked_at = 0;
    feed(store, id, options, [&](const Event& event) {
        ++looked_at;
        run.apply(event);
        auto after = run.state().json;
        const bool holds = condition.holds(event, after);
        if (std::exchange(held, holds) != holds && !visit({event, holds, std::move(before), after})) return false;
        before = std::move(after);
        return true;
    });
    return looked_at;
}

std::optional<Turn> bisect(const EventStore& store, const StreamId& id, const Aggregate& aggregate,
                           sql::Condition& condition, const ReplayOptions& options) {
    std::optional<Turn> first;
    turns(store, id, aggregate, condition, options, [&](const Turn& turn) {
        first = turn;
        return false;
    });
    return first;
}

}  // namespace stele
