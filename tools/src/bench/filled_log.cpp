#include "filled_log.hpp"

#include "same_rows.hpp"

namespace stele::bench {
namespace {

constexpr std::size_t events_a_commit = 1'000;

// Calls `commit` with one piece of `events` after another.
template <class Commit>
void in_pieces(std::span<const PlannedEvent> events, Commit&& commit) {
    while (!events.empty()) {
        const auto piece = events.first(std::min(events.size(), events_a_commit));
        commit(piece);
        events = events.subspan(piece.size());
    }
}

}  // namespace

void fill(EventStore& store, const Payloads& payloads, std::span<const PlannedEvent> events) {
    in_pieces(events, [&](std::span<const PlannedEvent> piece) {
        Append append;
        for (const auto& planned : piece)
            append.to(payloads.streams()[planned.stream], expect::any, {planned.event});
        store.append(append);
    });
}

void fill(BareLog& log, std::span<const PlannedEvent> events) {
    in_pieces(events, [&](std::span<const PlannedEvent> piece) {
        const auto time = now();
        log.begin();
        for (const auto& planned : piece) log.insert(planned, time);
        log.commit();
    });
}

std::size_t scattered(std::size_t i, std::size_t streams) {
    // A prime step reaches every number below `streams` before it comes round.
    static constexpr std::size_t step = 7'919;
    static constexpr std::size_t other_step = 104'729;
    return i * (streams % step == 0 ? other_step : step) % streams;
}

FilledLog::FilledLog(std::shared_ptr<const std::filesystem::path> folder, std::size_t events,
                     std::size_t events_a_stream)
    : folder_(std::move(folder)),
      events_a_stream_(events_a_stream),
      payloads_((events + events_a_stream - 1) / events_a_stream) {
    const auto streams = payloads_.streams().size();
    auto filled_store = EventStore::open(store(), {.durability = Durability::relaxed});
    BareLog filled_bare{bare(), Durability::relaxed, payloads_.streams(), Payloads::types()};

    std::vector<PlannedEvent> piece;
    for (std::size_t i = 0; i < this->events(); ++i) {
        piece.push_back(payloads_.event(i, scattered(i % streams, streams)));
        if (piece.size() < 10 * events_a_commit && i + 1 < this->events()) continue;
        fill(filled_store, payloads_, piece);
        fill(filled_bare, piece);
        piece.clear();
    }
}

}  // namespace stele::bench
