// Projection: a read model, defined as a fold of events into tables.
//
// Two kinds come with Stele: SqlProjection, a .sql file, and projection<T>(), a struct of yours:
//
//   struct SiteCount {
//       static constexpr auto name = "site_count";
//       static constexpr int version = 1;
//       static Query query() { return matching(types("SiteCreated", "SiteDeleted")); }   // without it: every event
//       void setup(Model& model) { model.exec("CREATE TABLE site_count (n INTEGER NOT NULL)"); … }
//       void on(const Event& e, Model& model) {
//           model.exec("UPDATE site_count SET n = n + ?1", e.type == "SiteCreated" ? 1 : -1);
//       }
//   };
//   registry.add(projection<SiteCount>());
//
// A fold is deterministic: rows are computed from events and earlier rows alone, so that a rebuild gives them
// again.
#pragma once

#include <stele/projections/model.hpp>
#include <stele/store/query.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace stele {

/// Takes events into one model. One thread at a time.
class ProjectionHandler {
public:
    ProjectionHandler() = default;
    ProjectionHandler(const ProjectionHandler&) = delete;
    ProjectionHandler& operator=(const ProjectionHandler&) = delete;
    virtual ~ProjectionHandler() = default;

    /// Takes the next event of the projection's query. What it throws stops the projection before that event, or,
    /// with OnError::skip, passes the event over; either way its writes are undone.
    virtual void apply(const Event& event) = 0;
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
    };

    virtual ~Projection() = default;
    Projection(const Projection&) = delete;
    Projection& operator=(const Projection&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return head_.name; }
    [[nodiscard]] int version() const noexcept { return head_.version; }
    [[nodiscard]] const std::string& fingerprint() const noexcept { return head_.fingerprint; }
    [[nodiscard]] const Query& query() const noexcept { return head_.query; }
    [[nodiscard]] ProjectionMode mode() const noexcept { return head_.mode; }
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

/// A struct that projection<T>() makes a Projection of. A copy of it serves each model, so it may keep state of its
/// own only as far as that can be computed again at any event.
template <class T>
concept ProjectionStruct = std::copy_constructible<T> && requires(T t, const Event& event, Model& model) {
    { t.name } -> std::convertible_to<std::string_view>;
    { t.version } -> std::convertible_to<int>;
    t.setup(model);
    t.on(event, model);
};

namespace detail {
template <ProjectionStruct T>
class StructProjection final : public Projection {
public:
    explicit StructProjection(T definition) : Projection(head_of(definition)), definition_(std::move(definition)) {}

    void setup(Model& model) const override { T{definition_}.setup(model); }

    [[nodiscard]] std::unique_ptr<ProjectionHandler> handler(Model& model) const override {
        return std::make_unique<Handler>(definition_, model);
    }

private:
    class Handler final : public ProjectionHandler {
    public:
        Handler(const T& definition, Model& model) : definition_(definition), model_(model) {}
        void apply(const Event& event) override { definition_.on(event, model_); }

    private:
        T definition_;
        Model& model_;
    };

    static Head head_of(const T& definition) {
        Head head;
        head.name = std::string{std::string_view{definition.name}};
        head.version = definition.version;
        if constexpr (requires { definition.query(); }) head.query = definition.query();
        if constexpr (requires { definition.mode; }) head.mode = definition.mode;
        if constexpr (requires { definition.on_error; }) head.on_error = definition.on_error;
        // Code has no text to compare: its author says by the version that it has changed.
        head.fingerprint = fingerprint_of(head.name + " version " + std::to_string(head.version));
        return head;
    }

    T definition_;
};
}  // namespace detail

/// The projection that a struct defines. Its definition counts as changed when its name or version does.
template <ProjectionStruct T>
[[nodiscard]] std::shared_ptr<const Projection> projection(T definition = {}) {
    return std::make_shared<detail::StructProjection<T>>(std::move(definition));
}

}  // namespace stele
