// Context: what every command is handed.
#pragma once

#include "output.hpp"
#include "project.hpp"

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

    /// The store, which must be there. Throws Failure (not found) naming what to do.
    [[nodiscard]] EventStore open_existing(Options options = {});
    /// The store, made where there is none.
    [[nodiscard]] EventStore open_or_create(Options options = {});

private:
    const Globals& globals_;
    const Registry& registry_;
    Output& out_;
    bool project_looked_for_ = false;
    std::optional<Project> project_;
};

}  // namespace stele::tool
