// StateCache: folded states in memory, the least recently used going first.
#pragma once

#include <stele/schema/ordinal.hpp>
#include <stele/schema/stream_id.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace stele {

/// How much a cache may hold.
struct CacheLimits {
    std::size_t entries = 1'000;                ///< 0: nothing is kept
    std::size_t bytes = std::size_t{64} << 20;  ///< as the states say of themselves
};

/// What came of a cache so far, and what is in it.
struct CacheCounts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t evictions = 0;
    std::size_t entries = 0;
    std::size_t bytes = 0;

    friend bool operator==(const CacheCounts&, const CacheCounts&) = default;
};

/// States of aggregates by stream, each with the version that it has come to. A state that is in here is never
/// wrong, as streams do not change (L1); it may be behind.
///
/// Threads  any. A state is shared by all who got it; how they change it is their affair.
class StateCache {
public:
    using State = std::shared_ptr<void>;

    explicit StateCache(CacheLimits limits) : limits_(limits) {}

    /// The state of `stream`, null where it is not here. Counts a hit or a miss.
    [[nodiscard]] State find(const StreamId& stream);

    /// Keeps `state`, unless one that is further is here. A state larger than all of the cache is not kept.
    void keep(const StreamId& stream, Version version, State state, std::size_t bytes);

    void forget(const StreamId& stream);
    void clear();

    [[nodiscard]] CacheCounts counts() const;

private:
    struct Entry {
        StreamId stream;
        Version version;
        State state;
        std::size_t bytes;
    };
    using Entries = std::list<Entry>;  // most recently used first

    void drop(Entries::iterator entry);

    const CacheLimits limits_;
    mutable std::mutex mutex_;
    Entries entries_;
    std::unordered_map<StreamId, Entries::iterator> by_stream_;
    CacheCounts counts_;
};

}  // namespace stele
