// UpcastingBackend: a backend whose events are upcast when they are read. The one place where upcasters are
// applied.
//
// It stands between EventStore and the backend that holds the log:
//   raw reads are the backend's own, but for the names of streams and aggregate types
//   reads     the query is translated to the types that are stored under which wanted events may stand, a superset;
//             what comes is upcast, and filtered by what was asked
//   appends   streams whose aggregate type was renamed go on under the stored name, expectations with them;
//             conditions are translated as queries are, without looking at events: a condition on a type may meet
//             an event that would be upcast into another one, and errs to the safe side
//   the rest  is passed on
// A read that no upcaster concerns is the backend's own, and costs nothing.
#pragma once

#include "backend.hpp"

#include <stele/schema/upcaster.hpp>

#include <mutex>
#include <unordered_map>

namespace stele {

class UpcastingBackend final : public Backend {
public:
    /// Throws StoreError "aggregate_names" where the log has streams under several names of one aggregate type.
    UpcastingBackend(std::shared_ptr<Backend> log, Upcasters upcasters, const std::string& store);

    bool commit(PendingSource& source, std::chrono::steady_clock::time_point deadline) override {
        return log_->commit(source, deadline);
    }
    std::unique_ptr<LogCursor> open(const Read& read) override;
    std::optional<Event> find(const EventId& id) override;
    std::optional<Event> at(Position position) override;
    Position head() override { return log_->head(); }
    std::optional<Version> version(const StreamId& stream) override { return log_->version(stored(stream)); }
    Position position_at(Timestamp time) override { return log_->position_at(time); }
    std::optional<Tracking> tracked(const std::string& source) override { return log_->tracked(source); }
    void streams(const std::function<bool(const StreamInfo&)>& visit) override;
    std::vector<TypeInfo> types() override { return log_->types(); }
    StoreInfo info() override { return log_->info(); }
    bool has_aggregate_type(const std::string& type) override { return log_->has_aggregate_type(type); }

    SchemaGuard& schema_guard() override { return log_->schema_guard(); }
    StoredSchemas stored_schemas() override { return log_->stored_schemas(); }
    std::vector<RecordedSchema> record_schemas(std::vector<RecordedSchema> schemas) override {
        return log_->record_schemas(std::move(schemas));
    }
    void set_schema_mode(SchemaMode mode) override { log_->set_schema_mode(mode); }

    void wake() noexcept override { log_->wake(); }
    std::uint64_t ticket() noexcept override { return log_->ticket(); }
    void wait(std::uint64_t ticket, std::chrono::steady_clock::time_point deadline,
              const std::function<bool()>& stopped) override {
        log_->wait(ticket, deadline, stopped);
    }
    void kick() noexcept override { log_->kick(); }

    // ---- For appends

    /// The name under which a stream is stored.
    [[nodiscard]] StreamId stored(const StreamId& stream) const;
    /// The name of a stored stream today.
    [[nodiscard]] StreamId today(const StreamId& stream) const;
    /// A query for what is stored, which selects everything that `query` selects after upcasting.
    [[nodiscard]] Query stored(const Query& query) const;
    /// The query by the names of today, which events have that are read.
    [[nodiscard]] Query today(const Query& query) const;
    /// Whether stored events that `query` may select can be changed by an upcaster.
    [[nodiscard]] bool concerns(const Query& query) const;

private:
    std::vector<Event> upcast(Event event) const;
    [[nodiscard]] std::optional<std::string> stored_aggregate(std::string_view name) const;
    [[nodiscard]] bool concerns(const QueryItem& item) const;
    [[nodiscard]] QueryItem stored(const QueryItem& item) const;
    [[nodiscard]] QueryItem in_stored_names(QueryItem item) const;
    [[nodiscard]] Query in_stored_names(const Query& query) const;

    std::shared_ptr<Backend> log_;
    Upcasters upcasters_;
    /// The names that one aggregate type has had, today's first.
    struct Names {
        std::vector<std::string> names;
        /// The one that streams are made under while there are none: the first it ever had. Programs of before know
        /// that one, and write to the same streams, whoever comes first.
        std::string first;
        /// The one that this log has its streams under; empty while it has none.
        mutable std::optional<std::string> stored{};
    };
    void look_up(const Names& names) const;

    std::string store_;
    std::unordered_map<std::string, std::shared_ptr<Names>> names_;  ///< by each of them
    mutable std::mutex names_mutex_;                                 ///< guards Names::stored
};

}  // namespace stele
