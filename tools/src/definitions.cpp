#include "definitions.hpp"

#include <stele/projections/projection_tests.hpp>
#include <stele/projections/sql_projection.hpp>
#include <stele/replay/aggregate_file.hpp>
#include <stele/replay/aggregate_registry.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

void require_file(const std::string& path) {
    if (!fs::exists(path)) throw Failure{Exit::not_found, "not_found", path + ": no such file", {{"file", path}}};
}

// The .sql files of a folder, in order of their names, without those of tests; none, where there is no such folder.
std::vector<fs::path> sql_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator{folder, missing})
        if (entry.is_regular_file() && names_file(entry.path().string()) &&
            !ProjectionTests::is_test_file(entry.path()))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

bool speaks_for(const AggregateRegistry& registry, std::string_view aggregate_type) {
    const auto types = registry.aggregate_types();
    return std::find(types.begin(), types.end(), aggregate_type) != types.end();
}

// What the files of the folder say of the type; null where none speaks for it.
std::shared_ptr<const Aggregate> aggregate_in_folder(const fs::path& folder, std::string_view aggregate_type) {
    std::exception_ptr broken;
    AggregateRegistry known;
    for (const auto& file : sql_files(folder)) {
        try {
            known.add(std::make_shared<const AggregateFile>(AggregateFile::load(file)));
        } catch (const Error&) {
            if (!broken) broken = std::current_exception();
        }
    }
    if (speaks_for(known, aggregate_type)) {
        const auto kept = std::make_shared<const AggregateRegistry>(std::move(known));
        return {kept, &kept->of(aggregate_type)};
    }
    // The broken file may be the one that was meant.
    if (broken) std::rethrow_exception(broken);
    return nullptr;
}

}  // namespace

Exit KnownProjections::report_broken_files(Exit status, bool json) const {
    for (const auto& broken : broken_files) status = report(broken, json);
    return status;
}

KnownProjections known_projections(Context& context) {
    if (const Project* project = context.project()) return known_projections(context, *project);
    return {context.registry().projections, {}};
}

KnownProjections known_projections(Context& context, const Project& project) {
    KnownProjections known{context.registry().projections, {}};
    for (const auto& file : sql_files(project.projections)) {
        try {
            known.registry.add(SqlProjection::load(file));
        } catch (const Error& error) {
            known.broken_files.emplace_back(Exit::failed, error.code(), error.what(), error.facts());
        }
    }
    return known;
}

ListenerConfig listener_config(Context& context) {
    const Project* project = context.project();
    if (project == nullptr) return {};
    Mistakes mistakes{project->file.string()};
    auto config = read_listener_config(*project->settings, project->folder, mistakes);
    mistakes.throw_first();
    return config;
}

ListenerRegistry known_listeners(Context& context) { return known_listeners(context, listener_config(context)); }

ListenerRegistry known_listeners(Context& context, const ListenerConfig& config) {
    ListenerRegistry known = context.registry().listeners;
    for (const auto& declared : config.listeners) {
        const auto& name = declared.listener->name();
        if (known.find(name) != nullptr)
            throw Mistake{context.project()->file.string(), declared.place,
                          "listener \"" + name + "\": expected a name of its own, found that of one of the program"}
                .failure();
        known.add(declared.listener);
    }
    return known;
}

std::vector<Failure> broken_aggregates(const Project& project) {
    std::vector<Failure> broken;
    AggregateRegistry known;
    for (const auto& file : sql_files(project.aggregates)) {
        try {
            known.add(std::make_shared<const AggregateFile>(AggregateFile::load(file)));
        } catch (const Error& error) {
            broken.emplace_back(Exit::failed, error.code(), error.what(), error.facts());
        }
    }
    return broken;
}

std::vector<Failure> broken_schemas(const Project& project) {
    std::vector<Failure> broken;
    if (!fs::is_directory(project.schemas)) return broken;
    static_cast<void>(EventTypes::load(project.schemas, [&](const Error& error) {
        broken.emplace_back(Exit::failed, error.code(), error.what(), error.facts());
    }));
    return broken;
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
                                               const std::optional<std::string>& file, const std::string& command,
                                               const std::string& option) {
    if (file) {
        require_file(*file);
        auto aggregate = std::make_shared<const AggregateFile>(AggregateFile::load(*file));
        if (aggregate->aggregate_type() == aggregate_type) return aggregate;
        throw usage_failure(command, option + ": expected a file for " + std::string(aggregate_type) +
                                         ", found one for " + std::string(aggregate->aggregate_type()));
    }
    if (const Project* project = context.project())
        if (auto found = aggregate_in_folder(project->aggregates, aggregate_type)) return found;
    // The program's stay as long as the command runs.
    return {std::shared_ptr<const Aggregate>{}, &context.registry().aggregates.of(aggregate_type)};
}

}  // namespace stele::tool
