// What a listener takes up: from the log, and from what is parked and due.
#include "courier.hpp"

#include <algorithm>

namespace stele {
namespace {

using namespace std::chrono_literals;

// Events of one key that a worker gets at once; the more, the less often it comes back for the next.
constexpr std::size_t run_limit = 256;

std::size_t bytes_of(const Event& event) {
    constexpr std::size_t envelope = 400;
    return envelope + event.data.text().size() + event.metadata.text().size();
}

}  // namespace

// ---- From the log

// Reads on until memory is full, the log ends, or `max` events were taken up.
std::size_t Courier::feed(std::size_t max) {
    std::size_t taken = 0;
    while (taken < max && has_room() && may_deliver()) {
        if (!range_) {
            const auto head = context_.store.head();
            if (outstanding_.read_to() >= head) break;
            range_end_ = head;
            range_.emplace(
                context_.store.read(Read{listener_->head().query}.after(outstanding_.read_to()).until(range_end_)));
            next_ = range_->begin();
        }
        if (next_ == std::default_sentinel) {
            outstanding_.read(range_end_);
            range_.reset();
            continue;
        }
        if (take_up(*next_, false)) ++taken;
        ++next_;
        constexpr std::size_t effects_at_once = 256;
        if (effects_.size() >= effects_at_once) append_effects();
    }
    append_effects();
    return taken;
}

// Whether the listener has anything to do with the event.
bool Courier::take_up(const Event& event, bool is_again) {
    selection_.take(event);
    std::string key;
    try {
        // One that was under way has claimed its value already.
        if (!selection_.selects() || is_own_effect(event) || (!is_again && is_repetition(event))) {
            outstanding_.read(event.position);
            return false;
        }
        key = selection_.order_key();
    } catch (const InvalidInput& error) {
        // Nobody knows whether the listener wants it, and it must not be passed over in silence.
        if (!is_again) ++counts_.dispatched;
        const auto failure = selection_failure(error.what());
        Report part;
        if (listener_->head().order.kind != OrderBy::Kind::global) part.key = event.stream.name();
        outstanding_.take_up(event.position);
        bytes_ += bytes_of(event);
        fail(part, {event, 0, 0}, failure);
        return true;
    }

    if (!is_again) ++counts_.dispatched;
    if (parked_keys_.has(key)) {
        settlement_.waiting.push_back({std::move(key), event.position, 0, std::nullopt, false});
        outstanding_.read(event.position);
        return true;
    }
    outstanding_.take_up(event.position);
    bytes_ += bytes_of(event);
    if (listener_->head().appends) {
        effects_.push_back({std::move(key), {event, 0, 0}, {}});
    } else {
        queue_up(key, {event, 0, 0});
    }
    return true;
}

Courier::Failure Courier::selection_failure(const char* error) const {
    Failure failure;
    failure.at = context_.options.clock();
    failure.cause = "selection";
    failure.error = error;
    failure.is_permanent = true;
    return failure;
}

bool Courier::is_repetition(const Event& event) {
    const auto value = selection_.deduplication_value();
    if (!value) return false;
    const auto claimed = claims_.find(*value);
    const bool is_claimed =
        claimed != claims_.end()
            ? claimed->second.first > event.recorded_at && claimed->second.second < event.position
            : ledger_.is_claimed(*value, event.recorded_at, event.position);
    if (is_claimed) {
        ++counts_.deduplicated;
        return true;
    }
    const auto until = event.recorded_at + listener_->head().deduplication->within;
    claims_[*value] = {until, event.position};
    settlement_.claims.push_back({*value, event.recorded_at, until, event.position});
    return false;
}

// What a listener has appended itself it does not hear, or it would answer itself for ever.
bool Courier::is_own_effect(const Event& event) const {
    return listener_->head().appends && is_effect_of(listener_->name(), event);
}

void Courier::queue_up(const std::string& key, RunItem item) {
    auto& of_key = keys_[key];
    if (of_key.queued.empty() && !of_key.is_out) ready_.push_back(key);
    of_key.queued.push_back(std::move(item));
}

void Courier::settle_one(Position position, std::size_t bytes) {
    if (!outstanding_.settle(position)) return;
    bytes_ -= std::min(bytes, bytes_);
    ++unstored_;
}

std::size_t Courier::size_of(const RunItem& item) { return bytes_of(item.event); }

// ---- From what is parked

void Courier::deliver_due() {
    const auto now = context_.options.clock();
    if (!is_due_known_) {
        // What became due before we looked is found by the query below.
        next_due_ = now;
        is_due_known_ = true;
    }
    if (!next_due_ || *next_due_ > now) return;
    if (!breaker_ || breaker_->is_closed()) {
        const auto room = context_.options.window - std::min(context_.options.window, parked_out_);
        if (room == 0) return;
        push_due(now, room + parked_out_, false);
    } else if (breaker_->is_over(now) && breaker_->gate(now) == Breaker::Gate::one) {
        try {
            if (!push_due(now, 1 + parked_out_, true)) try_one_of_ready();
        } catch (...) {
            breaker_->give_back();
            throw;
        }
    }
}

// Hands out the first of each key that is due. Whether there was any.
bool Courier::push_due(Timestamp now, std::size_t most, bool is_trial) {
    const auto found = ledger_.due(now, most);
    bool has_pushed = false;
    for (const auto& delivery : found) {
        parked_keys_.add(delivery.key);
        if (const auto known = keys_.find(delivery.key); known != keys_.end()) {
            // Of a key that has events in memory still: an operator has asked for a dead letter of it. Those that
            // come go behind it from now on.
            has_passed_over_due_ = has_passed_over_due_ || !known->second.is_parked;
            continue;
        }
        has_pushed = push_parked({delivery}, is_trial) || has_pushed;
        if (is_trial && has_pushed) break;
    }
    const bool may_be_more = found.size() == most || (is_trial && has_pushed);
    next_due_ = may_be_more ? std::optional{now} : ledger_.next_due(now);
    return has_pushed;
}

// What is parked may not be wanted any more, since the listener was changed; or its selection failed, and does so
// again. Either is settled here.
bool Courier::is_still_selected(const std::string& key, const RunItem& item) {
    selection_.take(item.event);
    try {
        if (selection_.selects()) return true;
        settlement_.done.push_back({key, item.event.position, true});
    } catch (const InvalidInput& error) {
        Report part;
        part.key = key;
        part.is_parked = true;
        fail(part, item, selection_failure(error.what()));
    }
    return false;
}

// Deliveries of one key, from the table. False where none of them is to be made any more.
bool Courier::push_parked(const std::vector<ParkedDelivery>& deliveries, bool is_trial) {
    Run run;
    run.courier = this;
    run.life = life_;
    run.key = deliveries.front().key;
    run.is_parked = true;
    run.is_trial = is_trial;
    for (const auto& delivery : deliveries) {
        auto event = context_.store.at(delivery.position);
        if (!event) {
            throw StoreError{"damage", "the log has no event at position " +
                                           std::to_string(delivery.position.value()) + ", which listener \"" +
                                           listener_->name() + "\" has parked"};
        }
        RunItem item{std::move(*event), delivery.attempts, delivery.made};
        if (is_still_selected(run.key, item)) run.items.push_back(std::move(item));
    }
    auto& key = keys_[run.key];
    key.is_parked = true;
    if (run.items.empty()) {
        to_go_on_.push_back(run.key);
        return false;
    }
    key.is_out = true;
    ++parked_out_;
    std::vector<Run> runs;
    runs.push_back(std::move(run));
    queue_.push(std::move(runs), listener_->head().priority);
    return true;
}

// ---- To the workers

void Courier::dispatch() {
    if (ready_.empty() || !may_deliver()) return;
    if (breaker_ && !breaker_->is_closed()) {
        const auto now = context_.options.clock();
        if (breaker_->is_over(now) && breaker_->gate(now) == Breaker::Gate::one) try_one_of_ready();
        return;
    }
    std::vector<Run> runs;
    runs.reserve(ready_.size());
    for (const auto& name : ready_) runs.push_back(run_of(name, run_limit));
    ready_.clear();
    queue_.push(std::move(runs), listener_->head().priority);
}

void Courier::try_one_of_ready() {
    if (ready_.empty()) return breaker_->give_back();
    auto run = run_of(ready_.front(), 1);
    ready_.pop_front();
    run.is_trial = true;
    std::vector<Run> runs;
    runs.push_back(std::move(run));
    queue_.push(std::move(runs), listener_->head().priority);
}

Run Courier::run_of(const std::string& name, std::size_t most) {
    auto& key = keys_[name];
    Run run;
    run.courier = this;
    run.life = life_;
    run.key = name;
    const auto count = std::min(most, key.queued.size());
    run.items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        run.items.push_back(std::move(key.queued.front()));
        key.queued.pop_front();
    }
    key.is_out = true;
    return run;
}

}  // namespace stele
