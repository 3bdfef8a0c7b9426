// Values that are given on the command line, in a file, or on standard input.
#pragma once

#include <stele/schema/event.hpp>

#include <string>

namespace stele::tool {

/// `@FILE` is what the file holds, `-` what comes on standard input, and anything else is the value itself.
/// Throws Failure (failed) naming `option` where it cannot be read, or is longer than an event may be.
[[nodiscard]] std::string input_value(const std::string& word, const std::string& option, const Limits& limits);

}  // namespace stele::tool
