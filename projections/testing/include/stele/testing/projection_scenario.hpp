// Scenarios of projections: given events, these rows.
//
//   given(in("acme:Site/s1", SiteCreated{"a.example"}), in("acme:Site/s1", BackupFailed{}))
//       .project<TenantStats>()                                         // a projection in C++
//       .expect("SELECT sites, failed_backups FROM tenant_stats", {{1, 1}})
//       .expect("SELECT count(*) FROM tenant_stats", {{1}});
//   given(…).project_file("projections/tenant_stats.sql").expect(…);    // one in SQL
//   given(…).project(stele::projection(TenantStats{limit})).expect(…);  // any other
//
// Each expectation is run on three read models, which must agree: one that is built in one go; one that is built
// again beside it; and one that takes each event by itself as it is appended, and is closed and opened in between,
// so that what a projection keeps in memory, or does twice, shows.
//
// Values: null, numbers, texts, true and false for 1 and 0; an array or object for a TEXT that holds that JSON.
// Rows are compared in the order of the query, so give it an ORDER BY.
#pragma once

#include <stele/projections/cpp_projection.hpp>
#include <stele/testing/report.hpp>
#include <stele/testing/scenario.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stele::testing {

/// Rows of a query: {{"acme", 2}, {"initech", 1}}.
using ExpectedRows = std::vector<std::vector<nlohmann::json>>;

/// A projection of what was given, in stores of its own, which go with it.
class ProjectionScenario {
public:
    /// Builds it three times. Throws ProjectionError where that cannot even begin.
    ProjectionScenario(const detail::History& history, std::shared_ptr<const Projection> projection);
    ~ProjectionScenario();
    ProjectionScenario(ProjectionScenario&&) noexcept;
    ProjectionScenario& operator=(ProjectionScenario&&) noexcept;

    /// These rows, in this order, and no others.
    const ProjectionScenario& expect(const std::string& query, const ExpectedRows& rows,
                                     const char* file = __builtin_FILE(), int line = __builtin_LINE()) const {
        detail::report(difference(query, rows, {file, line}));
        return *this;
    }

    /// The last event stops the projection, and none before it, with a message that holds `text`. Rows are those of
    /// the events before.
    const ProjectionScenario& expect_failure(const std::string& text, const char* file = __builtin_FILE(),
                                             int line = __builtin_LINE()) const {
        detail::report(unless_failed(text, {file, line}));
        return *this;
    }

private:
    [[nodiscard]] std::string difference(const std::string& query, const ExpectedRows& rows,
                                         const detail::Place& place) const;
    [[nodiscard]] std::string unless_failed(const std::string& text, const detail::Place& place) const;

    struct Built;
    std::unique_ptr<Built> built_;
};

/// What has happened.
class GivenEvents {
public:
    explicit GivenEvents(detail::History history) : history_(std::move(history)) {}

    /// By a struct: `project<SiteCount>()`, `project(SiteCount{…})`.
    template <class P>
    [[nodiscard]] ProjectionScenario project(P definition = {}) const {
        if constexpr (std::convertible_to<P, std::shared_ptr<const Projection>>) {
            return {history_, std::move(definition)};
        } else {
            return {history_, projection(std::move(definition))};
        }
    }
    /// By a file. Throws sql::DefinitionError where it is wrong.
    [[nodiscard]] ProjectionScenario project_file(const std::filesystem::path& file) const;

private:
    detail::History history_;
};

/// What has happened: events in streams, `in("Site/s1", SiteCreated{…})`. Those without one are of `Test/test`.
template <class... E>
[[nodiscard]] GivenEvents given(E&&... events) {
    detail::History history;
    (history.add(std::forward<E>(events), StreamId{"Test", "test"}), ...);
    return GivenEvents{std::move(history)};
}

}  // namespace stele::testing
