// Definitions: the projections, listeners and aggregates that a command can name.
#pragma once

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

/// The listeners of the program.
[[nodiscard]] ListenerRegistry known_listeners(Context& context);

/// Whether `word` names a file and not a projection: it ends in .sql.
[[nodiscard]] bool names_file(const std::string& word);

/// The projection in a file. Throws Failure (not found) where there is none.
[[nodiscard]] std::shared_ptr<const Projection> projection_in_file(const std::string& path);

/// The name of the projection that `word` names, by itself or by its file.
[[nodiscard]] std::string projection_name(const std::string& word);

/// How the streams of one aggregate type fold: by `file`, where it is given, else by the project's folder, else by
/// the program, else by merge patch. Throws Failure (command line) where `file` speaks for another type, and what
/// reading a file of the folder threw, where none of the others speaks for the type.
[[nodiscard]] std::shared_ptr<const Aggregate> aggregate_for(Context& context, std::string_view aggregate_type,
                                                             const std::optional<std::string>& file);

}  // namespace stele::tool
