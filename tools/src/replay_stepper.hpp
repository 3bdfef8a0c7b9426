// replay --step: a stream's history in a terminal, a key for each step.
#pragma once

#include "context.hpp"
#include "failure.hpp"
#include "replay_arguments.hpp"

namespace stele::tool {

/// Runs until the one at the keyboard quits. Throws Failure (command line) where standard input or output is no
/// terminal.
[[nodiscard]] Exit step_through(const ReplayedStream& of, Context& context);

}  // namespace stele::tool
