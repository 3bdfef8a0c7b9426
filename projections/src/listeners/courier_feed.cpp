// What a listener takes up: from the log, and from what is parked and due.
#include "courier.hpp"

#include <stele/schema/upcaster.hpp>

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

// Reads on until memory is full, the log ends, or `max` events were taken up; or up to an event that cannot be
// upcast, behind which nothing of the log is delivered: halt_ says so, here and in control.db.
std::size_t Courier::feed(std::size_t max) {
    std::size_t taken = 0;
    halt_.clear();
    try {
        take_up_again();
        read_on(max, taken);
    } catch (const UpcastError& error) {
        range_.reset();
        halt_ = error.what();
    }
    append_effects();
    tell_halt();
    return taken;
}

// What was told is taken back when the listener has gone on, not where it did not try to.
void Courier::tell_halt() {
    if (halt_ == told_halt_) return;
    if (halt_.empty()) {
        const auto read_to = outstanding_.read_to();
        const bool goes_on = under_way_.empty() && (read_to > halted_at_ || read_to >= context_.store.head());
        if (!goes_on) return;
    }
    ledger_.tell(halt_, token_);
    told_halt_ = halt_;
    halted_at_ = outstanding_.read_to();
}

// What was under way when its process died, in order.
void Courier::take_up_again() {
    while (!under_way_.empty()) {
        const auto position = under_way_.front();
        if (auto item = stored_at(position)) {
            (void)take_up(std::move(*item), true);
        } else {
            settle_one(position, 0);
        }
        under_way_.pop_front();
    }
}

void Courier::read_on(std::size_t max, std::size_t& taken) {
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
        feed_next(taken);
        constexpr std::size_t effects_at_once = 256;
        if (effects_.size() >= effects_at_once) append_effects();
    }
}

// The next event, with its further pieces, which stand behind it.
void Courier::feed_next(std::size_t& taken) {
    RunItem item{*next_};
    std::exception_ptr behind_it;
    try {
        ++next_;
        while (item.event.pieces > 1 && next_ != std::default_sentinel && next_->position == item.event.position) {
            item.further.push_back(*next_);
            ++next_;
        }
    } catch (...) {
        behind_it = std::current_exception();  // all pieces come in one page: what failed is the next one
    }
    if (take_up(std::move(item), false)) ++taken;
    if (behind_it) std::rethrow_exception(behind_it);
}

// The event at `position` as it is read today, with all of its pieces; empty where upcasters make nothing of it.
std::optional<RunItem> Courier::stored_at(Position position) const {
    if (position > context_.store.head()) {
        throw StoreError{"damage", "the log has no event at position " + std::to_string(position.value()) +
                                       ", which listener \"" + listener_->name() + "\" has taken up"};
    }
    std::optional<RunItem> item;
    for (const auto& event : context_.store.read(all().after(position.previous()).until(position))) {
        if (item) {
            item->further.push_back(event);
        } else {
            item.emplace(RunItem{event});
        }
    }
    return item;
}

// The pieces that the listener selects; none where it has nothing to do with the event. Throws InvalidInput.
std::optional<RunItem> Courier::selected(const RunItem& item) {
    std::optional<RunItem> wanted;
    for (std::size_t place = 0; place < item.pieces(); ++place) {
        selection_.take(item.piece(place));
        if (!selection_.selects()) continue;
        if (wanted) {
            wanted->further.push_back(item.piece(place));
        } else {
            wanted.emplace(RunItem{item.piece(place), item.attempts, item.made});
        }
    }
    return wanted;
}

// Whether the listener has anything to do with the event. One that is taken up again is outstanding already.
bool Courier::take_up(RunItem item, bool is_again) {
    const auto& event = item.event;
    const auto pass_over = [&](Position position) {
        if (is_again) {
            settle_one(position, 0);
        } else {
            outstanding_.read(position);
        }
    };
    std::string key;
    try {
        bool is_wanted = false;
        if (item.pieces() == 1) {
            selection_.take(event);
            is_wanted = selection_.selects();
        } else if (auto wanted = selected(item)) {
            item = std::move(*wanted);
            selection_.take(event);
            is_wanted = true;
        }
        // One that was under way has claimed its value already.
        if (!is_wanted || is_own_effect(event) || (!is_again && is_repetition(event))) {
            pass_over(event.position);
            return false;
        }
        key = selection_.order_key();
    } catch (const InvalidInput& error) {
        // Nobody knows whether the listener wants it, and it must not be passed over in silence.
        if (!is_again) ++counts_.dispatched;
        const auto failure = selection_failure(error.what());
        Report part;
        if (listener_->head().order.kind != OrderBy::Kind::global) part.key = event.stream.name();
        if (!is_again) outstanding_.take_up(event.position);
        bytes_ += size_of(item);
        fail(part, item, failure);
        return true;
    }

    if (!is_again) ++counts_.dispatched;
    if (parked_keys_.has(key)) {
        settlement_.waiting.push_back({std::move(key), event.position, 0, std::nullopt, false});
        pass_over(event.position);
        return true;
    }
    if (!is_again) outstanding_.take_up(event.position);
    bytes_ += size_of(item);
    if (listener_->head().appends) {
        effects_.push_back({std::move(key), std::move(item), {}});
    } else {
        queue_up(key, std::move(item));
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

std::size_t Courier::size_of(const RunItem& item) {
    std::size_t bytes = 0;
    for (std::size_t place = 0; place < item.pieces(); ++place) bytes += bytes_of(item.piece(place));
    return bytes;
}

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

// What of a parked event is to be delivered. It may not be wanted any more, since the listener or an upcaster was
// changed: that is settled here. Throws UpcastError and InvalidInput, where nobody can know.
std::optional<RunItem> Courier::still_selected(const std::string& key, const ParkedDelivery& delivery) {
    auto item = stored_at(delivery.position);
    std::optional<RunItem> wanted;
    if (item) {
        item->attempts = delivery.attempts;
        item->made = delivery.made;
        wanted = selected(*item);
    }
    if (!wanted) settlement_.done.push_back({key, delivery.position, true});
    const auto next = next_pieces_.find(delivery.position.value());
    if (wanted && next != next_pieces_.end()) wanted->next_piece = std::min(next->second, wanted->further.size());
    return wanted;
}

// A failure like any other: the key waits on, and no other one (D2), and the event is tried again.
void Courier::fail_parked(const std::string& key, const ParkedDelivery& delivery, const Failure& failure) {
    Report part;
    part.key = key;
    part.is_parked = true;
    // As it is stored, as it may not be possible to upcast it.
    const auto here = all().raw().after(delivery.position.previous()).until(delivery.position);
    for (const auto& event : context_.store.read(here)) {
        fail(part, RunItem{event, delivery.attempts, delivery.made}, failure);
    }
}

Courier::Failure Courier::upcast_failure(const char* error) const {
    Failure failure;
    failure.at = context_.options.clock();
    failure.cause = "upcast";
    failure.error = error;
    return failure;
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
        // One that cannot be read fails when it is the first of its key, and those behind it wait for it.
        try {
            if (auto item = still_selected(run.key, delivery)) run.items.push_back(std::move(*item));
        } catch (const UpcastError& error) {
            if (run.items.empty()) fail_parked(run.key, delivery, upcast_failure(error.what()));
            break;
        } catch (const InvalidInput& error) {
            if (run.items.empty()) fail_parked(run.key, delivery, selection_failure(error.what()));
            break;
        }
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
