#include "sync_listener.hpp"

#include <stele/schema/causation.hpp>

#include <algorithm>

namespace stele {

SyncListener::SyncListener(const CourierContext& context, std::shared_ptr<const Listener> listener)
    : context_(context),
      listener_(std::move(listener)),
      ledger_(context_.control, listener_->name()),
      selection_(listener_->head(), context.store) {}

void SyncListener::begin() {
    const std::lock_guard lock{mutex_};
    position_ = context_.store.head();
    if (const auto place = ledger_.place()) {
        counts_ = place->counts;
    } else {
        ledger_.begin(position_, {}, listener_->head().sink);  // no queue: it is sync
    }
}

// An append that waits for this must not fail because of it: where the log cannot be read, the next append tries
// again from the same place.
void SyncListener::keep_up(Position position) noexcept {
    const std::lock_guard lock{mutex_};
    if (position <= position_) return;
    try {
        auto under_way = position_;  // it is passed behind the last of its pieces
        for (const auto& event :
             context_.store.read(Read{listener_->head().query}.after(position_).until(position))) {
            // Of an event that upcasters have split, the pieces behind one that failed are of the same dead letter.
            if (event.pieces > 1 && event.position != under_way) position_ = std::max(position_, under_way);
            under_way = event.position;
            if (event.position != dead_ || event.pieces == 1) deliver(event);
            if (event.pieces == 1) position_ = event.position;
        }
        position_ = position;
    } catch (const std::exception& error) {
        context_.news({RunnerNews::Kind::trouble,
                       {},
                       "listener \"" + listener_->name() + "\": " + error.what(),
                       listener_->name()});
    }
}

void SyncListener::deliver(const Event& event) {
    const auto at = context_.options.clock();
    const auto began = std::chrono::steady_clock::now();
    const auto duration = [&] {
        return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    };
    const auto failed = [&](std::string cause, std::string error) {
        bury(event, at, duration(), std::move(cause), std::move(error));
    };
    try {
        selection_.take(event);
        if (!selection_.selects()) return;
    } catch (const InvalidInput& error) {
        // Nobody knows whether the listener wants it, and it must not be passed over in silence.
        ++counts_.dispatched;
        return failed("selection", error.what());
    }
    ++counts_.dispatched;
    try {
        if (!handler_) handler_ = listener_->handler();
        const Delivery delivery{listener_->name(), context_.keys.of(listener_->name(), event.id), 1, true,
                                never_.get_token()};
        const CausationScope scope{event};
        handler_->deliver(event, delivery);
        ++counts_.delivered;
        counts_.durations.add(std::chrono::duration<double>(duration()).count());
    } catch (const Error& error) {
        failed(error.code(), error.what());
    } catch (const std::exception& error) {
        failed("exception", error.what());
    } catch (...) {
        failed("exception", "an exception that is no std::exception");
    }
}

void SyncListener::bury(const Event& event, Timestamp at, std::chrono::microseconds duration, std::string cause,
                        std::string error) {
    dead_ = event.position;
    ++counts_.failed;
    ++counts_.failed_by_cause[cause];
    ++counts_.dead;
    ++counts_.dead_by_cause[cause];
    counts_.durations.add(std::chrono::duration<double>(duration).count());
    ledger_.bury({event.stream.name(), event.position, event.id, event.stream.name(), event.type},
                 {event.position, at, duration, std::move(cause), error});
    context_.news({RunnerNews::Kind::dead,
                   {},
                   "listener \"" + listener_->name() + "\": dead letter: " + event.type + " of " +
                       event.stream.name() + " at position " + std::to_string(event.position.value()) + ": " +
                       error,
                   listener_->name()});
}

void SyncListener::close() noexcept {
    const std::lock_guard lock{mutex_};
    try {
        if (const auto place = ledger_.place()) {
            ListenerPlace now = *place;
            now.position = now.read_to = position_;
            now.counts = counts_;
            (void)ledger_.settle({}, now, ledger_.token(), context_.options.clock());
        }
    } catch (const std::exception&) {
        // Its counts are lost; nothing else of it is kept.
    }
}

ListenerCounts SyncListener::counts() const {
    const std::lock_guard lock{mutex_};
    return counts_;
}

Position SyncListener::position() const {
    const std::lock_guard lock{mutex_};
    return position_;
}

}  // namespace stele
