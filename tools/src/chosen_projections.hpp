// Which projections a command is about: names, .sql files, or all that the project has.
#pragma once

#include "context.hpp"
#include "definitions.hpp"

#include <memory>
#include <string>
#include <vector>

namespace stele::tool {

/// The projections that were named; and what is wrong with files that --all would have meant too.
struct ChosenProjections {
    std::vector<std::shared_ptr<const Projection>> projections;
    KnownProjections known;
};

/// `command` is as in "stele projection rebuild". Throws Failure: command line where nothing is named; not found,
/// with the nearest name, where there is no such projection; and what is wrong with a file that is named.
[[nodiscard]] ChosenProjections choose_projections(const std::vector<std::string>& names, bool all,
                                                   const std::string& command, Context& context);

/// The names of those that `names` name, by themselves or by their files, also where they are built and the project
/// has them no more; with `all`, of every one that is built. Throws Failure as choose_projections() does.
[[nodiscard]] std::vector<std::string> names_of_projections(const std::vector<std::string>& names, bool all,
                                                            const std::string& command, const EventStore& store,
                                                            const KnownProjections& known, Context& context);

/// "audit.stele", the project's folder, or "no project": what a message about a missing projection begins with.
[[nodiscard]] std::string place_of_projections(Context& context);

/// There is no projection `name`; `try:` names the one of `known` that was probably meant.
[[nodiscard]] Failure no_such_projection(const std::string& name, const std::vector<std::string>& known,
                                         const std::string& command, Context& context);

}  // namespace stele::tool
