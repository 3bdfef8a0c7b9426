// CommandHandler: commands in, events out. It loads an aggregate, lets its decider decide, appends what was decided
// under the version that was read, and does it again when another writer came between.
//
//   CommandHandler<Site> sites{store};
//   const Handled done = sites.handle(StreamId{"Site", "site-42"}, CreateSite{"example.org"}, {.by = "user-7"});
//
// What it promises:
//   - The events that are appended were decided on the state that they follow. A decision on a state that turns out
//     to be out of date is taken again, and so is one that refused or decided nothing on a state from the cache
//     before it counts.
//   - Commands for one stream, given to one handler, go one after another, so that threads do not make each other
//     decide again. Commands for different streams go side by side. A command that is handled within a decision
//     waits for nobody: two of them, crosswise, would wait for each other for good. Where another thread is in its
//     stream's turn, both may be decided again.
//   - An append whose outcome is unknown (the disk failed during the commit) is repeated with the same event ids,
//     which tells whether it was written (L6).
//   - With CommandOptions::id, the same command handled again, in any process or at the same time, changes nothing
//     and gives the first answer, whatever it would decide now. The log is all that knows of it: a command that
//     refused or decided nothing leaves no trace, and is decided again. What upcasters make of the command's events
//     today, if anything, is the same to it.
//   - A cached state is what reading would give: behind an append of its own it evolves by the very same events,
//     with the positions and versions that they were given.
#pragma once

#include <stele/replay/decider.hpp>
#include <stele/replay/snapshots.hpp>
#include <stele/replay/state_cache.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stele {

class Upcasters;

struct HandlerOptions {
    int attempts = 10;    ///< how often a command is decided at most, at least 1
    CacheLimits cache{};  ///< of states. A decider with `static std::size_t bytes_of(const State&)` says how large
                          ///< one is; otherwise it counts as sizeof(State)
};

/// What may be said of one command.
struct CommandOptions {
    std::string by{};        ///< metadata.actor of the events that name none themselves
    EventId id = EventId{};  ///< of the command, nil: none. Its first event gets this id
};

/// What came of a command.
struct Handled {
    std::optional<Appended> appended{};  ///< empty: nothing was decided, so nothing was appended
    int attempts = 1;                    ///< how often it was decided

    /// The same command had been handled before; `appended` is what came of it then.
    [[nodiscard]] bool duplicate() const noexcept { return appended && appended->duplicate; }
};

/// Other writers were quicker, as often as HandlerOptions::attempts (or DecideOptions::attempts) allows. Nothing
/// was written.
class TooManyConflicts : public Conflict {
public:
    TooManyConflicts(const std::string& store, Details last, int attempts);
    [[nodiscard]] int attempts() const noexcept { return attempts_; }

private:
    int attempts_;
};

namespace detail {

/// Lets those who want the same stream go one after another.
class StreamTurns {
public:
    StreamTurns();
    ~StreamTurns();
    StreamTurns(const StreamTurns&) = delete;
    StreamTurns& operator=(const StreamTurns&) = delete;

private:
    friend class StreamTurn;
    struct Line;
    struct State;
    std::unique_ptr<State> state_;
};

/// A stream's turn, of the thread that makes it, until it goes.
class StreamTurn {
public:
    /// Waits until nobody else has it. A thread that is within a turn already, of whichever stream, handler and
    /// store, does not wait, so that no two threads wait for each other: it goes without what another one has.
    /// Throws Error (code "nested_command") where this thread is in the turn of this very stream.
    StreamTurn(StreamTurns& turns, const StreamId& stream);
    ~StreamTurn();
    StreamTurn(const StreamTurn&) = delete;
    StreamTurn& operator=(const StreamTurn&) = delete;

    /// Otherwise another thread may be handling a command of the stream, and changing what is cached of it.
    [[nodiscard]] bool is_ours() const noexcept { return is_ours_; }

private:
    StreamTurns& turns_;
    const StreamId& stream_;
    StreamTurns::Line* line_ = nullptr;
    bool is_ours_ = false;
};

/// try_append(), again with the same ids where the first one's outcome is unknown.
[[nodiscard]] AppendResult append_known(EventStore& store, const Append& append);

/// Gives `events` what the command says: its id, and who.
void mark(std::vector<NewEvent>& events, const CommandOptions& command);

/// What a read gives of events that were just appended, without reading them.
class ReadAlike {
public:
    explicit ReadAlike(const EventStore& store);
    ~ReadAlike();
    ReadAlike(const ReadAlike&) = delete;
    ReadAlike& operator=(const ReadAlike&) = delete;

    /// Calls `visit` with the events that come of `events`, which were appended together to one stream; upcast,
    /// where the store has upcasters. Throws UpcastError, and what `visit` throws.
    void each(std::vector<NewEvent>&& events, const StreamId& stream, const Appended& appended,
              const std::function<void(const Event&)>& visit) const;

    /// Differs where upcasters differ in what a read of `types` gives; all types where none are named.
    [[nodiscard]] std::string fingerprint(const std::vector<std::string>& types) const;

private:
    std::unique_ptr<const Upcasters> upcasters_;  // null: there are none
};

/// What came of the command with this id, where it was handled before; empty for the nil id. Throws InvalidInput
/// where the id is that of an event of another stream.
[[nodiscard]] std::optional<Appended> handled_before(const EventStore& store, const StreamId& stream,
                                                     const EventId& id);

/// append_known() of what the command with this id decided. Where it was handled before, what came of it then.
[[nodiscard]] AppendResult append_command(EventStore& store, const StreamId& stream, const Append& append,
                                          const EventId& id);

[[nodiscard]] Conflict::Details details_of(const AppendResult& result);

void require_attempts(int attempts);

template <class State>
concept KeptAsJson = std::default_initializable<State> && requires(const State& state, const nlohmann::json& json) {
    nlohmann::json(state);
    json.template get<State>();
};

}  // namespace detail

/// Handles commands for all aggregates of one kind.
///
/// Threads  any. Lifetime: the store, and the Snapshots, must outlive it. `decide` must not handle a command of its
///          own stream, nor wait for a thread that does. Commands of other streams that it handles need an id of
///          their own: they are handled again whenever it decides again.
template <class D>
class CommandHandler {
    static_assert(detail::CheckedDecider<D>::is_sound);

public:
    using State = typename D::State;

    explicit CommandHandler(EventStore& store, HandlerOptions options = {}, D decider = {})
        : store_(store),
          options_(options),
          decider_(std::move(decider)),
          own_events_(store),
          cache_(options.cache) {
        detail::require_attempts(options.attempts);
    }

    /// Reads and keeps snapshots there from now on. To be called before the first command.
    void keep_snapshots_in(Snapshots& snapshots) {
        constexpr bool has_version = requires(const D& d) {
            { d.version } -> std::convertible_to<int>;
        };
        static_assert(has_version,
                      "a decider with snapshots needs the version of its State, to be raised whenever State or "
                      "evolve changes: static constexpr int version = 1;");
        static_assert(detail::KeptAsJson<State>,
                      "the State of a decider with snapshots needs a default constructor and conversions to and "
                      "from nlohmann::json, such as NLOHMANN_DEFINE_TYPE_INTRUSIVE(State, domain)");
        if constexpr (has_version) {
            const auto name = "decider " + detail::name_of(decider_);
            std::vector<std::string> types;
            if constexpr (!detail::EvolvesAnyEvent<D>) types = detail::EventList<typename D::events>::types();
            definition_ = {name, name + " version " + std::to_string(decider_.version) + " of " +
                                     own_events_.fingerprint(types)};
        }
        snapshots_ = &snapshots;
    }

    /// Decides on `command` and appends what was decided. A command is whatever `decide` has an overload for; a
    /// function that takes the state and returns events does as well.
    ///
    /// Throws what `decide` throws; nothing was appended then.
    ///        TooManyConflicts, after HandlerOptions::attempts.
    ///        InvalidInput     the stream is of another aggregate type; and what append() throws.
    ///        ReplayError      an event of the stream cannot be taken in.
    ///        StoreError       the disk or the file failed, twice: append with CommandOptions::id to be sure.
    ///        Error            code "nested_command": a decision on this very stream handles it.
    /// Cost   on a cached state, one append and some microseconds. Otherwise the stream, from its newest snapshot.
    template <class Command>
    Handled handle(const StreamId& stream, const Command& command, const CommandOptions& options = {}) {
        detail::require_own_stream(decider_, stream);
        const detail::StreamTurn turn{turns_, stream};
        auto known = turn.is_ours() ? recall(stream) : Known{read(stream), true};
        for (int attempt = 1;;) {
            if (auto before = detail::handled_before(store_, stream, options.id)) return {before, attempt};
            auto decided = decide_on(stream, known, command);
            if (!decided) continue;
            auto& events = *decided;
            if (events.empty()) {
                keep(stream, known.entry);
                return {{}, attempt};
            }
            detail::mark(events, options);
            const auto version = known->version;
            const auto expected = version.value() == 0 ? expect::none : expect::exactly(version);
            const auto result =
                detail::append_command(store_, stream, Append{}.to(stream, expected, events), options.id);
            if (const auto* appended = std::get_if<Appended>(&result)) {
                follow(stream, known.entry, std::move(events), *appended);
                return {*appended, attempt};
            }
            if (attempt >= options_.attempts) {
                cache_.forget(stream);  // it is behind, and the next command shall not try it too
                throw TooManyConflicts{store_.name(), detail::details_of(result), attempt};
            }
            catch_up(stream, known);
            ++attempt;
        }
    }

    /// The aggregate as it is now; from the cache, as far as that goes.
    [[nodiscard]] Loaded<State> load(const StreamId& stream) {
        detail::require_own_stream(decider_, stream);
        auto entry = copy_of_cached(stream);
        if (!entry) {
            entry = read(stream);
        } else {
            detail::catch_up(store_, stream, decider_, *entry);
        }
        Loaded<State> loaded = *entry;
        keep(stream, entry);
        return loaded;
    }

    [[nodiscard]] CacheCounts cache() const { return cache_.counts(); }
    /// Forgets all states, such as to measure without them.
    void clear_cache() { cache_.clear(); }

private:
    // What the cache holds. It is changed, in place, only by the thread whose turn it is in its stream, and behind
    // its mutex, so that load() may copy it meanwhile.
    struct Entry : Loaded<State> {
        Entry(Loaded<State> loaded, Version kept) : Loaded<State>(std::move(loaded)), snapshot(kept) {}
        Version snapshot;  // the newest that is kept
        bool is_whole = true;
        std::mutex mutex{};
    };
    struct Known {
        std::shared_ptr<Entry> entry;
        bool is_fresh;  // it was read within this call

        const Entry* operator->() const { return entry.get(); }
    };

    Known recall(const StreamId& stream) {
        if (auto cached = std::static_pointer_cast<Entry>(cache_.find(stream)); cached && cached->is_whole)
            return {std::move(cached), false};
        return {read(stream), true};
    }

    std::shared_ptr<Entry> copy_of_cached(const StreamId& stream) {
        const auto cached = std::static_pointer_cast<Entry>(cache_.find(stream));
        if (!cached) return nullptr;
        const std::lock_guard lock{cached->mutex};
        if (!cached->is_whole) return nullptr;
        return std::make_shared<Entry>(*cached, cached->snapshot);
    }

    std::shared_ptr<Entry> read(const StreamId& stream) {
        auto entry = std::make_shared<Entry>(Loaded<State>{detail::initial_state(decider_), {}, {}}, Version{});
        begin_at_snapshot(stream, *entry);
        detail::catch_up(store_, stream, decider_, *entry);
        return entry;
    }

    // Those who refuse, or decide nothing, on a state that is behind must not have the last word: then this gives
    // nothing, and the state is not behind any more. What came meanwhile may be this very command's.
    template <class Command>
    std::optional<std::vector<NewEvent>> decide_on(const StreamId& stream, Known& known, const Command& command) {
        if (known.is_fresh) return detail::decisions_of(decider_, known->state, command);
        try {
            auto events = detail::decisions_of(decider_, known->state, command);
            if (!events.empty() || !catch_up(stream, known)) return events;
        } catch (...) {
            if (!catch_up(stream, known)) throw;
        }
        return std::nullopt;
    }

    // Whether there was anything new.
    bool catch_up(const StreamId& stream, Known& known) {
        known.is_fresh = true;
        const auto last = store_.version(stream);
        if (!last || *last <= known->version) return false;
        std::size_t taken = 0;
        change(*known.entry, [&](Entry& entry) { taken = detail::catch_up(store_, stream, decider_, entry); });
        return taken > 0;
    }

    // An evolution that throws leaves half a state behind, which nobody uses any more.
    template <class Change>
    static void change(Entry& entry, const Change& make) {
        const std::lock_guard lock{entry.mutex};
        entry.is_whole = false;
        make(entry);
        entry.is_whole = true;
    }

    // The events stand in the log; whatever happens here, the command is done.
    void follow(const StreamId& stream, const std::shared_ptr<Entry>& known, std::vector<NewEvent> events,
                const Appended& appended) {
        if (options_.cache.entries == 0 && snapshots_ == nullptr) return;
        if (appended.duplicate) return cache_.forget(stream);
        try {
            change(*known, [&](Entry& entry) {
                own_events_.each(std::move(events), stream, appended,
                                 [&](const Event& event) { detail::take_in(decider_, entry.state, event); });
                entry.version = appended.version;
                entry.position = appended.last_position;
            });
            keep(stream, known);
        } catch (const std::exception&) {
            cache_.forget(stream);
        }
    }

    void keep(const StreamId& stream, const std::shared_ptr<Entry>& entry) {
        if (entry->version.value() == 0) return;  // there is nothing that a read would have to do
        keep_snapshot(stream, *entry);
        cache_.keep(stream, entry->version, entry, size_of(entry->state));
    }

    static std::size_t size_of(const State& state) {
        if constexpr (requires { D::bytes_of(state); }) {
            return D::bytes_of(state);
        } else {
            return sizeof(State);
        }
    }

    void begin_at_snapshot(const StreamId& stream, Entry& entry) {
        if constexpr (detail::KeptAsJson<State>) {
            if (snapshots_ == nullptr) return;
            const auto snapshot = snapshots_->find(definition_, stream);
            if (!snapshot) return;
            try {
                entry.state = snapshot->state.value().template get<State>();
                entry.version = entry.snapshot = snapshot->version;
                entry.position = snapshot->position;
            } catch (const std::exception&) {  // written by a State whose version was not raised
                entry.state = detail::initial_state(decider_);
                snapshots_->remove(definition_, stream, snapshot->version);
            }
        }
    }

    void keep_snapshot(const StreamId& stream, Entry& entry) {
        if constexpr (detail::KeptAsJson<State>) {
            if (snapshots_ == nullptr) return;
            if (entry.version.value() - entry.snapshot.value() < snapshots_->options().every) return;
            try {
                auto state = JsonText::write(nlohmann::json(entry.state), "state");
                snapshots_->keep(definition_, stream, {entry.version, entry.position, std::move(state)});
            } catch (const InvalidInput&) {  // a state that JSON cannot say is not kept
            }
            const std::lock_guard lock{entry.mutex};
            entry.snapshot = entry.version;
        }
    }

    EventStore& store_;
    const HandlerOptions options_;
    const D decider_;
    const detail::ReadAlike own_events_;
    StateCache cache_;
    detail::StreamTurns turns_;
    Snapshots* snapshots_ = nullptr;
    FoldDefinition definition_;
};

/// One command, without a cache: for programs that handle few.
template <class D, class Command>
Handled handle(EventStore& store, const StreamId& stream, const Command& command,
               const CommandOptions& options = {}, D decider = {}) {
    return CommandHandler<D>{store, {.cache = {.entries = 0}}, std::move(decider)}.handle(stream, command, options);
}

}  // namespace stele
