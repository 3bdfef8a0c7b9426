#include <stele/replay/command_handler.hpp>
#include <stele/replay/decision.hpp>

#include <stele/schema/causation.hpp>
#include <stele/schema/event_types.hpp>

#include <boost/uuid/name_generator.hpp>

#include <array>
#include <functional>
#include <unordered_map>

namespace stele {

TooManyConflicts::TooManyConflicts(const std::string& store, Details last, int attempts)
    : Conflict(store, std::move(last),
               "; decided " + std::to_string(attempts) +
                   (attempts == 1 ? " time" : " times, and other writers were quicker each time"),
               {{"attempts", attempts}}),
      attempts_(attempts) {}

namespace detail {

// ---- Turns

struct StreamTurns::Line {
    std::mutex turn;
    std::size_t users = 0;  // in the turn, waiting for it, or gone on without it; guarded by State::mutex
};

struct StreamTurns::State {
    std::mutex mutex;
    std::unordered_map<StreamId, Line> lines;

    Line& enter(const StreamId& stream) {
        const std::lock_guard lock{mutex};
        auto& line = lines[stream];
        ++line.users;
        return line;
    }
    void leave(const StreamId& stream, Line& line) {
        const std::lock_guard lock{mutex};
        if (--line.users == 0) lines.erase(stream);
    }
};

namespace {

// What this thread is within. Only who is within nothing waits for a turn: no circle of waiting threads can close.
struct Within {
    const StreamTurns* turns;
    const StreamId* stream;
};
thread_local std::vector<Within> this_thread_is_within;

constexpr Within turn_of_losers{nullptr, nullptr};

// Whether the thread is in it now.
template <class Mutex>
bool take(Mutex& turn) {
    if (!this_thread_is_within.empty()) return turn.try_lock();
    turn.lock();
    return true;
}

}  // namespace

StreamTurns::StreamTurns() : state_(std::make_unique<State>()) {}
StreamTurns::~StreamTurns() = default;

StreamTurn::StreamTurn(StreamTurns& turns, const StreamId& stream) : turns_(turns), stream_(stream) {
    auto& all = this_thread_is_within;
    for (const auto& within : all) {
        if (within.turns != &turns || *within.stream != stream) continue;
        throw Error{"nested_command", stream.name() +
                                          ": a decision handles a command of its own stream; decide returns events "
                                          "and has no effect of its own"};
    }
    all.reserve(all.size() + 1);  // nothing fails half way
    line_ = &turns.state_->enter(stream);
    is_ours_ = take(line_->turn);
    all.push_back({&turns, &stream});
}

StreamTurn::~StreamTurn() {
    this_thread_is_within.pop_back();
    if (is_ours_) line_->turn.unlock();
    turns_.state_->leave(stream_, *line_);
}

std::shared_ptr<void> take_turn_of_losers(const EventStore& store) {
    static std::array<std::recursive_mutex, 16> turns;  // a store has one of them
    auto& turn = turns[std::hash<std::string>{}(store.name()) % turns.size()];
    if (!take(turn)) return nullptr;
    this_thread_is_within.push_back(turn_of_losers);
    return {static_cast<void*>(&turn), [&turn](void*) {
                this_thread_is_within.pop_back();
                turn.unlock();
            }};
}

// ---- Appending

AppendResult append_known(EventStore& store, const Append& append) {
    try {
        return store.try_append(append);
    } catch (const StoreError&) {
        return store.try_append(append);
    }
}

Conflict::Details details_of(const AppendResult& result) {
    return std::visit(
        [](const auto& outcome) -> Conflict::Details {
            if constexpr (std::is_constructible_v<Conflict::Details, decltype(outcome)>) {
                return outcome;
            } else {
                throw std::logic_error{"an append that went well has no conflict"};
            }
        },
        result);
}

namespace {

// The first event of a command has the command's id, so that ids which rise with time keep doing so.
EventId id_of_event(const EventId& command, std::size_t index) {
    if (index == 0) return command;
    const auto name = std::to_string(index);
    return EventId{boost::uuids::name_generator_sha1{command.uuid()}(name)};
}

bool names_an_actor(const NewEvent& event) {
    return event.metadata.text() != "{}" && event.metadata.value().contains("actor");
}

}  // namespace

// What the store would add to metadata is added here, so that a cached state sees what is stored.
void mark(std::vector<NewEvent>& events, const CommandOptions& command) {
    auto* const cause = CausationScope::current();
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!command.by.empty() && !names_an_actor(events[i])) events[i].by(command.by);
        if (cause != nullptr) cause->complete(events[i]);
        if (!command.id.is_nil()) events[i].id = id_of_event(command.id, i);
    }
}

namespace {

Event as_read(NewEvent&& event, const StreamId& stream, const Appended& appended, std::size_t index,
              std::size_t count) {
    const auto at = static_cast<std::int64_t>(index);
    const auto before_last = static_cast<std::int64_t>(count) - 1 - at;
    Event read{.position = Position{appended.first_position.value() + at},
               .version = Version{appended.version.value() - before_last},
               .stream = stream};
    read.type = std::move(event.type);
    read.schema_version = event.schema_version;
    read.id = event.id;
    read.recorded_at = appended.recorded_at;
    read.occurred_at = event.occurred_at.value_or(appended.recorded_at);
    read.data = std::move(event.data);
    read.metadata = std::move(event.metadata);
    read.tags = std::move(event.tags);
    return read;
}

}  // namespace

ReadAlike::ReadAlike(const EventStore& store) {
    if (store.event_types() == nullptr) return;
    upcasters_ = std::make_unique<const Upcasters>(store.event_types()->upcasters());
    if (upcasters_->empty()) upcasters_.reset();
}
ReadAlike::~ReadAlike() = default;

void ReadAlike::each(std::vector<NewEvent>&& events, const StreamId& stream, const Appended& appended,
                     const std::function<void(const Event&)>& visit) const {
    std::vector<Event> page;
    std::size_t filled = 0;
    std::optional<Upcasters::Worker> worker;
    if (upcasters_) worker.emplace(*upcasters_);
    for (std::size_t i = 0; i < events.size(); ++i) {
        auto event = as_read(std::move(events[i]), stream, appended, i, events.size());
        if (!worker) {
            visit(event);
            continue;
        }
        filled = 0;
        worker->upcast(event, page, filled);
        for (std::size_t piece = 0; piece < filled; ++piece) visit(page[piece]);
    }
}

std::string ReadAlike::fingerprint(const std::vector<std::string>& types) const {
    return upcasters_ ? upcasters_->fingerprint(types) : std::string{};
}

// ---- Repetition

namespace {

// As it is stored: what upcasters drop was appended all the same.
std::optional<Event> stored_at(const EventStore& store, Position position) {
    auto one = all()
                   .after(Position{position.value() - 1})
                   .until(position)
                   .raw()
                   .only({.id = true, .data = false, .metadata = false, .tags = false});
    for (const Event& event : store.read(one)) return event;
    return std::nullopt;
}

// What came of the command whose first event this is. The events of one append stand in a row (L4).
Appended answer_of(const EventStore& store, const StreamId& stream, const EventId& id, const Event& first) {
    if (store.today(first.stream) != store.today(stream))
        throw InvalidInput{"id of the command", "one that no other event has",
                           id.to_string() + ", of position " + std::to_string(first.position.value()) + " in " +
                               first.stream.name()};
    auto last = first;
    for (std::size_t i = 1;; ++i) {
        auto next = stored_at(store, last.position.next());
        if (!next || next->id != id_of_event(id, i)) break;
        last = std::move(*next);
    }
    return {.first_position = first.position,
            .last_position = last.position,
            .version = last.version,
            .versions = {last.version},
            .recorded_at = last.recorded_at,
            .duplicate = true};
}

}  // namespace

// Asked raw: upcasters may have made something else of the command's first event since, or nothing.
std::optional<Appended> handled_before(const EventStore& store, const StreamId& stream, const EventId& id) {
    if (id.is_nil()) return std::nullopt;
    const auto first = store.find_stored(id);
    if (!first) return std::nullopt;
    return answer_of(store, stream, id, *first);
}

AppendResult append_command(EventStore& store, const StreamId& stream, const Append& append, const EventId& id) {
    // Who was quicker with the same command may have decided something else, or more.
    try {
        auto result = append_known(store, append);
        const auto* appended = std::get_if<Appended>(&result);
        if (appended == nullptr || !appended->duplicate) return result;
        if (auto first = handled_before(store, stream, id)) return *std::move(first);
        return result;
    } catch (const IdConflict&) {
        if (auto first = handled_before(store, stream, id)) return *std::move(first);
        throw;
    }
}

void require_attempts(int attempts) {
    if (attempts < 1) throw InvalidInput{"attempts", "1 or more", std::to_string(attempts)};
}

}  // namespace detail
}  // namespace stele
