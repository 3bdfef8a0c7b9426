// run_child(): a program with an input, a time-out, and an end that is certain.
#pragma once

#include <chrono>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace stele::sinks {

struct ChildSettings {
    std::vector<std::string> command;  ///< not empty; without `/`, looked for in PATH
    std::map<std::string, std::string> environment;
    std::string folder;  ///< empty: where we are
    std::chrono::milliseconds timeout{};
    std::chrono::milliseconds grace{};
};

struct ChildEnd {
    enum class How { exited, signalled, timed_out, stopped, not_started };
    How how = How::exited;
    int value = 0;  ///< exit status, signal, or errno
    std::string
        output;  ///< the last of what it wrote to standard error, or to standard output where that is nothing
};

/// Runs the program with `input`, and waits for its end. When this returns, the program has ended and is reaped,
/// and no descriptor is left behind; where it did not end by itself, its whole process group was killed.
///
/// Input that the program does not read is dropped. Any thread; several at once.
[[nodiscard]] ChildEnd run_child(const ChildSettings& settings, std::string_view input,
                                 const std::stop_token& stop);

}  // namespace stele::sinks
