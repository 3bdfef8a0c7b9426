#include "chosen_projections.hpp"

#include "suggest.hpp"

#include <stele/projections/projection_status.hpp>

#include <algorithm>

namespace stele::tool {
namespace {

std::shared_ptr<const Projection> find(const std::string& name, const KnownProjections& known,
                                       const std::string& command, Context& context) {
    std::vector<std::string> names;
    for (const auto& projection : known.registry.all()) {
        if (projection->name() == name) return projection;
        names.push_back(projection->name());
    }
    // A broken file may be the one that was meant.
    if (!known.broken_files.empty()) throw Failure{known.broken_files.front()};
    throw no_such_projection(name, names, command, context);
}

}  // namespace

std::string place_of_projections(Context& context) {
    const auto* project = context.project();
    try {
        return context.store_path();
    } catch (const Failure&) {
        return project == nullptr ? "no project" : project->projections.string();
    }
}

Failure no_such_projection(const std::string& name, const std::vector<std::string>& known,
                           const std::string& command, Context& context) {
    const auto place = place_of_projections(context);
    const auto meant = nearest(name, known);
    return Failure{Exit::not_found,
                   "not_found",
                   place + ": no projection \"" + name + "\"",
                   {{"store", place}, {"projection", name}}}
        .hint(meant ? command + " " + *meant : "stele projection list, or name a .sql file");
}

std::vector<std::string> names_of_projections(const std::vector<std::string>& names, bool all,
                                              const std::string& command, const EventStore& store,
                                              const KnownProjections& known, Context& context) {
    if (names.empty() && !all) throw usage_failure(command, "which projection? name one, or --all");
    std::vector<std::string> there;
    std::vector<std::string> chosen;
    for (const auto& status : projection_status(store, known.registry)) {
        there.push_back(status.name);
        if (all && status.generation > 0) chosen.push_back(status.name);
    }
    for (const auto& word : names) {
        const auto name = projection_name(word);
        const bool is_there = std::find(there.begin(), there.end(), name) != there.end();
        if (!is_there && !names_file(word)) throw no_such_projection(name, there, command, context);
        chosen.push_back(name);
    }
    return chosen;
}

ChosenProjections choose_projections(const std::vector<std::string>& names, bool all, const std::string& command,
                                     Context& context) {
    if (names.empty() && !all) throw usage_failure(command, "which projection? name one, or a .sql file, or --all");
    ChosenProjections chosen;
    const bool files_alone = !all && std::all_of(names.begin(), names.end(), names_file);
    if (!files_alone) chosen.known = known_projections(context);
    if (all) chosen.projections = chosen.known.registry.all();
    for (const auto& name : names) {
        auto projection = names_file(name) ? projection_in_file(name) : find(name, chosen.known, command, context);
        const bool is_chosen = std::any_of(chosen.projections.begin(), chosen.projections.end(),
                                           [&](const auto& other) { return other->name() == projection->name(); });
        if (!is_chosen) chosen.projections.push_back(std::move(projection));
    }
    return chosen;
}

}  // namespace stele::tool
