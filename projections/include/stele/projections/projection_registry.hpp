// ProjectionRegistry: the projections that a program knows, by name.
#pragma once

#include <stele/projections/projection.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

/// Threads  any number may read it while none changes it.
class ProjectionRegistry {
public:
    ProjectionRegistry() = default;

    /// The SqlProjection of each `*.sql` in `folder`, not in folders below it. Files are known by the name that
    /// stands in them, whatever they are called; `*.test.sql` are tests (projection_tests.hpp).
    ///
    /// Throws NotFound where there is no such folder, and what SqlProjection::load() and add() throw.
    void load(const std::filesystem::path& folder);

    /// Adds one. Throws InvalidInput where there is one of that name.
    void add(std::shared_ptr<const Projection> projection);

    /// The one of that name. Throws NotFound, which says what comes nearest. Stays as long as the registry.
    [[nodiscard]] const Projection& of(std::string_view name) const;

    /// The one of that name, null where there is none.
    [[nodiscard]] const Projection* find(std::string_view name) const noexcept;

    /// All of them, by name.
    [[nodiscard]] std::vector<std::shared_ptr<const Projection>> all() const;

private:
    std::map<std::string, std::shared_ptr<const Projection>, std::less<>> by_name_;
};

}  // namespace stele
