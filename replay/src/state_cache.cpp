#include <stele/replay/state_cache.hpp>

#include <iterator>
#include <utility>

namespace stele {

StateCache::State StateCache::find(const StreamId& stream) {
    const std::lock_guard lock{mutex_};
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) {
        ++counts_.misses;
        return nullptr;
    }
    ++counts_.hits;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->state;
}

void StateCache::keep(const StreamId& stream, Version version, State state, std::size_t bytes) {
    if (limits_.entries == 0 || bytes > limits_.bytes) return forget(stream);

    // What is dropped is destroyed behind the lock: a state may be large.
    Entries dropped;
    const std::lock_guard lock{mutex_};
    if (const auto found = by_stream_.find(stream); found != by_stream_.end()) {
        if (found->second->version > version) return;
        counts_.bytes -= found->second->bytes;
        dropped.splice(dropped.begin(), entries_, found->second);
        by_stream_.erase(found);
    }
    entries_.push_front({stream, version, std::move(state), bytes});
    by_stream_.emplace(stream, entries_.begin());
    counts_.bytes += bytes;
    while (entries_.size() > limits_.entries || counts_.bytes > limits_.bytes) {
        const auto last = std::prev(entries_.end());
        counts_.bytes -= last->bytes;
        by_stream_.erase(last->stream);
        dropped.splice(dropped.begin(), entries_, last);
        ++counts_.evictions;
    }
}

void StateCache::forget(const StreamId& stream) {
    const std::lock_guard lock{mutex_};
    const auto found = by_stream_.find(stream);
    if (found != by_stream_.end()) drop(found->second);
}

void StateCache::drop(Entries::iterator entry) {
    counts_.bytes -= entry->bytes;
    by_stream_.erase(entry->stream);
    entries_.erase(entry);
}

void StateCache::clear() {
    const std::lock_guard lock{mutex_};
    by_stream_.clear();
    entries_.clear();
    counts_.bytes = 0;
}

CacheCounts StateCache::counts() const {
    const std::lock_guard lock{mutex_};
    auto counts = counts_;
    counts.entries = entries_.size();
    return counts;
}

}  // namespace stele
