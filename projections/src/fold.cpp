#include "fold.hpp"

#include "read_ahead.hpp"
#include "same_log.hpp"

#include <sqlite3.h>
#include <time.h>

#include <algorithm>
#include <limits>

namespace stele {
namespace {

constexpr std::int64_t few_events = 64;
constexpr std::int64_t many_events = 20'000;

// Exact to some milliseconds, for a load from memory: behind each event, the exact clock would be a twentieth of
// the cost of a cheap one.
std::chrono::nanoseconds coarse_now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

struct Fold::Failure {
    std::string place;
    std::string reason;
};

// What the handler itself could not do; a disk or a lock that failed is not its fault, and is thrown on. Where the
// transaction went with it, the error that took it counts, whatever the handler made of that.
template <class Work>
std::optional<Fold::Failure> Fold::failure_of(const Work& work) {
    const auto of_sql = [](const sql::SqlError& error) {
        if (error.is_of_the_machine()) throw error;
        return Failure{error.place(), error.reason()};
    };
    std::optional<Failure> failure;
    try {
        work();
    } catch (const sql::SqlError& error) {
        failure = of_sql(error);
    } catch (const ProjectionError&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        failure = Failure{"", error.what()};
    } catch (...) {
        failure = Failure{"", "it threw something that is no std::exception"};
    }
    if (has_transaction()) return failure;
    if (const auto cause = model_.what_rolled_back()) return of_sql(*cause);
    if (!failure) require_transaction();
    return failure;
}

Fold::Fold(const EventStore& store, const Projection& projection, GenerationFile& file, Model& model,
           Settings settings)
    : store_(store),
      projection_(projection),
      file_(file),
      model_(model),
      settings_(std::move(settings)),
      position_(file.generation().position),
      started_(std::chrono::steady_clock::now()) {
    start_batch();
}

void Fold::run(Position target, std::optional<std::size_t> limit, std::span<const Event> at_hand) {
    outcome_ = Advance::done;
    started_ = std::chrono::steady_clock::now();
    events_at_start_ = events_;
    target_ = target;
    if (position_ >= target) return;
    auto left = limit.value_or(std::numeric_limits<std::size_t>::max());
    undoing([&] {
        bool is_at_end = true;
        bool is_empty = true;
        const auto visit = [&](const Event& event) {
            is_empty = false;
            const bool goes_on = is_amid_pieces(event) || (left > 0 && !stopped());
            if (!goes_on || outcome_ != Advance::done) return is_at_end = false;
            take_one(event);
            left -= std::min<std::size_t>(left, 1);
            return true;
        };
        if (!at_hand.empty() && at_hand.front().position == looked_to().next() &&
            at_hand.back().position == target) {
            for (const auto& event : at_hand) {
                if (projection_.query().matches(event) && !visit(event)) break;
            }
        } else {
            read_events(target, visit);
        }
        if (settings_.passes_silently && is_empty && batch_.reached == position_) {
            looked_to_ = std::max(looked_to_, target);
            return;
        }
        // The rest up to the target holds nothing for this projection: one write passes over all of it.
        if (is_at_end && outcome_ == Advance::done) skip_to(target);
        end_batch();
    });
}

void Fold::pass() {
    outcome_ = Advance::done;
    if (looked_to_ <= position_) return;
    if (settings_.others != nullptr) settings_.others->wait(settings_.stop);
    WriteTransaction transaction{file_.db()};
    outcome_ = file_.write_progress({.from = position_,
                                     .to = looked_to_,
                                     .event_id = id_at(store_, looked_to_),
                                     .state = settings_.state,
                                     .rate = last_rate_});
    if (outcome_ != Advance::done) return;
    transaction.commit();
    position_ = looked_to_;
    start_batch();
}

void Fold::take(const Event& event) {
    undoing([&] { take_one(event); });
}

void Fold::skip_to(Position through) { batch_.reached = std::max(batch_.reached, through); }

void Fold::commit() {
    undoing([&] { end_batch(); });
}

// Whatever is thrown, nothing stays half done: the next call begins behind what is committed.
template <class Work>
void Fold::undoing(const Work& work) {
    try {
        work();
    } catch (...) {
        undo();
        throw;
    }
}

void Fold::undo() noexcept {
    handler_.reset();
    transaction_.reset();
    (void)model_.what_rolled_back();
    start_batch();
}

void Fold::start_batch() noexcept { batch_ = Batch{position_, position_}; }

void Fold::begin() {
    if (!transaction_) {
        if (settings_.others != nullptr) settings_.others->wait(settings_.stop);
        transaction_.emplace(file_.transactions());
        transaction_began_ = coarse_now();
    }
    if (!handler_) handler_ = projection_.handler(model_);
}

EventRange Fold::events_between(Position after, Position target) const {
    auto parts = projection_.parts();
    // A transaction writes the id of its last event. Where there are few events, they bring it along.
    if (target.value() - after.value() <= few_events) parts.id = true;
    Read read{projection_.query()};
    read.after(after).until(target).only(parts);
    const bool is_long = target.value() - after.value() >= many_events;
    const bool pays = settings_.reads_ahead && is_long && !projection_.folds_in_memory();
    return pays ? read_ahead(store_.read(read)) : store_.read(read);
}

/// Calls `visit` with each event behind what is committed, up to `target`, until it returns false. At one that
/// cannot be upcast it does what on_error() says.
template <class Visit>
void Fold::read_events(Position target, const Visit& visit) {
    auto after = looked_to();
    for (;;) {
        const auto events = events_between(after, target);
        EventRange::iterator event;
        std::optional<UpcastError> broken;
        // Only what the read throws is looked at here: what `visit` throws is for the caller.
        const auto there = [&](bool first) {
            try {
                if (first) {
                    event = events.begin();
                } else {
                    ++event;
                }
                return event != EventRange::end();
            } catch (const UpcastError& error) {
                broken = error;
                return false;
            }
        };
        for (bool more = there(true); more; more = there(false)) {
            if (!visit(*event)) return;
        }
        if (!broken) return;
        pass_over(*broken);
        if (outcome_ != Advance::done) return;
        after = broken->position();
    }
}

/// Of the events before it, all have been taken.
void Fold::pass_over(const UpcastError& error) {
    const auto read = store_.read(all().raw().after(error.position().previous()).until(error.position()));
    const auto event = read.begin();
    if (event == EventRange::end()) throw error;
    if (projection_.on_error() == OnError::stop) {
        end_batch();
        if (outcome_ == Advance::done) stop_at(*event, error.place(), error.reason());
        return;
    }
    begin();
    file_.write_skipped(*event, error.place(), error.reason());
    ++batch_.skipped;
    batch_.reached = batch_.last = error.position();
    batch_.last_id = event->id;
}

/// The state "failed" at the position before the event, with everything up to there, and nothing of the event.
void Fold::stop_at(const Event& event, const std::string& place, const std::string& reason) {
    const HandlerFailed error{projection_.name(), event, place, reason};
    if (is_amid_pieces(event)) {
        take_again(event.position.previous());  // without the pieces of it that were taken
        if (outcome_ != Advance::done) return;
    }
    begin();
    skip_to(event.position.previous());
    write("failed", error.what(), place);
    if (outcome_ == Advance::done) throw error;
}

/// Whether `next` is a further piece of the event that was taken last.
bool Fold::is_amid_pieces(const Event& next) const noexcept {
    return next.pieces > 1 && batch_.taken > 0 && next.position == batch_.last;
}

void Fold::take_one(const Event& event) {
    if (outcome_ != Advance::done) return;
    if (batch_.is_due && !is_amid_pieces(event)) {
        end_batch();
        if (outcome_ != Advance::done) return;
    }
    begin();
    if (care_ > 0) {
        take_with_care(event);
    } else if (failure_of([&] { handler_->apply(of_its_parts(event)); })) {
        return take_again(event.position, event.piece + 1);
    }
    if (outcome_ != Advance::done) return;
    batch_.reached = batch_.last = event.position;
    // Of the stored event, whichever of its pieces this is.
    batch_.last_id = event.id.is_nil() ? event.id : event.id.of_piece(event.piece);
    if (++batch_.taken < settings_.batch && !batch_.is_complete && !is_long()) return;
    batch_.is_due = true;
    if (event.piece + 1 == event.pieces) end_batch();
}

bool Fold::is_long() const { return coarse_now() - transaction_began_ >= settings_.longest; }

// What the projection does not look at is empty, whoever has read the log and for whom else: so its rows are the
// same however they are built (P1).
const Event& Fold::of_its_parts(const Event& event) {
    static const JsonText no_json;
    const auto& parts = projection_.parts();
    const bool is_narrow = (parts.id || event.id == EventId{}) && (parts.data || event.data == no_json) &&
                           (parts.metadata || event.metadata == no_json) && (parts.tags || event.tags.empty());
    if (is_narrow || projection_.looks_at_parts_alone()) return event;
    if (!narrowed_) narrowed_.emplace(Event{.stream = event.stream});
    narrowed_->position = event.position;
    narrowed_->version = event.version;
    narrowed_->stream = event.stream;
    narrowed_->type = event.type;
    narrowed_->schema_version = event.schema_version;
    narrowed_->piece = event.piece;
    narrowed_->pieces = event.pieces;
    narrowed_->occurred_at = event.occurred_at;
    narrowed_->recorded_at = event.recorded_at;
    if (parts.id) narrowed_->id = event.id;
    if (parts.data) narrowed_->data = event.data;
    if (parts.metadata) narrowed_->metadata = event.metadata;
    if (parts.tags) narrowed_->tags = event.tags;
    return *narrowed_;
}

// Undoes the batch and takes its events up to `last` once more, with care; of the one at `last`, the first
// `pieces`.
void Fold::take_again(Position last, int pieces) {
    care_ = std::max(settings_.batch, batch_.taken + 1);
    undo();
    read_events(last, [&](const Event& event) {
        if (event.position == last && event.piece >= pieces) return false;
        take_one(event);
        return true;
    });
}

void Fold::take_with_care(const Event& event) {
    --care_;
    sql::execute(file_.db(), "SAVEPOINT stele_event");
    const auto failure = failure_of([&] {
        handler_->apply(of_its_parts(event));
        handler_->flush();
    });
    const bool lost_all = !has_transaction();
    if (lost_all) {
        take_again(event.position, event.piece);
        if (outcome_ != Advance::done) return;
        begin();
        batch_.is_complete = true;  // so that none of it is lost again when another event fails like this
    } else {
        if (failure) sql::execute(file_.db(), "ROLLBACK TO stele_event");
        sql::execute(file_.db(), "RELEASE stele_event");
    }
    if (!failure) return;

    handler_ = projection_.handler(model_);
    if (projection_.on_error() == OnError::stop) return stop_at(event, failure->place, failure->reason);
    file_.write_skipped(event, failure->place, failure->reason);
    ++batch_.skipped;
}

void Fold::end_batch() {
    if (outcome_ != Advance::done || batch_.reached == position_) return;
    begin();
    if (failure_of([&] { handler_->flush(); })) {
        const auto reached = batch_.reached;
        take_again(batch_.last);
        if (outcome_ != Advance::done) return;
        skip_to(reached);
        if (batch_.reached == position_) return;
        begin();
        handler_->flush();  // has nothing left: each event was flushed by itself
    }
    write(settings_.state, {}, {});
    if (outcome_ == Advance::done && settings_.progress) settings_.progress({position_, target_, events_});
}

// Of events that were taken the id may be there already; others are looked up.
std::optional<EventId> Fold::id_of(Position reached) const {
    const bool is_known = batch_.taken > 0 && batch_.last == reached && batch_.last_id != EventId{};
    return is_known ? batch_.last_id : id_at(store_, reached);
}

bool Fold::has_transaction() const { return sqlite3_get_autocommit(file_.db()) == 0; }

// Without it, what follows would be written event by event, and the position without the rows (P1).
void Fold::require_transaction() const {
    if (!has_transaction()) {
        throw ProjectionError{
            "projection_file", projection_.name(),
            "expected the transaction that its events were folded in, found it rolled back by a "
            "statement (OR ROLLBACK, or an error of the disk that a handler caught); nothing of it "
            "was written"};
    }
}

void Fold::write(std::string_view state, std::string_view error, std::string_view place) {
    require_transaction();
    outcome_ = file_.write_progress({.from = position_,
                                     .to = batch_.reached,
                                     .event_id = id_of(batch_.reached),
                                     .state = state,
                                     .error = error,
                                     .error_place = place,
                                     .rate = rate()});
    if (outcome_ != Advance::done) return undo();
    transaction_->commit();
    transaction_.reset();
    if (batch_.taken > 0) last_rate_ = rate();
    position_ = batch_.reached;
    events_ += static_cast<std::int64_t>(batch_.taken);
    skipped_ += batch_.skipped;
    start_batch();
}

// Events a second since run() began, with those of the transaction under way.
double Fold::rate() const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
    const auto events = events_ + static_cast<std::int64_t>(batch_.taken) - events_at_start_;
    return passed.count() > 0 ? static_cast<double>(events) / passed.count() : 0;
}

}  // namespace stele
