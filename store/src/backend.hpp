// Backend: what a database must do for the log. SQLite is the first; PostgreSQL implements the same.
//
// A backend knows nothing of queues, threads that wait or futures: EventStore and AppendQueue are the same over
// every backend, and so is the contract suite in tests/contract.
#pragma once

#include "schema_guard.hpp"

#include <stele/store/event_store.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace stele {

/// The events for one stream, where the caller has them.
struct PartView {
    const StreamId* stream;
    ExpectedVersion expected;
    std::span<const NewEvent> events;
};

/// An append that was checked for form and waits to be committed. What it points to outlives its commit.
struct PendingAppend {
    std::span<const PartView> parts;
    std::span<const Condition> conditions;
    const Tracking* tracking = nullptr;
    /// Until when the caller waits for others.
    std::chrono::steady_clock::time_point deadline{};
    /// By which schemas its events were checked (SchemaGuard::Registry::token()), and what they have against one of
    /// them: a SchemaViolationError, which counts unless the append is a repetition (L6).
    std::uint64_t checked_by = 0;
    std::exception_ptr violation{};

    /// Set by Backend::commit: the answer, or what went wrong.
    std::variant<std::monostate, AppendResult, std::exception_ptr> outcome;
};

/// Hands the waiting appends to a commit, one at a time, while it runs.
class PendingSource {
public:
    virtual ~PendingSource() = default;
    /// The next append of this commit; null when none waits or the commit is large enough.
    virtual PendingAppend* next() = 0;
    /// Called where commit() has committed but goes on working for a while: those whose appends were handed out
    /// need not wait for that.
    virtual void settled() {}
};

/// The rest of a read. Not thread-safe. A call that throws leaves it where it was: the next one tries again.
class LogCursor : public detail::PageSource {
public:
    std::size_t next(std::vector<Event>& page) final {
        while (!finished()) {
            if (const auto filled = look(page)) return filled;
        }
        return 0;
    }

    /// As next(), for a bounded time: looks at a bounded part of the log, and returns 0 where it holds none.
    virtual std::size_t look(std::vector<Event>& page) = 0;
    [[nodiscard]] virtual bool finished() const noexcept = 0;
    /// Read forward: every event up to here was returned, or was not selected.
    [[nodiscard]] virtual Position looked_to() const noexcept = 0;
};

class Backend {
public:
    virtual ~Backend() = default;

    /// Commits what `source` hands out as one transaction, each append checked and applied on its own: a loser
    /// does not disturb the others. Every append that was handed out has its outcome afterwards. Returns whether
    /// the log grew. One caller at a time.
    ///
    /// Throws StoreBusy, having taken nothing from `source`, when others hold the log until `deadline`.
    virtual bool commit(PendingSource& source, std::chrono::steady_clock::time_point deadline) = 0;

    [[nodiscard]] virtual std::unique_ptr<LogCursor> open(const Read& read) = 0;
    [[nodiscard]] virtual std::optional<Event> find(const EventId& id) = 0;
    [[nodiscard]] virtual std::optional<Event> at(Position position) = 0;
    [[nodiscard]] virtual Position head() = 0;
    [[nodiscard]] virtual std::optional<Version> version(const StreamId& stream) = 0;
    [[nodiscard]] virtual Position position_at(Timestamp time) = 0;
    [[nodiscard]] virtual std::optional<Tracking> tracked(const std::string& source) = 0;
    virtual void streams(const std::function<bool(const StreamInfo&)>& visit) = 0;
    [[nodiscard]] virtual std::vector<TypeInfo> types() = 0;
    [[nodiscard]] virtual StoreInfo info() = 0;
    /// Whether there is a stream of this aggregate type, in any tenant.
    [[nodiscard]] virtual bool has_aggregate_type(const std::string& type) = 0;

    [[nodiscard]] virtual SchemaGuard& schema_guard() = 0;
    /// What stands in the file now.
    [[nodiscard]] virtual StoredSchemas stored_schemas() = 0;
    /// Records those that are not there yet, in one commit, and returns them. Throws SchemaChanged where one is
    /// there with another fingerprint; then none is recorded.
    virtual std::vector<RecordedSchema> record_schemas(std::vector<RecordedSchema> schemas) = 0;
    virtual void set_schema_mode(SchemaMode mode) = 0;

    /// Says that a commit of this process made the log grow; wakes everyone in wait().
    virtual void wake() noexcept = 0;
    /// A number that changes whenever the log may have grown. Take it before looking at the log.
    [[nodiscard]] virtual std::uint64_t ticket() noexcept = 0;
    /// Waits until the log may have grown since `ticket` was taken, until `stopped` says so (kick() makes it look
    /// again), or until `deadline`.
    virtual void wait(std::uint64_t ticket, std::chrono::steady_clock::time_point deadline,
                      const std::function<bool()>& stopped) = 0;
    /// Makes everyone in wait() look at its `stopped` again.
    virtual void kick() noexcept = 0;
};

}  // namespace stele
