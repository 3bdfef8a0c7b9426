// The stele command as a process of its own, for what is measured from outside: time from start to end, memory.
#pragma once

#include "workload.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stele::bench {

struct ToolRun {
    double seconds = 0;
    std::int64_t peak_bytes = 0;  ///< resident memory at its highest
};

/// Runs `context.tool` with `arguments` in `folder` and waits for its end. What it prints to standard output is
/// dropped. Throws BenchError with what it said on standard error when its exit status is not 0.
///
/// The kernel counts what this process holds when the child is started as the child's, so peak_bytes is never less
/// than that: it is given back first, where the allocator can.
ToolRun run_tool(const Context& context, const std::filesystem::path& folder, std::vector<std::string> arguments);

}  // namespace stele::bench
