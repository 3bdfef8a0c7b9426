#include <stele/replay/json_diff.hpp>
#include <stele/replay/replay.hpp>

#include "feed.hpp"

#include <string>
#include <utility>

namespace stele {

// ---- The engine

// The state as text and as a value: what is "after" one step is "before" the next, so each is parsed once.
struct Replay::Shown {
    JsonText text;
    nlohmann::json value;
};

Replay::Replay(StreamId stream, const Aggregate& aggregate)
    : stream_(std::move(stream)), folding_(aggregate.begin()) {}
Replay::~Replay() = default;
Replay::Replay(Replay&&) noexcept = default;
Replay& Replay::operator=(Replay&&) noexcept = default;

void Replay::apply(const Event& event) {
    folding_->apply(event);
    took(event);
    shown_.reset();
}

bool Replay::step(const Event& event, const StepVisitor& visit) {
    if (!shown_) shown_ = std::make_unique<Shown>(show(event));
    folding_->apply(event);
    auto after = [&] {
        try {
            return show(event);
        } catch (const ReplayError&) {
            folding_->resume(shown_->text);
            throw;
        }
    }();
    took(event);
    const auto before = std::exchange(*shown_, std::move(after));
    return visit(Step{event, before.text, shown_->text, json_diff(before.value, shown_->value)});
}

// A number such as 1e999 may stand in JSON text, and so in a state, but no value that could be compared holds it.
Replay::Shown Replay::show(const Event& event) const {
    auto text = folding_->state();
    try {
        auto value = text.value();
        return {std::move(text), std::move(value)};
    } catch (const InvalidInput& error) {
        throw ReplayError{"steps", event, std::string{"the state: "} + error.what()};
    }
}

void Replay::took(const Event& event) {
    version_ = event.version;
    position_ = event.position;
}

void Replay::resume(const State& state) {
    folding_->resume(state.json);
    version_ = state.version;
    position_ = state.position;
    shown_.reset();
}

State Replay::state() const { return {stream_, version_, position_, folding_->state()}; }

std::ostream& operator<<(std::ostream& out, const State& state) {
    return out << state.stream << " at version " << state.version << ", position " << state.position << ": "
               << state.json;
}

nlohmann::json value_of(const State& state) {
    try {
        return state.json.value();
    } catch (const InvalidInput& error) {
        throw InvalidInput{
            "state of " + state.stream.name() + " at version " + std::to_string(state.version.value()),
            "one that can be compared",
            std::string{error.what()} + "; leave that field out of the state, or keep it as a string"};
    }
}

// ---- Reading a store

State replay(const EventStore& store, const StreamId& id, const Aggregate& aggregate,
             const ReplayOptions& options) {
    Replay run{id, aggregate};
    feed(store, id, options, [&](const Event& event) {
        run.apply(event);
        return true;
    });
    return run.state();
}

State replay_steps(const EventStore& store, const StreamId& id, const Aggregate& aggregate,
                   const ReplayOptions& options, const StepVisitor& visit) {
    Replay run{id, aggregate};
    feed(store, id, options, [&](const Event& event) { return run.step(event, visit); });
    return run.state();
}

State replay(const EventStore& store, const StreamId& id, const AggregateRegistry& aggregates,
             const ReplayOptions& options) {
    return replay(store, id, aggregates.of(id.aggregate_type()), options);
}

State replay_steps(const EventStore& store, const StreamId& id, const AggregateRegistry& aggregates,
                   const ReplayOptions& options, const StepVisitor& visit) {
    return replay_steps(store, id, aggregates.of(id.aggregate_type()), options, visit);
}

}  // namespace stele
