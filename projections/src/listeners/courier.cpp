// Taking care of a listener: its lease, its place in the log, and what is settled.
#include "courier.hpp"

#include <algorithm>
#include <cmath>

namespace stele {
namespace {

using namespace std::chrono_literals;

// How often control.db is looked at for what others did. The look is at a number in shared memory.
constexpr auto look_every = 50ms;
// A place that passes over events that were not selected is stored this often.
constexpr auto store_positions_every = 1'000ms;
// How long to wait after trouble: doubled each time, up to the longest.
constexpr auto first_pause = 100ms;
constexpr auto longest_pause = 5'000ms;
// With more parked keys than are known by heart, every event costs a look until there are fewer.
constexpr auto reload_keys_every = 30s;

std::string named(const std::string& name) { return "listener \"" + name + "\""; }

}  // namespace

Courier::Courier(const CourierContext& context, std::shared_ptr<const Listener> listener, WorkQueue& queue,
                 std::shared_ptr<Breaker> breaker)
    : context_(context),
      listener_(std::move(listener)),
      queue_(queue),
      breaker_(std::move(breaker)),
      lease_("listener/" + listener_->name()),
      source_("listener/" + listener_->name()),
      ledger_(context_.control, listener_->name()),
      selection_(listener_->head(), context.store),
      parked_keys_(ledger_) {}

Courier::~Courier() { close(); }

Courier::Turn Courier::turn(std::size_t max) noexcept {
    const std::lock_guard lock{care_};
    try {
        auto turn = work(max);
        publish();
        return turn;
    } catch (const std::exception& error) {
        return trouble(error.what());
    } catch (...) {
        return trouble("an exception that says nothing");
    }
}

Courier::Turn Courier::work(std::size_t max) {
    collect();
    if (!look()) return {false, context_.options.look_every, 0};
    // What could not be written before is written before anything else happens.
    if ((holds_ & hold_for_trouble) != 0) settle_now(false);

    std::size_t events = 0;
    if (may_deliver()) {
        deliver_due();
        events = feed(max);
        dispatch();
    }
    settle();
    go_on_with_keys();
    dispatch();
    if (!halt_.empty()) return trouble(std::exchange(halt_, {}));
    troubles_ = 0;
    last_trouble_.clear();
    const bool has_more = may_deliver() && has_room() && (range_ || outstanding_.read_to() < context_.store.head());
    return {has_more && max > 0, next_wait(context_.options.clock()), events};
}

Courier::Turn Courier::trouble(const std::string& text) {
    range_.reset();
    next_look_ = {};
    const auto wait =
        std::min<std::chrono::milliseconds>(longest_pause, first_pause * (1 << std::min(troubles_, 6)));
    ++troubles_;
    if (text != last_trouble_) tell(RunnerNews::Kind::trouble, text + "; nothing is delivered until this is over");
    last_trouble_ = text;
    return {false, wait, 0};
}

bool Courier::may_deliver() const noexcept { return token_ != 0 && is_loaded_ && state_ == "live" && holds_ == 0; }

bool Courier::has_room() const noexcept {
    constexpr std::size_t most_bytes = std::size_t{32} << 20;
    constexpr std::size_t most_waiting = 10'000;
    return outstanding_.size() < context_.options.window && bytes_ < most_bytes &&
           settlement_.waiting.size() < most_waiting;
}

// ---- Whose it is

// Whether the listener is ours, and we know how it stands.
bool Courier::look() {
    const auto time = std::chrono::steady_clock::now();
    if (time < next_look_) return token_ != 0;
    next_look_ = time + (token_ == 0 ? std::chrono::milliseconds{context_.options.look_every} : look_every);
    if (token_ == 0) return own();

    if (parked_keys_.is_too_many() && time >= reload_keys_at_ && settlement_.is_empty()) {
        parked_keys_.reload();
        reload_keys_at_ = time + reload_keys_every;
    }
    const auto version = ledger_.data_version();
    if (version == seen_version_ && is_loaded_) return true;
    seen_version_ = version;
    is_due_known_ = false;
    const auto place = ledger_.place();
    if (!place || !context_.leases.holds(lease_, token_)) {
        lose(named(listener_->name()) + " was taken over by another runner");
        return false;
    }
    if (!is_loaded_ || place->epoch != epoch_) {
        load();
    } else {
        change_state(*place);
    }
    return true;
}

void Courier::change_state(const ListenerPlace& place) {
    if (place.state == state_) return;
    state_ = place.state;
    if (state_ == "live") {
        holds_ &= ~hold_for_state;
        tell(RunnerNews::Kind::live, named(listener_->name()) + " delivers");
    } else {
        holds_ |= hold_for_state;
        if (state_ == "paused") tell(RunnerNews::Kind::paused, named(listener_->name()) + " is paused");
        if (state_ == "failed")
            tell(RunnerNews::Kind::failed, named(listener_->name()) + " has stopped: " + place.error);
    }
}

bool Courier::own() {
    const auto holder = Leases::holder(context_.control, lease_);
    std::optional<std::int64_t> token;
    std::string from;
    if (holder && holder->owner != context_.member.number() && context_.member.sees(holder->owner)) {
        if (!is_hung(*holder)) return false;
        token = context_.leases.seize(lease_, holder->token);
        from = ", taken over from " + holder->label + ", which hangs";
    } else {
        token = context_.leases.take(lease_, ledger_.token());
    }
    if (!token) return false;  // another one was quicker

    const auto& head = listener_->head();
    if (!ledger_.place()) ledger_.begin(start(), head.queue, head.sink);
    if (!ledger_.claim(*token, head.queue, head.sink)) return false;
    token_ = *token;
    sighting_.reset();
    tell(RunnerNews::Kind::owned, named(listener_->name()) + ": owned by this runner" + from);
    load();
    return true;
}

// An owner that is alive and does not move although something waits. One that waits for a slow target gives a sign
// of life now and then.
bool Courier::is_hung(const LeaseHolder& holder) {
    const auto sign = ledger_.sign(context_.options.clock());
    const auto time = std::chrono::steady_clock::now();
    const bool waits = sign.state == "live" && (sign.read_to < context_.store.head() || sign.is_overdue);
    const Sighting seen{holder.token, sign.position, sign.read_to, sign.beat, time};
    const bool moved = !sighting_ || sighting_->token != seen.token || sighting_->position != seen.position ||
                       sighting_->read_to != seen.read_to || sighting_->beat != seen.beat;
    if (!waits || moved) {
        sighting_ = seen;
        return false;
    }
    return time - sighting_->since >= context_.options.takeover_after;
}

Position Courier::start() const {
    const auto& from = listener_->head().start;
    switch (from.kind) {
        case StartAt::Kind::now:
            return context_.store.head();
        case StartAt::Kind::position:
            return std::min(from.position, context_.store.head());
        case StartAt::Kind::time:
            return context_.store.position_at(from.time - 1us);
        case StartAt::Kind::beginning:
            break;
    }
    return {};
}

// Reads the place, and throws away what was in memory: deliveries that are under way are made again. Where that
// fails nothing is known, so nothing is delivered or settled before it has succeeded.
void Courier::load() {
    unload();
    auto place = ledger_.place();
    if (!place) throw StoreError{"control_file", "control.db: " + named(listener_->name()) + " is gone from it"};
    const auto log_head = context_.store.head();
    if (place->read_to > log_head) {
        throw StoreError{"listener_ahead",
                         named(listener_->name()) + " is at position " + std::to_string(place->read_to.value()) +
                             ", the log ends at " + std::to_string(log_head.value()) +
                             ": the log lost events. Find out why, then `stele listener rewind " +
                             listener_->name() + " --to " + std::to_string(log_head.value()) + "`"};
    }
    epoch_ = place->epoch;
    counts_ = place->counts;
    if (breaker_ && place->breaker) breaker_->restore(*place->breaker);
    if (listener_->head().appends) {
        // What was appended says how far it is: both were one commit.
        const auto tracked = context_.store.tracked(source_);
        const Position appended{tracked ? tracked->position : 0};
        std::erase_if(place->under_way, [&](Position position) { return position <= appended; });
        place->read_to = std::max(place->read_to, appended);
    }
    outstanding_.reset(place->read_to, place->under_way);
    under_way_.assign(place->under_way.begin(), place->under_way.end());
    told_halt_ = place->state == "live" ? place->error : std::string{};
    halted_at_ = place->read_to;
    stored_read_to_ = place->read_to;
    stored_at_ = std::chrono::steady_clock::now();
    ledger_.free_first_of_keys(context_.options.clock());
    parked_keys_.reload();
    reload_keys_at_ = stored_at_ + reload_keys_every;
    seen_version_ = ledger_.data_version();
    is_loaded_ = true;
    change_state(*place);
}

void Courier::unload() {
    is_loaded_ = false;
    ++life_;
    outstanding_.reset({}, {});
    under_way_.clear();
    bytes_ = 0;
    keys_.clear();
    ready_.clear();
    to_go_on_.clear();
    parked_out_ = 0;
    range_.reset();
    settlement_ = {};
    claims_.clear();
    effects_.clear();
    next_pieces_.clear();
    unstored_ = 0;
    is_due_known_ = false;
    has_passed_over_due_ = false;
    holds_ &= ~hold_for_trouble;
}

void Courier::lose(const std::string& text) {
    unload();
    token_ = 0;
    state_.clear();
    next_look_ = {};
    tell(RunnerNews::Kind::lost, text);
}

// ---- Settling

ListenerPlace Courier::place_now() const {
    ListenerPlace place;
    place.position = outstanding_.position();
    place.read_to = outstanding_.read_to();
    place.under_way = outstanding_.all();
    place.epoch = epoch_;
    place.counts = counts_;
    if (breaker_) place.breaker = breaker_->status();
    return place;
}

void Courier::settle() {
    if (!is_loaded_) return;
    const auto time = std::chrono::steady_clock::now();
    const bool appends = listener_->head().appends;
    const bool has_news = !settlement_.is_empty() || (unstored_ > 0 && !appends);
    const bool has_moved = unstored_ > 0 || outstanding_.read_to() != stored_read_to_;
    const bool is_overdue = next_due_ && *next_due_ <= context_.options.clock();
    const bool is_busy = !outstanding_.empty() || parked_out_ > 0 || (may_deliver() && is_overdue);
    if (has_news || (has_moved && time - stored_at_ >= store_positions_every)) {
        settle_now(false);
    } else if (is_busy && time - stored_at_ >= context_.options.takeover_after / 4) {
        settle_now(true);
    }
}

// Where this fails, everything stays as it is and is tried again: nothing is delivered meanwhile.
void Courier::settle_now(bool is_beat) {
    const auto place = place_now();
    Ledger::Settled settled;
    try {
        settled = ledger_.settle(settlement_, place, token_, context_.options.clock(), is_beat);
    } catch (...) {
        if (!is_beat) holds_ |= hold_for_trouble;
        throw;
    }
    if (settled.outcome == Ledger::Outcome::fenced)
        return lose(named(listener_->name()) + " was taken over by another runner");
    if (settled.outcome == Ledger::Outcome::moved) return load();

    stored_at_ = std::chrono::steady_clock::now();
    if (is_beat) return;
    holds_ &= ~hold_for_trouble;
    stored_read_to_ = place.read_to;
    unstored_ = 0;
    if (settlement_.stop) change_state(stopped_place(settlement_.stop->error));
    const auto last_death = settlement_.deaths.empty() ? Position{} : settlement_.deaths.back().position;
    if (!settlement_.parked.empty() || !settlement_.waiting.empty()) is_due_known_ = false;
    settlement_ = {};
    claims_.clear();
    parked_keys_.written();

    const auto limit = listener_->head().stop_after_dead;
    if (limit > 0 && settled.dead >= limit && state_ == "live") {
        settlement_.stop = {last_death, std::to_string(settled.dead) +
                                            " dead letters, as many as it may have; `stele " +
                                            "dead-letter list --listener " + listener_->name() + "` shows them"};
        settle_now(false);
    }
}

ListenerPlace Courier::stopped_place(const std::string& error) {
    ListenerPlace place;
    place.state = "failed";
    place.error = error;
    return place;
}

// Keys that are parked, and of which a run has ended: what is next of them, now that it is settled?
void Courier::go_on_with_keys() {
    if (!is_loaded_) return;
    auto keys = std::exchange(to_go_on_, {});
    for (auto key = keys.begin(); key != keys.end(); ++key) {
        try {
            go_on_with(*key);
        } catch (...) {
            to_go_on_.insert(to_go_on_.end(), key, keys.end());
            throw;
        }
    }
    if (!settlement_.is_empty()) settle_now(false);
}

void Courier::go_on_with(const std::string& key) {
    constexpr std::size_t at_once = 64;
    const auto of_key = ledger_.of_key(key, context_.options.clock(), at_once);
    if (of_key.epoch != epoch_) {
        // Somebody has moved the place, and may have taken away what the key waits for. The next look finds that.
        next_look_ = {};
    } else if (of_key.is_blocked) {
        keys_.erase(key);
        is_due_known_ = false;
    } else if (of_key.deliveries.empty()) {
        keys_.erase(key);
        parked_keys_.remove(key);
    } else if (may_deliver() && (!breaker_ || breaker_->is_closed())) {
        (void)push_parked(of_key.deliveries, false);
    } else {
        const auto& first = of_key.deliveries.front();
        settlement_.parked.push_back({key, first.position, first.attempts, context_.options.clock(), false, true});
        keys_.erase(key);
    }
}

std::chrono::milliseconds Courier::next_wait(Timestamp time) const {
    auto wait = std::min<std::chrono::milliseconds>(look_every, context_.options.look_every);
    const auto until = [&](Timestamp moment) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - time);
        wait = std::clamp<std::chrono::milliseconds>(left, 1ms, wait);
    };
    if (!may_deliver()) return wait;
    if (!breaker_ || breaker_->is_closed()) {
        if (next_due_ && parked_out_ < context_.options.window) until(*next_due_);
    } else if (const auto status = breaker_->status(); status.state == "open") {
        if (!ready_.empty()) {
            until(*status.until);
        } else if (next_due_) {
            until(std::max(*next_due_, *status.until));
        }
    }
    return wait;
}

void Courier::look_now() noexcept {
    const std::lock_guard lock{care_};
    next_look_ = {};
}

// ---- Ending

void Courier::hold() noexcept { holds_ |= hold_for_end; }

void Courier::close() noexcept {
    const std::lock_guard lock{care_};
    holds_ |= hold_for_end;
    if (token_ == 0) return;
    try {
        collect();
        if (is_loaded_ && (!settlement_.is_empty() || unstored_ > 0 || outstanding_.read_to() != stored_read_to_))
            settle_now(false);
        if (token_ != 0) go_on_with_keys();
    } catch (const std::exception&) {
        // The next owner makes the same deliveries again.
    }
    unload();
    try {
        if (token_ != 0) context_.leases.release(lease_, token_);
    } catch (const std::exception&) {
        // The lease is free anyway once this runner is gone.
    }
    token_ = 0;
    state_.clear();
    next_look_ = {};
    holds_ = 0;
}

void Courier::tell(RunnerNews::Kind kind, const std::string& text) {
    context_.news({kind, {}, text, listener_->name()});
}

// ---- Being watched

void Courier::await(std::chrono::milliseconds most, const std::stop_token& stop) {
    std::unique_lock lock{exchange_};
    happened_.wait_for(lock, stop, most, [&] { return is_woken_ || !reports_.empty(); });
    is_woken_ = false;
}

void Courier::wake() noexcept {
    {
        const std::lock_guard lock{exchange_};
        is_woken_ = true;
    }
    happened_.notify_all();
}

void Courier::publish() {
    {
        const std::lock_guard lock{exchange_};
        if (settled_to_ == outstanding_.position() && seen_state_ == state_) return;
        settled_to_ = outstanding_.position();
        seen_state_ = state_;
    }
    happened_.notify_all();
}

WaitResult Courier::wait_for(Position position, std::chrono::steady_clock::time_point deadline) const {
    std::unique_lock lock{exchange_};
    const auto is_over = [&] {
        return settled_to_ >= position || seen_state_ == "paused" || seen_state_ == "failed";
    };
    happened_.wait_until(lock, deadline, is_over);
    if (seen_state_ == "failed") return WaitResult::failed;
    if (settled_to_ >= position && !seen_state_.empty()) return WaitResult::reached;
    if (seen_state_ == "paused") return WaitResult::paused;
    return WaitResult::timed_out;
}

}  // namespace stele
