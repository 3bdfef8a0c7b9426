#include <stele/replay/json_diff.hpp>
#include <stele/replay/replay.hpp>

#include "missing.hpp"

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

// ---- Reading a store

namespace {

void check(const ReplayOptions& options) {
    const auto at_least_one = [](const char* field, auto bound) {
        if (bound && bound->value() < 1) throw InvalidInput(field, "1 or more", std::to_string(bound->value()));
    };
    at_least_one("at_version", options.at_version);
    at_least_one("at_position", options.at_position);
}

// The part of the stream that the options select, but for the times at which its events occurred.
Read selected(const StreamId& id, const ReplayOptions& options) {
    auto read = stream(id);
    if (options.at_version) read.until(*options.at_version);
    if (options.at_position) read.until(*options.at_position);
    if (options.at_time && options.time_of == TimeOf::recorded) read.until(*options.at_time);
    return read;
}

// Feeds the selected events to `take`, until it returns false or they end.
template <class Take>
void feed(const EventStore& store, const StreamId& id, const ReplayOptions& options, Take take) {
    check(options);
    const auto last = store.version(id);
    if (!last) throw no_such_stream(store, id);
    if (options.at_version && *options.at_version > *last)
        throw no_such_version(store, id, *options.at_version, *last);

    bool any = false;
    for (const Event& event : store.read(selected(id, options))) {
        if (options.time_of == TimeOf::occurred && options.at_time && event.occurred_at > *options.at_time)
            continue;
        any = true;
        if (!take(event)) break;
    }
    if (!any) throw nothing_yet(store, id, options);
}

}  // namespace

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
