#include "fold.hpp"

#include <algorithm>
#include <limits>

namespace stele {
namespace {

struct Failure {
    std::string place;
    std::string reason;
};

// What the handler itself could not do; a disk or a lock that failed is not its fault, and is thrown on.
template <class Work>
std::optional<Failure> failure_of(const Work& work) {
    try {
        work();
        return std::nullopt;
    } catch (const sql::SqlError& error) {
        if (error.is_of_the_machine()) throw;
        return Failure{error.place(), error.reason()};
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        return Failure{"", error.what()};
    }
}

}  // namespace

Fold::Fold(const EventStore& store, const Projection& projection, GenerationFile& file, Model& model,
           Settings settings)
    : store_(store),
      projection_(projection),
      file_(file),
      model_(model),
      settings_(std::move(settings)),
      handler_(projection.handler(model)),
      position_(file.generation().position) {}

EventRange Fold::events_up_to(Position target) const {
    Read read{projection_.query()};
    read.after(looked_to()).until(target);
    return store_.read(read);
}

void Fold::run(Position target, std::optional<std::size_t> limit) {
    outcome_ = Advance::done;
    started_ = std::chrono::steady_clock::now();
    events_at_start_ = events_;
    if (!handler_) handler_ = projection_.handler(model_);
    auto left = limit.value_or(std::numeric_limits<std::size_t>::max());
    auto events = events_up_to(target);
    auto event = events.begin();
    if (settings_.passes_silently && event == EventRange::end()) {
        looked_to_ = std::max(looked_to_, target);
        return;
    }
    while (position_ < target && left > 0 && !stopped() && outcome_ == Advance::done) {
        const auto before = events_;
        const auto most = std::min(left, settings_.batch);
        if (!take_batch(event, target, most, Care::none)) {
            // A handler failed and the batch is undone. Once more, so that what came before it is kept.
            handler_ = projection_.handler(model_);
            events = events_up_to(target);
            event = events.begin();
            take_batch(event, target, most, Care::each_event);
        }
        left -= static_cast<std::size_t>(events_ - before);
        if (outcome_ == Advance::done && settings_.progress) settings_.progress({position_, target, events_});
    }
}

void Fold::pass() {
    outcome_ = Advance::done;
    if (looked_to_ <= position_) return;
    WriteTransaction transaction{file_.db()};
    outcome_ =
        file_.write_progress({.from = position_, .to = looked_to_, .state = settings_.state, .rate = last_rate_});
    if (outcome_ != Advance::done) return;
    transaction.commit();
    position_ = looked_to_;
}

// Events a second since run() began, with those of the transaction under way.
double Fold::rate(std::int64_t taken) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
    return passed.count() > 0 ? static_cast<double>(events_ + taken - events_at_start_) / passed.count() : 0;
}

// One transaction: events from `event` on, at most `most`, and with them the position. False where a handler failed
// without Care: then nothing was done.
bool Fold::take_batch(EventRange::iterator& event, Position target, std::size_t most, Care care) {
    WriteTransaction transaction{file_.db()};
    std::int64_t taken = 0;
    std::int64_t skipped = 0;
    auto position = position_;
    const auto commit = [&](std::string_view state, std::string_view error, std::string_view place) {
        outcome_ = file_.write_progress({.from = position_,
                                         .to = position,
                                         .state = state,
                                         .error = error,
                                         .error_place = place,
                                         .rate = rate(taken)});
        if (outcome_ != Advance::done) {
            handler_.reset();  // it has seen events that the tables have not: the transaction is rolled back
            return;
        }
        transaction.commit();
        if (taken > 0) last_rate_ = rate(taken);
        position_ = position;
        events_ += taken;
        skipped_ += skipped;
    };

    for (; event != EventRange::end(); ++event, ++taken) {
        if (static_cast<std::size_t>(taken) == most || stopped()) break;
        if (care == Care::each_event) sql::execute(file_.db(), "SAVEPOINT stele_event");
        const auto failure = failure_of([&] {
            handler_->apply(*event);
            if (care == Care::each_event) handler_->flush();
        });
        if (failure && care == Care::none) return false;
        if (failure) {
            sql::execute(file_.db(), "ROLLBACK TO stele_event");
            handler_ = projection_.handler(model_);
        }
        if (care == Care::each_event) sql::execute(file_.db(), "RELEASE stele_event");
        if (failure && projection_.on_error() == OnError::stop) {
            const HandlerFailed error{projection_.name(), *event, failure->place, failure->reason};
            position = event->position.previous();
            commit("failed", error.what(), failure->place);
            if (outcome_ != Advance::done) return true;
            throw error;
        }
        if (failure) {
            file_.write_skipped(*event, failure->place, failure->reason);
            ++skipped;
        }
        position = event->position;
    }
    // The rest up to the target holds nothing for this projection: one write passes over all of it.
    if (event == EventRange::end()) position = target;
    if (care == Care::none && failure_of([&] { handler_->flush(); })) return false;
    commit(settings_.state, {}, {});
    return true;
}

}  // namespace stele
