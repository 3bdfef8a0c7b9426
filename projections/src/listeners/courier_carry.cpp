// What workers do for a listener, and what becomes of it.
#include "courier.hpp"

#include <algorithm>
#include <utility>

namespace stele {

// ---- Workers

void Courier::carry(Run run, const std::function<void()>& keep_rate) noexcept {
    using namespace std::chrono_literals;
    Report part;
    part.life = run.life;
    part.key = run.key;
    part.is_parked = run.is_parked;
    part.is_trial = run.is_trial;

    const auto may_go_on = [&] {
        return holds_ == 0 && run.life == life_ && (!breaker_ || run.is_trial || breaker_->is_closed());
    };
    auto handler = take_handler();
    auto reported = std::chrono::steady_clock::now();
    auto item = run.items.begin();
    for (; item != run.items.end() && may_go_on(); ++item) {
        keep_rate();
        if (!may_go_on()) break;
        Success success;
        auto failure = deliver_pieces(*item, handler, run.is_trial, success);
        if (failure) {
            // One that was told to give up is as if it had not begun.
            if (abort_.stop_requested() && !failure->is_permanent) break;
            part.failure = std::move(failure);
            part.failed = std::move(*item++);
            break;
        }
        part.delivered.push_back(success);
        const auto time = std::chrono::steady_clock::now();
        if (time < reported + 1ms || item + 1 == run.items.end()) continue;
        reported = time;
        Report so_far = part;
        part.delivered.clear();
        report(std::move(so_far));
    }
    part.rest.assign(std::make_move_iterator(item), std::make_move_iterator(run.items.end()));
    part.has_ended = true;
    put_back(std::move(handler));
    if (run.is_trial && part.delivered.empty() && !part.failure && breaker_) breaker_->give_back();
    report(std::move(part));
}

// One after another, from where the last attempt failed. Empty where the last one is done.
std::optional<Courier::Failure> Courier::deliver_pieces(RunItem& item, std::unique_ptr<ListenerHandler>& handler,
                                                        bool is_trial, Success& success) {
    std::chrono::microseconds duration{};
    for (; item.next_piece < item.pieces(); ++item.next_piece) {
        const auto& piece = item.piece(item.next_piece);
        auto failure = attempt(item, piece, is_trial, success, [&](const Delivery& delivery) {
            if (!handler) handler = listener_->handler();
            deliver(*handler, piece, delivery);
        });
        if (failure) return failure;
        success.duration = duration += success.duration;
    }
    return std::nullopt;
}

// Empty where the delivery is done.
std::optional<Courier::Failure> Courier::attempt(const RunItem& item, const Event& piece, bool is_trial,
                                                 Success& success,
                                                 const std::function<void(const Delivery&)>& deliver) {
    const auto& head = listener_->head();
    const bool is_last = !is_trial && item.attempts + 1 >= head.retry.attempts;
    const Delivery delivery{head.name, context_.keys.of(head.name, piece.id), item.made + 1, is_last,
                            abort_.get_token()};
    Failure failure;
    failure.at = context_.options.clock();
    const auto began = std::chrono::steady_clock::now();
    const auto duration = [&] {
        return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    };
    const auto explain = [&](std::string cause, std::string error, bool is_permanent) {
        failure.cause = std::move(cause);
        failure.error = std::move(error);
        failure.is_permanent = is_permanent;
    };
    try {
        deliver(delivery);
        success = {item.event.position, duration(), size_of(item), item.made > 0};
        if (breaker_) breaker_->succeeded();
        return std::nullopt;
    } catch (const Permanent& error) {
        explain(error.cause(), error.what(), true);
    } catch (const Error& error) {
        explain(error.code(), error.what(), false);
    } catch (const std::exception& error) {
        explain("exception", error.what(), false);
    } catch (...) {
        explain("exception", "an exception that is no std::exception", false);
    }
    failure.duration = duration();
    failure.asked_wait = delivery.asked_wait();
    if (breaker_ && !abort_.stop_requested())
        failure.counts = breaker_->failed(failure.at, failure.error, is_trial, !failure.is_permanent);
    return failure;
}

void Courier::take_back(Run run) noexcept {
    if (run.is_trial && breaker_) breaker_->give_back();
    Report part;
    part.life = run.life;
    part.key = std::move(run.key);
    part.is_parked = run.is_parked;
    part.is_trial = run.is_trial;
    part.rest = std::move(run.items);
    part.has_ended = true;
    report(std::move(part));
}

void Courier::report(Report&& part) {
    bool is_first = false;
    {
        const std::lock_guard lock{exchange_};
        is_first = reports_.empty();
        reports_.push_back(std::move(part));
    }
    if (is_first) happened_.notify_all();
}

std::unique_ptr<ListenerHandler> Courier::take_handler() {
    const std::lock_guard lock{handlers_mutex_};
    if (handlers_.empty()) return nullptr;
    auto handler = std::move(handlers_.back());
    handlers_.pop_back();
    return handler;
}

void Courier::put_back(std::unique_ptr<ListenerHandler> handler) {
    if (!handler) return;
    const std::lock_guard lock{handlers_mutex_};
    handlers_.push_back(std::move(handler));
}

// ---- What became of it

void Courier::collect() {
    std::vector<Report> reports;
    {
        const std::lock_guard lock{exchange_};
        reports.swap(reports_);
    }
    for (auto& part : reports) {
        if (part.life == life_) take_in(part);
    }
}

void Courier::take_in(Report& part) {
    for (const auto& success : part.delivered) {
        ++counts_.delivered;
        if (success.is_retry) ++counts_.retried;
        counts_.durations.add(std::chrono::duration<double>(success.duration).count());
        if (part.is_parked) {
            next_pieces_.erase(success.position.value());
            settlement_.done.push_back({part.key, success.position, true});
        } else {
            settle_one(success.position, success.bytes);
        }
    }
    if (part.failure) fail(part, *part.failed, *part.failure);
    if (!part.has_ended) return;

    auto& key = keys_[part.key];
    key.is_out = false;
    if (part.is_parked) {
        --parked_out_;
        to_go_on_.push_back(part.key);
        return;
    }
    // What was not tried goes before what has come since.
    key.queued.insert(key.queued.begin(), std::make_move_iterator(part.rest.begin()),
                      std::make_move_iterator(part.rest.end()));
    if (key.queued.empty()) {
        keys_.erase(part.key);
        if (has_passed_over_due_) is_due_known_ = has_passed_over_due_ = false;
    } else {
        ready_.push_back(part.key);
    }
}

// Parks the event, or buries it. `part.rest` is left with what may be delivered still.
void Courier::fail(Report& part, const RunItem& item, const Failure& failure) {
    const auto& head = listener_->head();
    const auto position = item.event.position;
    ++counts_.failed;
    ++counts_.failed_by_cause[failure.cause];
    if (item.made > 0) ++counts_.retried;
    counts_.durations.add(std::chrono::duration<double>(failure.duration).count());
    settlement_.failures.push_back(
        {position, failure.at, failure.duration, failure.cause, failure.error, part.is_parked});
    if (!part.is_parked) settle_one(position, size_of(item));
    if (item.pieces() > 1) next_pieces_[position.value()] = item.next_piece;

    const int attempts = item.attempts + (failure.counts ? 1 : 0);
    const bool is_last = failure.is_permanent || (failure.counts && attempts >= head.retry.attempts);
    if (!is_last) {
        const auto random = std::uniform_real_distribution<double>{0, 1}(random_);
        auto wait = head.retry.wait_behind(std::max(attempts, 1), random);
        constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365};
        if (failure.asked_wait) wait = std::max(wait, std::min(*failure.asked_wait, longest));
        auto due = failure.at + wait;
        if (!failure.counts && breaker_) due = std::max(due, breaker_->status().until.value_or(due));
        settlement_.parked.push_back({part.key, position, attempts, due, false, part.is_parked});
        return park_behind(part);
    }
    if (head.after_last == AfterLast::stop) {
        // Due at once, with all of its attempts: as soon as the listener is resumed.
        settlement_.parked.push_back({part.key, position, 0, failure.at, false, part.is_parked});
        settlement_.stop = {position, item.event.type + " of " + item.event.stream.name() + " at position " +
                                          std::to_string(position.value()) + ": " + failure.error};
        return park_behind(part);
    }
    bury(part, item.event, failure);
    if (head.after_last == AfterLast::hold_key) {
        settlement_.parked.push_back({part.key, position, attempts, std::nullopt, true, part.is_parked});
        park_behind(part);
    } else if (part.is_parked) {
        settlement_.done.push_back({part.key, position, false});
    }
}

void Courier::bury(const Report& part, const Event& event, const Failure& failure) {
    ++counts_.dead;
    ++counts_.dead_by_cause[failure.cause];
    settlement_.deaths.push_back(
        {part.key, event.position, event.id, event.stream.name(), event.type, part.is_parked});
    tell(RunnerNews::Kind::dead, "listener \"" + listener_->name() + "\": dead letter: " + event.type + " of " +
                                     event.stream.name() + " at position " +
                                     std::to_string(event.position.value()) + ": " + failure.error);
}

// The key is parked: what of it is in memory waits behind the one that failed, in control.db.
void Courier::park_behind(Report& part) {
    parked_keys_.add(part.key);
    const auto park = [&](const RunItem& item) {
        settlement_.waiting.push_back({part.key, item.event.position, item.attempts, std::nullopt, false});
        settle_one(item.event.position, size_of(item));
    };
    if (!part.is_parked) {
        for (const auto& item : part.rest) park(item);
    }
    part.rest.clear();
    if (const auto key = keys_.find(part.key); key != keys_.end()) {
        for (const auto& item : key->second.queued) park(item);
        key->second.queued.clear();
    }
}

}  // namespace stele
