// stele bench, which the program has and the library has not: programs that link stele::tools stay free of the
// benchmarks.
#pragma once

#include "../command_line.hpp"

namespace stele::tool {

void add_bench(CommandLine& line);

}  // namespace stele::tool
