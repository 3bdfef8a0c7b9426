// Context: what every command is handed.
#pragma once

#include "output.hpp"
#include "project.hpp"

#include <stele/schema/event_types.hpp>
#include <stele/store/event_store.hpp>
#include <stele/tools/tool.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace stele::tool {

/// The options that every command has.
struct Globals {
    std::optional<std::string> store;
    std::optional<std::string> project;
    bool json = false;
};

class Context {
public:
    Context(const Globals& globals, const Registry& registry, Output& out)
        : globals_(globals), registry_(registry), out_(out) {}

    [[nodiscard]] bool json() const noexcept { return globals_.json; }
    [[nodiscard]] Output& out() const noexcept { return out_; }
    [[nodiscard]] const Registry& registry() const noexcept { return registry_; }

    /// stele.toml of --project, or else of this folder or one above; null where there is none.
    [[nodiscard]] const Project* project();

    /// The folder that it stands in, whatever is wrong with it; empty where there is none.
    [[nodiscard]] std::optional<std::filesystem::path> project_folder() const;

    /// Which store: --store, else STELE_STORE, else stele.toml. Throws Failure (command line) where none says.
    [[nodiscard]] std::string store_path();

    /// The event types of the program, and those of the project's folder of schemas. Throws what EventTypes::load()
    /// throws; where there is no such folder, it holds the program's alone.
    [[nodiscard]] const EventTypes& event_types();

    /// How a command sees events.
    enum class Events {
        today,   ///< through the upcasters of event_types()
        stored,  ///< as they are stored
        either,  ///< it looks at none: what is wrong with event_types() is said, and stands in nobody's way
    };
    /// What --raw asks for.
    [[nodiscard]] static Events seen(bool raw) noexcept { return raw ? Events::stored : Events::today; }

    /// The store, which must be there. Throws Failure (not found) naming what to do.
    [[nodiscard]] EventStore open_existing(Events events = Events::today);
    /// The store, made where there is none, for a command that appends: schemas of event_types() that the store
    /// does not know are recorded in it.
    [[nodiscard]] EventStore open_or_create(Options options = {});

private:
    const Globals& globals_;
    const Registry& registry_;
    Output& out_;
    bool project_looked_for_ = false;
    std::optional<Project> project_;
    std::optional<EventTypes> event_types_;
};

}  // namespace stele::tool
