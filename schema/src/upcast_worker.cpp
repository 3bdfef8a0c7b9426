// Upcasters::Worker: one event after another, along its chain.
#include "upcasters_compiled.hpp"

#include <algorithm>
#include <new>
#include <sstream>

namespace stele {

namespace {

std::string function_of(const detail::UpcastStep& step, const TypeVersion& kind) {
    std::ostringstream out;
    out << step.place << " upcaster of " << kind;
    return out.str();
}

}  // namespace

struct Upcasters::Worker::State {
    /// An event on its way: what it is by now, and its data as a value or as text; as it is stored where neither is
    /// there yet.
    struct Item {
        TypeVersion kind;
        std::optional<nlohmann::json> value{};
        std::optional<JsonText> text{};
        const detail::UpcastStep* made_by = nullptr;
    };

    explicit State(std::shared_ptr<Compiled> given) : compiled(std::move(given)) {}
    ~State() {
        if (bench) compiled->give_back(std::move(bench));
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void follow(const Event& stored, Item item);
    bool run(const Event& stored, const detail::UpcastStep& step, Item& item);
    bool run_function(const Event& stored, const detail::UpcastStep& step, Item& item);
    bool run_sql(const Event& stored, const detail::UpcastStep& step, Item& item);
    void finish(const Event& stored, Item item);
    void write_down(const Event& stored, Item& item);
    Event& event_at(const Event& stored, const Item& item);
    const StreamId& stream_today(const StreamId& stored);
    [[nodiscard]] UpcastError error(const Event& stored, const std::string& place, const TypeVersion& kind,
                                    const std::string& reason);

    std::shared_ptr<Compiled> compiled;
    std::unique_ptr<detail::UpcastBench> bench;  ///< borrowed at the first SQL upcaster
    std::vector<Item> made;                      ///< of the event at hand; their data is text
    std::optional<Event> envelope;               ///< keeps its memory
    std::optional<std::pair<StreamId, StreamId>> last_renamed;
};

Upcasters::Worker::Worker(const Upcasters& upcasters) : state_(std::make_unique<State>(upcasters.compiled_)) {}
Upcasters::Worker::~Worker() = default;

/// To the end of its chain, or of the chains of what it is split into.
void Upcasters::Worker::State::follow(const Event& stored, Item item) {
    for (;;) {
        const auto* plan = compiled->plan_of(item.kind.type);
        if (plan != nullptr && plan->is_renamed) {
            item.kind.type = plan->today;
            plan = compiled->plan_of(plan->today);
        }
        const auto* step = plan == nullptr ? nullptr : compiled->step_of(*plan, item.kind.version);
        if (step == nullptr) return finish(stored, std::move(item));
        if (!run(stored, *step, item)) return;
    }
}

/// True where `item` became one other, which goes on; false where nothing is left of it, or those that it was split
/// into have gone their way. What a function or an expression does wrong is the event's error; a lack of memory is
/// not.
bool Upcasters::Worker::State::run(const Event& stored, const detail::UpcastStep& step, Item& item) {
    const auto kind = item.kind;
    const auto place = [&] { return step.is_sql() ? bench->place() : function_of(step, kind); };
    try {
        return step.is_sql() ? run_sql(stored, step, item) : run_function(stored, step, item);
    } catch (const UpcastError&) {
        throw;  // of an event that this one was split into
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const sql::SqlError& failed) {
        if (failed.is_of_the_machine()) throw;
        throw error(stored, failed.place().empty() ? step.place : failed.place(), kind, failed.reason());
    } catch (const std::exception& failed) {
        throw error(stored, place(), kind, failed.what());
    } catch (...) {
        throw error(stored, place(), kind, "it threw something that is no std::exception");
    }
}

bool Upcasters::Worker::State::run_function(const Event& stored, const detail::UpcastStep& step, Item& item) {
    const auto& event = step.looks_at_event ? event_at(stored, item) : stored;
    auto data = item.value ? std::move(*item.value) : (item.text ? *item.text : stored.data).value();
    if (step.one) {
        item.value = step.one(std::move(data), event);
        item.text.reset();
        item.kind = step.into.front();
        item.made_by = &step;
        return item.value.has_value();
    }
    auto results = step.several(std::move(data), event);
    for (const auto& result : results) {
        if (std::find(step.into.begin(), step.into.end(), result.kind) != step.into.end()) continue;
        std::ostringstream found;
        found << result.kind;
        throw InvalidInput{"the new event", "one of those that the upcaster was declared with", found.str()};
    }
    for (auto& result : results) {
        follow(stored, {.kind = std::move(result.kind), .value = std::move(result.data), .made_by = &step});
    }
    return false;
}

bool Upcasters::Worker::State::run_sql(const Event& stored, const detail::UpcastStep& step, Item& item) {
    if (step.expressions.empty()) return false;  // drop
    if (!bench) bench = compiled->borrow();
    write_down(stored, item);
    std::vector<detail::UpcastBench::Value> values;
    {
        auto& event = event_at(stored, item);
        event.data = item.text ? *item.text : stored.data;
        bench->run(step, event, values);
    }
    if (step.expressions.size() == 1) {
        if (values.empty()) return false;
        item.kind = step.into.front();
        item.text = std::move(values.front().data);
        item.made_by = &step;
        return true;
    }
    for (auto& value : values) {
        follow(stored, {.kind = step.into[value.expression], .text = std::move(value.data), .made_by = &step});
    }
    return false;
}

void Upcasters::Worker::State::finish(const Event& stored, Item item) {
    write_down(stored, item);
    made.push_back(std::move(item));
}

/// What JSON cannot say is the fault of the function that gave it.
void Upcasters::Worker::State::write_down(const Event& stored, Item& item) {
    if (!item.value) return;
    try {
        item.text = JsonText::keep(std::move(*item.value), "the new data");
    } catch (const InvalidInput& wrong) {
        throw error(stored, item.made_by->place + " upcaster that gave it", item.kind, wrong.what());
    }
    item.value.reset();
}

/// The event as a step begins with it, its data as it is stored.
Event& Upcasters::Worker::State::event_at(const Event& stored, const Item& item) {
    if (envelope) {
        *envelope = stored;
    } else {
        envelope = stored;
    }
    envelope->stream = stream_today(stored.stream);
    envelope->type = item.kind.type;
    envelope->schema_version = item.kind.version;
    return *envelope;
}

const StreamId& Upcasters::Worker::State::stream_today(const StreamId& stored) {
    if (compiled->aggregates.empty()) return stored;
    if (last_renamed && last_renamed->first == stored) return last_renamed->second;
    const auto today = compiled->aggregates.find(std::string{stored.aggregate_type()});
    if (today == compiled->aggregates.end()) return stored;
    last_renamed.emplace(stored, StreamId{stored.tenant(), today->second, stored.aggregate_id()});
    return last_renamed->second;
}

UpcastError Upcasters::Worker::State::error(const Event& stored, const std::string& place, const TypeVersion& kind,
                                            const std::string& reason) {
    auto event = stored;
    event.stream = stream_today(stored.stream);
    return UpcastError{place, event, kind, reason};
}

void Upcasters::Worker::upcast(Event& stored, std::vector<Event>& page, std::size_t& filled) {
    auto& state = *state_;
    state.made.clear();
    const bool changes = state.compiled->plan_of(stored.type) != nullptr;
    if (changes) state.follow(stored, {.kind = {stored.type, stored.schema_version}});
    const auto pieces = changes ? state.made.size() : 1;
    if (page.size() < filled + pieces) {
        page.resize(filled + pieces, Event{.position = {}, .version = {}, .stream = stored.stream});
    }

    // From here on nothing fails. The last piece takes what the stored event holds, the others copy it.
    const auto stream = state.stream_today(stored.stream);
    const auto id = stored.id;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        auto& event = page[filled + piece];
        if (piece + 1 == pieces) {
            std::swap(event, stored);
        } else {
            event = stored;
        }
        event.stream = stream;
        event.piece = static_cast<int>(piece);
        event.pieces = static_cast<int>(pieces);
        if (!changes) continue;
        auto& made = state.made[piece];
        event.type = std::move(made.kind.type);
        event.schema_version = made.kind.version;
        if (made.text) event.data = std::move(*made.text);
        if (!id.is_nil()) event.id = id.of_piece(event.piece);
    }
    filled += pieces;
}

}  // namespace stele
