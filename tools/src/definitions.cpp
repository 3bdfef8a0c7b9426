#include "definitions.hpp"

#include "failure.hpp"

#include <stele/projections/sql_projection.hpp>
#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/aggregate_registry.hpp>

#include <algorithm>
#include <filesystem>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

void require_file(const std::string& path) {
    if (!fs::exists(path)) throw Failure{Exit::not_found, "not_found", path + ": no such file", {{"file", path}}};
}

bool speaks_for(const AggregateRegistry& registry, std::string_view aggregate_type) {
    const auto types = registry.aggregate_types();
    return std::find(types.begin(), types.end(), aggregate_type) != types.end();
}

}  // namespace

ProjectionRegistry known_projections(Context& context) {
    ProjectionRegistry known = context.registry().projections;
    if (const Project* project = context.project(); project != nullptr && fs::is_directory(project->projections))
        known.load(project->projections);
    return known;
}

bool names_file(const std::string& word) {
    constexpr std::string_view ending = ".sql";
    return word.size() > ending.size() && word.compare(word.size() - ending.size(), ending.size(), ending) == 0;
}

std::shared_ptr<const Projection> projection_in_file(const std::string& path) {
    require_file(path);
    return SqlProjection::load(path);
}

std::string projection_name(const std::string& word) {
    return names_file(word) ? projection_in_file(word)->name() : word;
}

std::shared_ptr<const Aggregate> aggregate_for(Context& context, std::string_view aggregate_type,
                                               const std::optional<std::string>& file) {
    if (file) {
        require_file(*file);
        auto aggregate = std::make_shared<const AggregateFile>(AggregateFile::load(*file));
        if (aggregate->aggregate_type() == aggregate_type) return aggregate;
        throw usage_failure("stele replay", "--aggregate: expected a file for " + std::string(aggregate_type) +
                                                ", found one for " + std::string(aggregate->aggregate_type()));
    }
    auto known = std::make_shared<AggregateRegistry>(context.registry().aggregates);
    if (const Project* project = context.project(); project != nullptr && fs::is_directory(project->aggregates)) {
        auto in_folder = AggregateRegistry::load(project->aggregates);
        if (speaks_for(in_folder, aggregate_type)) *known = std::move(in_folder);
    }
    const Aggregate& found = known->of(aggregate_type);
    return {std::move(known), &found};
}

}  // namespace stele::tool
