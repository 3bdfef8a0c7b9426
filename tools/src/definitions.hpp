// Definitions: the projections, listeners and aggregates that a command can name.
#pragma once

#include "config/listener_config.hpp"
#include "context.hpp"
#include "failure.hpp"

#include <stele/projections/listeners/listener_registry.hpp>
#include <stele/projections/projection_registry.hpp>
#include <stele/replay/aggregate.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stele::tool {

/// A file that cannot be understood stands in nobody's way but its own, and is not passed over in silence either.
struct KnownProjections {
    ProjectionRegistry registry;
    std::vector<Failure> broken_files;  ///< what is wrong with them

    /// Says what is wrong with the broken files. Returns the exit status that they make of `status`.
    [[nodiscard]] Exit report_broken_files(Exit status, bool json) const;
};

/// The projections of the program, and those in the project's folder.
[[nodiscard]] KnownProjections known_projections(Context& context);
/// The same with those of another project.
[[nodiscard]] KnownProjections known_projections(Context& context, const Project& project);

/// What stele.toml says of listeners, queues and health; all defaults where there is no project. Throws Failure
/// with the place of the first mistake.
[[nodiscard]] ListenerConfig listener_config(Context& context);

/// The listeners of the program, and those of stele.toml. Throws Failure as listener_config() does, and where two
/// have one name.
[[nodiscard]] ListenerRegistry known_listeners(Context& context);
/// The same, with what listener_config() has given.
[[nodiscard]] ListenerRegistry known_listeners(Context& context, const ListenerConfig& config);

/// What is wrong with the files of aggregates in the project's folder.
[[nodiscard]] std::vector<Failure> broken_aggregates(const Project& project);

/// What is wrong with the files in the project's folder of schemas.
[[nodiscard]] std::vector<Failure> broken_schemas(const Project& project);

/// Whether `word` names a file and not a projection: it ends in .sql.
[[nodiscard]] bool names_file(const std::string& word);

/// The projection in a file. Throws Failure (not found) where there is none.
[[nodiscard]] std::shared_ptr<const Projection> projection_in_file(const std::string& path);

/// The name of the projection that `word` names, by itself or by its file.
[[nodiscard]] std::string projection_name(const std::string& word);

/// How the streams of one aggregate type fold: by `file`, where it is given, else by the project's folder, else by
/// the program, else by merge patch. Throws Failure (command line) where `file` speaks for another type, and what
/// reading a file of the folder threw, where none of the others speaks for the type. `command` and `option` are for
/// the message.
[[nodiscard]] std::shared_ptr<const Aggregate> aggregate_for(Context& context, std::string_view aggregate_type,
                                                             const std::optional<std::string>& file,
                                                             const std::string& command = "stele replay",
                                                             const std::string& option = "--aggregate");

}  // namespace stele::tool
