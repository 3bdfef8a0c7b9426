#include <stele/store/event_store.hpp>

#include "append_clock.hpp"
#include "append_queue.hpp"
#include "backend.hpp"
#include "caused.hpp"
#include "sqlite/sqlite_backend.hpp"
#include "stored_append.hpp"
#include "upcasting_backend.hpp"

#include <stele/schema/event_types.hpp>

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

namespace stele {

namespace fs = std::filesystem;

namespace {

/// A folder of its own under the system's temporary folder.
fs::path make_temporary_folder() {
    auto name = (fs::absolute(fs::temp_directory_path()) / "stele-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw StoreError{"access",
                         fs::temp_directory_path().string() +
                             ": cannot make a temporary folder; check who may write there, or set TMPDIR",
                         {}};
    }
    return name;
}

/// Removes a temporary store when it is closed, after everything in it was closed.
struct FolderRemover {
    fs::path folder;
    ~FolderRemover() {
        std::error_code ignored;
        if (!folder.empty()) fs::remove_all(folder, ignored);
    }
};

/// "As long as it takes" stays a time that clocks and SQLite, which counts milliseconds in an int, can add to.
Options within_reason(Options options) {
    options.deadline = std::clamp<std::chrono::milliseconds>(options.deadline, std::chrono::milliseconds{0},
                                                             std::chrono::hours{24 * 20});
    options.checkpoint_pages = std::max(options.checkpoint_pages, 1);
    options.queue_limit = std::max<std::size_t>(options.queue_limit, 1);
    return options;
}

/// An id stands once in an append. Ids made by generate() rise, so mostly a comparison a piece settles it.
void check_ids_differ(const std::string& store, std::span<const PartView> parts) {
    const EventId* previous = nullptr;
    bool rising = true;
    for (const auto& part : parts) {
        for (const auto& event : part.events) {
            rising = rising && (previous == nullptr || *previous < event.id);
            previous = &event.id;
        }
    }
    if (rising) return;
    std::unordered_set<EventId> seen;
    for (const auto& part : parts) {
        for (const auto& event : part.events) {
            if (!seen.insert(event.id).second) {
                throw IdConflict{store, event.id, {}, "expected each id once in an append, found it twice"};
            }
        }
    }
}

}  // namespace

struct EventStore::State {
    State(const std::string& path, const Options& given, fs::path temporary)
        : name(path),
          options(within_reason(given)),
          remover{std::move(temporary)},
          log(open_backend(path, options)),
          upcasting(over(log, options, name)),
          backend(upcasting ? upcasting : log),
          folder(fs::absolute(path)),
          queue(*backend, name, options.queue_limit, options.deadline, upcasting == nullptr) {
        if (options.event_types && !options.event_types->schemas().empty()) bring_schemas(*options.event_types);
    }

    static std::shared_ptr<Backend> open_backend(const std::string& path, const Options& options) {
        if (path.empty()) throw InvalidInput("store", "the path of a folder", "an empty string");
        if (path.rfind("postgresql:", 0) == 0 || path.rfind("postgres:", 0) == 0) {
            throw StoreError{
                "unsupported",
                path.substr(0, path.find(':')) + ": this build has no PostgreSQL backend; name a folder",
                {{"backend", "postgresql"}}};
        }
        return std::make_shared<sqlite::SqliteBackend>(path, options);
    }

    /// Null where there is nothing to upcast and no name to translate.
    static std::shared_ptr<UpcastingBackend> over(const std::shared_ptr<Backend>& log, const Options& options,
                                                  const std::string& store) {
        if (!options.event_types) return nullptr;
        auto upcasters = options.event_types->upcasters();
        if (upcasters.empty()) return nullptr;
        return std::make_shared<UpcastingBackend>(log, std::move(upcasters), store);
    }

    /// Everything about an append that can be known without the log, before it takes anybody's time in the queue.
    void check(std::span<const PartView> parts, const Tracking* tracking) const {
        if (parts.empty() && tracking == nullptr) {
            throw InvalidInput("append", "events, or a tracking position", "neither");
        }
        for (const auto& part : parts) {
            if (part.events.empty()) {
                throw InvalidInput("events", "at least one event for " + part.stream->name(), "none");
            }
            options.limits.check(*part.stream);
            for (const auto& event : part.events) options.limits.check(event);
        }
        check_ids_differ(name, parts);
    }

    /// Compares what `types` and the store say, and records what the store does not know, where the options say so.
    void bring_schemas(const EventTypes& types) {
        const auto missing = unknown_schemas(name, log->stored_schemas(), types);
        if (options.record_schemas && !missing.empty()) log->record_schemas(missing);
    }

    /// What the schemas have against the events; the thread that commits has no time for it. Whether it counts is
    /// known when the append is committed: a repetition is answered whatever it holds (L6).
    std::exception_ptr violation(const SchemaGuard::Registry& schemas, std::span<const PartView> parts) const {
        if (!schemas.checks()) return {};
        for (const auto& part : parts) {
            for (const auto& event : part.events) {
                if (auto found = schemas.violation(name, *part.stream, event)) {
                    return std::make_exception_ptr(std::move(*found));
                }
            }
        }
        return {};
    }

    AppendResult run(PendingAppend pending, CheckedBy by = {}) {
        check(pending.parts, pending.tracking);
        const auto schemas = log->schema_guard().current();
        pending.checked_by = schemas->token();
        if (by.schemas != schemas->token()) pending.violation = violation(*schemas, pending.parts);
        if (!upcasting) return clock.time([&] { return queue.run(pending); });
        const StoredParts stored{*upcasting, pending};
        auto translated = stored.append();
        auto result = clock.time([&] { return queue.run(translated); });
        give_names_of_today(*upcasting, pending.conditions, result);
        return result;
    }

    std::string name;
    Options options;
    FolderRemover remover;
    std::shared_ptr<Backend> log;
    std::shared_ptr<UpcastingBackend> upcasting;
    std::shared_ptr<Backend> backend;  ///< one of them: what everybody reads from
    fs::path folder;                   ///< wherever the process goes
    AppendQueue queue;
    AppendClock clock;
};

EventStore::EventStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventStore::EventStore(EventStore&&) noexcept = default;
EventStore& EventStore::operator=(EventStore&&) noexcept = default;
EventStore::~EventStore() = default;

EventStore EventStore::open(const std::string& path, const Options& options) {
    return EventStore{std::make_unique<State>(path, options, fs::path{})};
}

EventStore EventStore::temporary(const Options& options) {
    const auto folder = make_temporary_folder();
    return EventStore{std::make_unique<State>(folder.string(), options, folder)};
}

// ---- Writing

AppendResult EventStore::try_append(const StreamId& stream, ExpectedVersion expected,
                                    std::span<const NewEvent> events) {
    Caused caused;
    const PartView part{&stream, expected, caused.events(events)};
    return state_->run({.parts = {&part, 1}, .conditions = {}, .outcome = {}});
}

AppendResult EventStore::try_append(const Append& append) {
    Caused caused;
    std::vector<PartView> parts;
    parts.reserve(append.parts().size());
    for (const auto& part : append.parts())
        parts.push_back({&part.stream, part.expected, caused.events(part.events)});
    const auto* tracking = append.tracking() ? &*append.tracking() : nullptr;
    return state_->run({.parts = parts, .conditions = append.conditions(), .tracking = tracking, .outcome = {}},
                       append.checked());
}

namespace {

Appended appended_or_throw(const std::string& store, AppendResult result) {
    return std::visit(
        [&](auto&& value) -> Appended {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Appended>) {
                return std::move(value);
            } else {
                throw Conflict{store, std::move(value)};
            }
        },
        std::move(result));
}

}  // namespace

Appended EventStore::append(const StreamId& stream, ExpectedVersion expected, std::span<const NewEvent> events) {
    return appended_or_throw(state_->name, try_append(stream, expected, events));
}

Appended EventStore::append(const Append& append) { return appended_or_throw(state_->name, try_append(append)); }

DurationHistogram EventStore::append_durations() const { return state_->clock.read(); }

std::future<AppendResult> EventStore::append_async(Append append) {
    try {
        if (CausationScope::current() != nullptr) append = caused(append);
        std::vector<PartView> parts;
        for (const auto& part : append.parts()) parts.push_back({&part.stream, part.expected, part.events});
        state_->check(parts, append.tracking() ? &*append.tracking() : nullptr);
        const auto schemas = state_->log->schema_guard().current();
        AppendQueue::AsyncExtras extras{.checked_by = schemas->token()};
        if (append.checked().schemas != schemas->token()) extras.violation = state_->violation(*schemas, parts);
        if (!state_->upcasting) return state_->queue.run_async(std::move(append), std::move(extras));
        auto stored = stored_append(*state_->upcasting, append);
        extras.finish = [upcasting = state_->upcasting, given = std::move(append)](AppendResult& result) {
            give_names_of_today(*upcasting, given.conditions(), result);
        };
        return state_->queue.run_async(std::move(stored), std::move(extras));
    } catch (const Error&) {
        std::promise<AppendResult> refused;
        refused.set_exception(std::current_exception());
        return refused.get_future();
    }
}

CommitHook EventStore::after_commit(std::function<void(const Committed&)> hook) {
    return state_->queue.add_hook(std::move(hook));
}

// ---- Reading

EventRange EventStore::read(const StreamId& id) const { return read(stele::stream(id)); }
EventRange EventStore::read(const Read& read) const { return EventRange{state_->backend->open(read)}; }
std::optional<Event> EventStore::find(const EventId& id) const { return state_->backend->find(id); }
std::optional<Event> EventStore::find_stored(const EventId& id) const { return state_->log->find(id); }
std::optional<Event> EventStore::at(Position position) const { return state_->backend->at(position); }
Position EventStore::head() const { return state_->backend->head(); }

Position EventStore::wait_beyond(Position position, std::chrono::milliseconds timeout,
                                 const std::stop_token& stop) const {
    constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365};  // what clocks can add
    auto& backend = *state_->backend;
    const auto deadline =
        std::chrono::steady_clock::now() + std::clamp(timeout, std::chrono::milliseconds{0}, longest);
    const std::stop_callback kick{stop, [&] { backend.kick(); }};
    for (;;) {
        // The ticket comes first: what is committed after the look changes it, so the wait returns at once.
        const auto ticket = backend.ticket();
        const auto now_head = backend.head();
        if (now_head > position || stop.stop_requested()) return now_head;
        if (std::chrono::steady_clock::now() >= deadline) return now_head;
        backend.wait(ticket, deadline, [&] { return stop.stop_requested(); });
    }
}

std::optional<Version> EventStore::version(const StreamId& stream) const {
    return state_->backend->version(stream);
}
Position EventStore::position_at(Timestamp time) const { return state_->backend->position_at(time); }
std::optional<Tracking> EventStore::tracked(const std::string& source) const {
    return state_->backend->tracked(source);
}

Subscription EventStore::subscribe(Query query, Position after) const {
    return Subscription{state_->backend, std::move(query), after};
}

void EventStore::streams(const std::function<bool(const StreamInfo&)>& visit) const {
    state_->backend->streams(visit);
}

std::vector<TypeInfo> EventStore::types() const { return state_->backend->types(); }
StoreInfo EventStore::info() const { return state_->backend->info(); }

Query EventStore::today(const Query& query) const {
    return state_->upcasting ? state_->upcasting->today(query) : query;
}

StreamId EventStore::today(const StreamId& stream) const {
    return state_->upcasting ? state_->upcasting->today(stream) : stream;
}

// ---- Schemas

CheckedBy EventStore::check(const StreamId& stream, const NewEvent& event) const {
    state_->options.limits.check(stream);
    state_->options.limits.check(event);
    const auto schemas = state_->log->schema_guard().current();
    if (auto violation = schemas->violation(state_->name, stream, event)) throw *std::move(violation);
    return {schemas->token()};
}

std::vector<RecordedSchema> EventStore::schemas() const { return state_->log->stored_schemas().schemas; }

std::vector<RecordedSchema> EventStore::record_schemas(const EventTypes& types) {
    auto missing = unknown_schemas(state_->name, state_->log->stored_schemas(), types);
    if (missing.empty()) return missing;
    return state_->log->record_schemas(std::move(missing));
}

SchemaMode EventStore::schema_mode() const { return state_->log->stored_schemas().mode; }
void EventStore::set_schema_mode(SchemaMode mode) { state_->log->set_schema_mode(mode); }
const std::shared_ptr<const EventTypes>& EventStore::event_types() const noexcept {
    return state_->options.event_types;
}
const std::string& EventStore::name() const noexcept { return state_->name; }
fs::path EventStore::models_folder() const { return state_->folder / "models"; }

}  // namespace stele
