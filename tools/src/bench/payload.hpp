// Payloads: the events that both sides append. The same sequence number gives the same event at every run, except
// for its id.
#pragma once

#include <stele/schema/event.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stele::bench {

inline constexpr std::size_t data_bytes = 250;
inline constexpr std::size_t metadata_bytes = 100;
inline constexpr std::size_t payload_bytes = data_bytes + metadata_bytes;

/// An event and where it goes. Stream and type stand as numbers too: the bare side knows them by heart.
struct PlannedEvent {
    std::size_t stream = 0;  ///< index into Payloads::streams()
    std::size_t type = 0;    ///< index into Payloads::types()
    NewEvent event;
};

/// Events of five types for a number of streams.
class Payloads {
public:
    explicit Payloads(std::size_t streams);

    [[nodiscard]] const std::vector<StreamId>& streams() const { return streams_; }
    [[nodiscard]] static const std::vector<std::string>& types();

    /// Event `number` for `stream`: 250 bytes of data and 100 of metadata, both with the number in it.
    [[nodiscard]] PlannedEvent event(std::uint64_t number, std::size_t stream) const;
    /// The same for a stream drawn by the number.
    [[nodiscard]] PlannedEvent event(std::uint64_t number) const;
    /// `count` events for drawn streams, numbered from `first` on.
    [[nodiscard]] std::vector<PlannedEvent> events(std::uint64_t first, std::size_t count) const;
    /// The first event of every stream, numbered from 0 on.
    [[nodiscard]] std::vector<PlannedEvent> one_for_each_stream() const;

private:
    std::vector<StreamId> streams_;
};

/// A well-mixed number (SplitMix64), for draws that are the same at every run and on both sides.
[[nodiscard]] std::uint64_t mixed(std::uint64_t number);

}  // namespace stele::bench
