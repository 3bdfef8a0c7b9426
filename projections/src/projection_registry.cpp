#include <stele/projections/projection_registry.hpp>

#include <stele/projections/projection_tests.hpp>
#include <stele/projections/sql_projection.hpp>

#include <algorithm>

namespace stele {
namespace fs = std::filesystem;

void ProjectionRegistry::load(const fs::path& folder) {
    if (!fs::is_directory(folder)) {
        throw NotFound{folder.string() + ": no such folder of projections", {{"folder", folder.string()}}};
    }
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder}) {
        const auto& path = entry.path();
        if (entry.is_regular_file() && path.extension() == ".sql" && !ProjectionTests::is_test_file(path))
            files.push_back(path);
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) add(SqlProjection::load(file));
}

void ProjectionRegistry::add(std::shared_ptr<const Projection> projection) {
    const auto place_of = [](const Projection& p) {
        const auto* sql = dynamic_cast<const SqlProjection*>(&p);
        return sql == nullptr ? std::string{"the program"} : sql->file();
    };
    const auto [known, added] = by_name_.emplace(projection->name(), projection);
    if (added) return;
    throw InvalidInput{"projection \"" + projection->name() + "\"", "one definition",
                       "two: in " + place_of(*known->second) + " and in " + place_of(*projection)};
}

const Projection& ProjectionRegistry::of(std::string_view name) const {
    if (const auto* found = find(name)) return *found;
    std::vector<std::string_view> names;
    for (const auto& [known, projection] : by_name_) names.push_back(known);
    const auto hint = sql::nearest(name, names.data(), names.size());
    throw NotFound{
        "no projection \"" + std::string{name} + "\"" + (hint.empty() ? "" : "; did you mean " + hint + "?"),
        {{"projection", name}, {"nearest", hint}}};
}

const Projection* ProjectionRegistry::find(std::string_view name) const noexcept {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::shared_ptr<const Projection>> ProjectionRegistry::all() const {
    std::vector<std::shared_ptr<const Projection>> found;
    found.reserve(by_name_.size());
    for (const auto& [name, projection] : by_name_) found.push_back(projection);
    return found;
}

}  // namespace stele
