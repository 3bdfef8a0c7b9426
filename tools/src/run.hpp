// What stele::tool::main() does, open to commands of the program that are not in the library.
#pragma once

#include "command_line.hpp"

#include <functional>

namespace stele::tool {

/// Runs the command that `argv` names; `add_more` adds to the commands there are. See stele::tool::main().
int run_main(int argc, char** argv, const Registry& registry, const std::function<void(CommandLine&)>& add_more);

}  // namespace stele::tool
