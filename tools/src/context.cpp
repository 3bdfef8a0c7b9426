#include "context.hpp"

#include "failure.hpp"
#include "suggest.hpp"
#include "terminal.hpp"

#include <cstdlib>
#include <filesystem>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

// A store in the same folder with a name like this one's.
std::optional<std::string> similar_store(const fs::path& wanted) {
    const fs::path folder = wanted.has_parent_path() ? wanted.parent_path() : fs::path(".");
    Nearest nearest{wanted.filename().string()};
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed))
        if (fs::exists(entry.path() / "events.db", failed)) nearest.consider(entry.path().filename().string());
    if (!nearest.found()) return std::nullopt;
    return (wanted.has_parent_path() ? folder / *nearest.found() : fs::path(*nearest.found())).string();
}

}  // namespace

const Project* Context::project() {
    if (!project_looked_for_) {
        project_ = globals_.project ? std::optional{load_project(*globals_.project)} : find_project(".");
        project_looked_for_ = true;
    }
    return project_ ? &*project_ : nullptr;
}

std::optional<fs::path> Context::project_folder() const {
    if (globals_.project) return fs::path(*globals_.project);
    return find_project_folder(".");
}

std::string Context::store_path() {
    if (globals_.store) return *globals_.store;
    if (const char* store = std::getenv("STELE_STORE"); store != nullptr && *store != '\0' && !globals_.project)
        return store;
    if (const Project* found = project(); found != nullptr && found->store) return *found->store;
    throw Failure{Exit::command_line, "no_store",
                  "which store? none of --store, STELE_STORE and a stele.toml in this folder or one above says"}
        .hint("--store audit.stele, or stele init my-audit for a folder with a stele.toml");
}

const EventTypes& Context::event_types() {
    if (event_types_) return *event_types_;
    EventTypes types;
    if (const Project* found = project(); found != nullptr && fs::is_directory(found->schemas)) {
        types = EventTypes::load(found->schemas);
    }
    types.add(registry_.event_types);
    types.check();
    return event_types_.emplace(std::move(types));
}

EventStore Context::open_existing(Events events) {
    const std::string path = store_path();
    Options options;
    options.mode = OpenMode::existing;
    options.record_schemas = false;
    try {
        // What is only read is not held up by a schema that was changed.
        if (events != Events::stored)
            options.event_types = std::make_shared<const EventTypes>(event_types().without_schemas());
    } catch (const Error& error) {
        if (events == Events::today) throw;
        note(printable(error.what()));
    }
    try {
        return EventStore::open(path, options);
    } catch (const StoreError& error) {
        if (error.code() != "not_found") throw;
        const auto meant = similar_store(path);
        throw Failure{Exit::not_found, "not_found", path + ": there is no store here", {{"store", path}}}.hint(
            meant ? "--store " + *meant : "stele --store " + path + " import FILE, which makes it");
    }
}

EventStore Context::open_or_create(Options options) {
    options.mode = OpenMode::create;
    options.event_types = std::make_shared<const EventTypes>(event_types());
    return EventStore::open(store_path(), options);
}

}  // namespace stele::tool
