// Listeners whose effect is an append: effect and position in one commit, exactly once.
//
// The position is the tracking of the append (source "listener/NAME"): whatever stands in control.db, a listener
// that appends goes on behind the position that was committed with its last effect. So what an append passes over
// (events that wait behind a parked one, dead letters) is settled in control.db before it.
//
// What was parked is appended by itself later, behind the tracked position; and there the ids, which follow from
// the event, make a repetition one (L6).
#include "courier.hpp"

#include <stele/schema/causation.hpp>

#include <algorithm>
#include <utility>

namespace stele {
namespace {

// What `composed` says, with the ids that make it the same append whenever it is made for this event, and with what
// tells whose effect it is.
Append identified(const Append& composed, const Event& event, const std::string& listener,
                  const DeliveryKeys& keys) {
    if (composed.tracking())
        throw Permanent{"a listener that appends is tracked by Stele; it must not call tracking() itself"};
    CausationScope cause{event};
    Append append;
    std::size_t place = 0;
    for (const auto& part : composed.parts()) {
        auto events = part.events;
        for (auto& effect : events) {
            effect.with_id(keys.id_of_effect(listener, event.id, place++));
            effect.with_metadata("listener", listener);
            cause.complete(effect);
        }
        append.to(part.stream, part.expected, std::move(events));
    }
    for (const auto& condition : composed.conditions()) append.unless(condition);
    return append;
}

bool can_share_a_commit(const Append& append) {
    return append.conditions().empty() &&
           std::all_of(append.parts().begin(), append.parts().end(),
                       [](const AppendPart& part) { return part.expected == expect::any; });
}

// Why an append was refused; empty where it was not.
std::optional<std::string> refusal(const AppendResult& result) {
    if (const auto* version = std::get_if<VersionConflict>(&result)) {
        return "the append was refused: " + version->stream.name() + " is at version " +
               std::to_string(version->actual.value_or(Version{}).value());
    }
    if (const auto* condition = std::get_if<ConditionConflict>(&result)) {
        return "the append was refused: the event at position " + std::to_string(condition->position.value()) +
               " matches a condition";
    }
    return std::nullopt;
}

}  // namespace

// For one event by itself: what was parked.
void Courier::deliver(ListenerHandler& handler, const Event& event, const Delivery& delivery) {
    const CausationScope scope{event};
    if (!listener_->head().appends) return handler.deliver(event, delivery);
    Append composed;
    handler.compose(event, delivery, composed);
    if (composed.parts().empty()) return;
    const auto result = context_.store.try_append(identified(composed, event, listener_->name(), context_.keys));
    if (const auto why = refusal(result)) throw DeliveryFailed{"conflict", *why};
}

// Where this fails for a reason that is no event's, memory is read anew: what was appended is tracked.
void Courier::append_effects() {
    if (effects_.empty()) return;
    auto effects = std::exchange(effects_, {});
    try {
        const auto life = life_.load();
        std::vector<Effect*> together;
        auto handler = take_handler();
        for (auto& effect : effects) {
            if (parked_keys_.has(effect.key)) {  // since a moment ago: one of these has failed
                settlement_.waiting.push_back({effect.key, effect.item.event.position, 0, std::nullopt, false});
                settle_one(effect.item.event.position, size_of(effect.item));
                continue;
            }
            if (!compose(handler, effect)) {
                commit(together);
                if (life != life_) return;
                continue;
            }
            if (can_share_a_commit(effect.append)) {
                together.push_back(&effect);
                continue;
            }
            commit(together);
            if (life == life_) commit_alone(effect);
            if (life != life_) return;
        }
        commit(together);
        put_back(std::move(handler));
    } catch (...) {
        load();
        throw;
    }
}

// False where the handler failed; that is dealt with then.
bool Courier::compose(std::unique_ptr<ListenerHandler>& handler, Effect& effect) {
    Success success;
    // The effects of all pieces are one append, as they are of one position.
    for (std::size_t place = 0; place < effect.item.pieces(); ++place) {
        const auto& piece = effect.item.piece(place);
        const auto failure = attempt(effect.item, piece, false, success, [&](const Delivery& delivery) {
            if (!handler) handler = listener_->handler();
            const CausationScope scope{piece};
            Append composed;
            handler->compose(piece, delivery, composed);
            const auto append = identified(composed, piece, listener_->name(), context_.keys);
            for (const auto& part : append.parts()) effect.append.to(part.stream, part.expected, part.events);
            for (const auto& condition : append.conditions()) effect.append.unless(condition);
        });
        effect.duration += success.duration;
        if (!failure) continue;
        fail_effect(effect, *failure);
        return false;
    }
    return true;
}

void Courier::fail_effect(const Effect& effect, const Failure& failure) {
    Report part;
    part.key = effect.key;
    fail(part, effect.item, failure);
}

// Appends for all of them, up to the position of the last one, and empties the list.
void Courier::commit(std::vector<Effect*>& effects) {
    const auto all = std::exchange(effects, {});
    if (all.empty()) return;
    Append together;
    for (const auto* effect : all) {
        for (const auto& part : effect->append.parts()) together.to(part.stream, part.expected, part.events);
    }
    const auto life = life_.load();
    try {
        if (!settlement_.is_empty()) settle_now(false);
        if (life == life_ && !context_.leases.holds(lease_, token_))
            lose("listener \"" + listener_->name() + "\" was taken over by another runner");
        if (life != life_) return;
        together.tracking(source_, all.back()->item.event.position.value());
        if (std::holds_alternative<TrackingConflict>(context_.store.try_append(together))) return load();
    } catch (const StoreBusy&) {
        throw;
    } catch (const StoreError&) {
        throw;
    } catch (const Error&) {
        // An event that breaks a rule of the log; alone, each shows whether it is the one.
        for (auto* effect : all) {
            if (life == life_) commit_alone(*effect);
        }
        return;
    }
    for (const auto* effect : all) effect_done(*effect);
}

void Courier::commit_alone(Effect& effect) {
    Success success;
    const auto life = life_.load();
    if (!settlement_.is_empty()) settle_now(false);
    if (life != life_) return;
    bool is_behind = false;
    auto failure = attempt(effect.item, effect.item.event, false, success, [&](const Delivery&) {
        auto append = effect.append;
        append.tracking(source_, effect.item.event.position.value());
        const auto result = context_.store.try_append(append);
        is_behind = std::holds_alternative<TrackingConflict>(result);
        if (const auto why = refusal(result)) throw DeliveryFailed{"conflict", *why};
    });
    if (is_behind) return load();
    if (failure) return fail_effect(effect, *failure);
    effect_done(effect);
}

void Courier::effect_done(const Effect& effect) {
    ++counts_.delivered;
    counts_.durations.add(std::chrono::duration<double>(effect.duration).count());
    settle_one(effect.item.event.position, size_of(effect.item));
}

}  // namespace stele
