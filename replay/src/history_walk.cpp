#include <stele/replay/history_walk.hpp>
#include <stele/replay/json_diff.hpp>

#include "missing.hpp"
#include "pointer.hpp"

#include <algorithm>
#include <utility>

namespace stele {
namespace {

// Whether the value at `names` is the same in both, or is in neither.
bool same_at(const State& a, const State& b, const std::vector<std::string>& names) {
    if (a.json.text() == b.json.text()) return true;
    const auto value_a = value_of(a);
    const auto value_b = value_of(b);
    const auto* at_a = value_at(value_a, names);
    const auto* at_b = value_at(value_b, names);
    if (at_a == nullptr || at_b == nullptr) return at_a == at_b;
    return json_same(*at_a, *at_b);
}

}  // namespace

HistoryWalk::HistoryWalk(const EventStore& store, StreamId stream, const Aggregate& aggregate)
    : HistoryWalk(store, std::move(stream), aggregate, Options{}) {}

HistoryWalk::HistoryWalk(const EventStore& store, StreamId stream, const Aggregate& aggregate, Options options)
    : store_(store),
      stream_(std::move(stream)),
      aggregate_(aggregate),
      options_(std::move(options)),
      initial_(Replay{stream_, aggregate}.state()),
      before_(initial_),
      now_(initial_) {
    if (options_.keep_every < 1) throw InvalidInput{"keep_every", "1 or more", std::to_string(options_.keep_every)};
    const auto last = store.version(stream_);
    if (!last) throw no_such_stream(store, stream_);
    last_ = *last;
}

// Hands `visit` each version from `first` to `last`: its number, the state before it, its events, the state behind
// it. Until it returns false. Keeps states on the way.
template <class Visit>
void HistoryWalk::fold(Version first, Version last, Visit visit) {
    constexpr std::int64_t progress_every = 1'000;
    // The nearest state before `first`: the one where the walk stands, or one that was kept.
    const State* from = &initial_;
    if (const auto behind = kept_.lower_bound(first); behind != kept_.begin()) from = &std::prev(behind)->second;
    for (const State* stood : {&before_, &now_})
        if (stood->version < first && stood->version > from->version) from = stood;

    Replay run{stream_, aggregate_};
    if (from->version > Version{}) run.resume(*from);
    Place place{*from, *from, {}};
    const auto start = from->version;
    const auto reached = [&](Version version) {
        bool wants_more = true;
        if (version >= first.previous() || is_to_be_kept(version)) {
            place.before = std::exchange(place.now, run.state());
            place.now.version = version;  // one whose events an upcaster drops is a place as well
            keep(place.now);
            wants_more = version < first || visit(version, place);
        }
        place.events.clear();
        return wants_more;
    };

    auto at = start;
    for (const Event& event : store_.read(stele::stream(stream_).from(start.next()).until(last))) {
        // All pieces of a version stand one behind the other.
        while (at < event.version.previous()) {
            at = at.next();
            if (!reached(at)) return;
        }
        run.apply(event);
        place.events.push_back(event);
        if (event.piece + 1 < event.pieces) continue;
        at = event.version;
        if (!reached(at)) return;
        const auto done = at.value() - start.value();
        if (options_.progress && done % progress_every == 0) options_.progress(done, last.value() - start.value());
    }
    while (at < last) {
        at = at.next();
        if (!reached(at)) return;
    }
}

HistoryWalk::Place HistoryWalk::place_at(Version version) {
    Place found{initial_, initial_, {}};
    if (version == Version{}) return found;
    fold(version, version, [&](Version, const Place& place) {
        found = place;
        return false;
    });
    return found;
}

void HistoryWalk::stand(Place place) {
    before_ = std::move(place.before);
    now_ = std::move(place.now);
    events_ = std::move(place.events);
}

void HistoryWalk::go_to(Version version) {
    version = std::clamp(version, Version{}, last_);
    if (version != now_.version) stand(place_at(version));
}

bool HistoryWalk::forward() {
    if (now_.version >= last_) return false;
    go_to(now_.version.next());
    return true;
}

bool HistoryWalk::back() {
    if (now_.version == Version{}) return false;
    go_to(now_.version.previous());
    return true;
}

bool HistoryWalk::next_change(std::string_view pointer) {
    const auto names = names_of_pointer(pointer);
    std::optional<Place> found;
    if (now_.version >= last_) return false;
    fold(now_.version.next(), last_, [&](Version, const Place& place) {
        if (same_at(place.before, place.now, names)) return true;
        found = place;
        return false;
    });
    if (!found) return false;
    stand(*std::move(found));
    return true;
}

// Forward through each stretch between two states that are kept, from the nearest stretch to the furthest.
bool HistoryWalk::previous_change(std::string_view pointer) {
    const auto names = names_of_pointer(pointer);
    auto end = now_.version;  // this one is not looked at
    while (end > Version{1}) {
        const auto kept = kept_.lower_bound(end.previous());
        const auto start = kept == kept_.begin() ? Version{} : std::prev(kept)->first;
        std::optional<Place> found;
        fold(start.next(), end.previous(), [&](Version, const Place& place) {
            if (!same_at(place.before, place.now, names)) found = place;
            return true;
        });
        if (found) {
            stand(*std::move(found));
            return true;
        }
        end = start.next();
    }
    return false;
}

nlohmann::json HistoryWalk::changes() const { return json_diff(value_of(before_), value_of(now_)); }

bool HistoryWalk::is_to_be_kept(Version version) const { return version.value() % options_.keep_every == 0; }

void HistoryWalk::keep(const State& state) {
    if (!is_to_be_kept(state.version)) return;
    if (!kept_.emplace(state.version, state).second) return;
    kept_bytes_ += state.json.text().size();
    while (kept_.size() > 1 && (kept_.size() > options_.most_kept || kept_bytes_ > options_.most_bytes)) thin_out();
}

void HistoryWalk::thin_out() {
    options_.keep_every *= 2;
    for (auto kept = kept_.begin(); kept != kept_.end();) {
        if (is_to_be_kept(kept->first)) {
            ++kept;
            continue;
        }
        kept_bytes_ -= kept->second.json.text().size();
        kept = kept_.erase(kept);
    }
}

}  // namespace stele
