// What another fold makes of a stream, for people and for programs.
#pragma once

#include "context.hpp"
#include "failure.hpp"

#include <stele/replay/what_if.hpp>

#include <string>

namespace stele::tool {

/// Prints where the two folds part, and what is different in the end. `what` says what the other one is: "without
/// version 3". Returns failed where the other fold did.
[[nodiscard]] Exit print_comparison(const FoldComparison& comparison, const std::string& what, Context& context);

}  // namespace stele::tool
