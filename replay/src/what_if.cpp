#include <stele/replay/json_diff.hpp>
#include <stele/replay/what_if.hpp>

#include "feed.hpp"
#include "missing.hpp"

#include <utility>

namespace stele {
namespace {

// Most states that are the same are written alike, and need not be parsed.
bool same_state(const State& a, const State& b) {
    return a.json.text() == b.json.text() || json_same(value_of(a), value_of(b));
}

nlohmann::json patch_between(const State& a, const State& b) {
    if (a.json.text() == b.json.text()) return nlohmann::json::array();
    return json_diff(value_of(a), value_of(b));
}

void check(const EventStore& store, const StreamId& id, const std::set<Version>& versions) {
    const auto last = store.version(id);
    if (!last) throw no_such_stream(store, id);
    for (const auto version : versions) {
        if (version.value() < 1) throw InvalidInput("without", "1 or more", std::to_string(version.value()));
        if (version > *last) throw no_such_version(store, id, version, *last);
    }
}

}  // namespace

FoldComparison compare_folds(const EventStore& store, const StreamId& id, const Aggregate& aggregate,
                             const OtherFold& how, const ReplayOptions& options) {
    check(store, id, how.without);
    Replay as_it_is{id, aggregate};
    Replay as_it_might{id, how.with == nullptr ? aggregate : *how.with};

    FoldComparison result{as_it_is.state(), as_it_might.state(), {}, false, {}, {}, {}};
    result.began_apart = !same_state(result.state, result.other);
    bool apart = result.began_apart;
    feed(store, id, options, [&](const Event& event) {
        if (!how.without.contains(event.version)) {
            try {
                as_it_might.apply(event);
            } catch (const ReplayError& error) {
                result.failed = {event, error.what()};
                return false;
            }
        }
        as_it_is.apply(event);
        result.state = as_it_is.state();
        result.other = as_it_might.state();

        const bool were_apart = std::exchange(apart, !same_state(result.state, result.other));
        if (apart && !result.parted && !result.began_apart)
            result.parted = {event, result.state.json, patch_between(result.state, result.other)};
        if (were_apart && !apart) result.met = event.version;
        if (apart) result.met.reset();
        return true;
    });
    result.patch = patch_between(result.state, result.other);
    return result;
}

}  // namespace stele
