// Whether both sides of a comparison stored the same rows.
#pragma once

#include "bare_log.hpp"

#include <stele/store/event_store.hpp>

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace stele::bench {

/// What a log holds, boiled down. Times of recording are left out: the two sides ran at different times.
struct Fingerprint {
    std::uint64_t events = 0;
    std::uint64_t contents =
        0;                  ///< of what was handed in: stream, type, schema version, data, metadata, tags, time
    std::uint64_t ids = 0;  ///< of which id each content has
    std::uint64_t versions = 0;  ///< of which versions there are in which streams
    std::uint64_t order = 0;     ///< of which content stands at which position and version

    void add(const Event& event);
    void add(const BareRow& row, std::string_view stream_name);
};

/// Adds up what is read, so that no compiler leaves the reading out.
[[nodiscard]] Fingerprint fingerprint(const EventStore& store);
[[nodiscard]] Fingerprint fingerprint(BareReader& reader);

/// Whether threads raced, so that only the contents of the two logs can be the same, and not the order.
enum class Order { same, any };
/// Whether each side gave ids of its own.
enum class Ids { same, own };

/// Compares two logs in full; returns the number of events. Throws BenchError naming what differs.
std::size_t require_same(const EventStore& store, const std::filesystem::path& bare_file, Order order = Order::same,
                         Ids ids = Ids::same);
/// The same for fingerprints taken before.
std::size_t require_same(const Fingerprint& stele, const Fingerprint& bare, Order order = Order::same,
                         Ids ids = Ids::same);

}  // namespace stele::bench
