#include <stele/store/subscription.hpp>

#include "backend.hpp"

#include <algorithm>
#include <atomic>

namespace stele {

namespace {
// Keeps now() + timeout within what a clock can say.
constexpr std::chrono::milliseconds longest_wait = std::chrono::hours{24 * 365};
}  // namespace

struct Subscription::State {
    std::shared_ptr<Backend> backend;
    Query query;
    Position position;  ///< everything up to here was handed out, or was not selected
    std::unique_ptr<LogCursor> cursor;
    std::vector<Event> page;
    std::size_t at = 0;
    std::size_t filled = 0;
    std::atomic<bool> stopped{false};

    [[nodiscard]] bool ends(const std::stop_token& stop) const noexcept { return stopped || stop.stop_requested(); }
    bool fill(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop);
    bool await(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop);
};

/// Fetches the next page; false at the end of the log, at the deadline or when stopped, with `position` as far as
/// it looked. The log is looked at once, however short the deadline.
bool Subscription::State::fill(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
    at = filled = 0;
    if (!cursor) cursor = backend->open(Read{query}.after(position));
    while (!ends(stop) && !cursor->finished()) {
        filled = cursor->look(page);
        if (filled != 0) return true;
        position = std::max(position, cursor->looked_to());
        if (!cursor->finished() && std::chrono::steady_clock::now() >= deadline) return false;
    }
    if (cursor->finished()) {
        position = std::max(position, cursor->looked_to());
        cursor.reset();
    }
    return false;
}

/// Waits until there is an event to hand out; false at the deadline or when stopped.
bool Subscription::State::await(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
    const std::stop_callback kick{stop, [&] { backend->kick(); }};
    while (!ends(stop)) {
        // The ticket comes first: what is committed after the look changes it, so the wait returns at once.
        const auto ticket = backend->ticket();
        if (fill(deadline, stop)) return true;
        if (std::chrono::steady_clock::now() >= deadline) return false;
        backend->wait(ticket, deadline, [&] { return ends(stop); });
    }
    return false;
}

Subscription::Subscription(std::shared_ptr<Backend> backend, Query query, Position after)
    : state_(std::make_unique<State>()) {
    state_->backend = std::move(backend);
    state_->query = std::move(query);
    state_->position = after;
}

Subscription::~Subscription() = default;
Subscription::Subscription(Subscription&&) noexcept = default;
Subscription& Subscription::operator=(Subscription&&) noexcept = default;

const Event* Subscription::next(const std::stop_token& stop) {
    auto& state = *state_;
    if (state.ends(stop)) return nullptr;
    if (state.at == state.filled && !state.await(std::chrono::steady_clock::time_point::max(), stop))
        return nullptr;
    const auto& event = state.page[state.at++];
    // Who goes on from position() gets all pieces of an event once more, or none.
    const bool is_amid = state.at < state.filled && state.page[state.at].position == event.position;
    state.position = is_amid ? event.position.previous() : event.position;
    return &event;
}

std::span<const Event> Subscription::next_page(std::chrono::milliseconds timeout, const std::stop_token& stop) {
    auto& state = *state_;
    const auto deadline =
        std::chrono::steady_clock::now() + std::clamp(timeout, std::chrono::milliseconds{0}, longest_wait);
    if (state.ends(stop)) return {};
    if (state.at == state.filled && !state.await(deadline, stop)) return {};
    const std::span<const Event> events{state.page.data() + state.at, state.filled - state.at};
    state.at = state.filled;
    state.position = events.back().position;
    return events;
}

Position Subscription::position() const noexcept { return state_->position; }

void Subscription::stop() noexcept {
    state_->stopped = true;
    state_->backend->kick();
}

bool Subscription::stopped() const noexcept { return state_->stopped; }

}  // namespace stele
