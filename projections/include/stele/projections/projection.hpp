// Projection: a read model, defined as a fold of events into tables.
//
// Two kinds come with Stele: SqlProjection, a file of SQL (sql_projection.hpp), and projection<T>(), a struct of
// yours (cpp_projection.hpp).
//
// A fold is deterministic: rows are computed from events and earlier rows alone, so that a rebuild gives them
// again.
#pragma once

#include <stele/projections/model.hpp>
#include <stele/store/query.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace stele {

/// Takes events into one model. One thread at a time. Where writes are undone, it is thrown away, and another one
/// goes on from the model's rows.
class ProjectionHandler {
public:
    ProjectionHandler() = default;
    ProjectionHandler(const ProjectionHandler&) = delete;
    ProjectionHandler& operator=(const ProjectionHandler&) = delete;
    virtual ~ProjectionHandler() = default;

    /// Takes the next event of the projection's query. What it throws stops the projection before that event, or,
    /// with OnError::skip, passes the event over; either way its writes are undone.
    virtual void apply(const Event& event) = 0;

    /// Writes what it kept in memory: called before each commit, and after an event that has to stand alone. What
    /// it throws counts as thrown by the events since the last call, of which the one at fault is then found.
    virtual void flush() {}
};

/// What happens when a handler fails.
enum class OnError { stop, skip };

/// When a projection is applied: behind the log, or before append() returns.
enum class ProjectionMode { async, sync };

/// Immutable: any thread may use it at any time.
class Projection {
public:
    /// What all kinds have in common.
    struct Head {
        std::string name;         ///< letters, digits, _ and -, at most 100
        int version = 1;          ///< 1, 2, 3, …
        std::string fingerprint;  ///< differs where the definition differs
        Query query;              ///< the events that it takes
        ProjectionMode mode = ProjectionMode::async;
        OnError on_error = OnError::stop;
        EventParts parts{};  ///< of events, what its handlers look at: the rest need not be fetched, and is empty
        bool looks_at_parts_alone = false;  ///< they cannot look at the rest: then it may be there or not
        bool folds_in_memory = false;       ///< most events cost less than to read them
    };

    virtual ~Projection() = default;
    Projection(const Projection&) = delete;
    Projection& operator=(const Projection&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return head_.name; }
    [[nodiscard]] int version() const noexcept { return head_.version; }
    [[nodiscard]] const std::string& fingerprint() const noexcept { return head_.fingerprint; }
    [[nodiscard]] const Query& query() const noexcept { return head_.query; }
    [[nodiscard]] ProjectionMode mode() const noexcept { return head_.mode; }
    [[nodiscard]] const EventParts& parts() const noexcept { return head_.parts; }
    [[nodiscard]] bool looks_at_parts_alone() const noexcept { return head_.looks_at_parts_alone; }
    [[nodiscard]] bool folds_in_memory() const noexcept { return head_.folds_in_memory; }
    [[nodiscard]] OnError on_error() const noexcept { return head_.on_error; }

    /// Makes the tables in a new, empty model.
    virtual void setup(Model& model) const = 0;

    /// A handler for a model that was set up. It goes before the model, and before this.
    [[nodiscard]] virtual std::unique_ptr<ProjectionHandler> handler(Model& model) const = 0;

protected:
    /// Throws InvalidInput where name or version breaks a rule.
    explicit Projection(Head head);

private:
    Head head_;
};

/// Throws InvalidInput unless `name` may name a projection: it becomes part of file names.
void check_projection_name(std::string_view name);

/// 16 hexadecimal digits that differ where the text differs. No protection against malice.
[[nodiscard]] std::string fingerprint_of(std::string_view text);

}  // namespace stele
