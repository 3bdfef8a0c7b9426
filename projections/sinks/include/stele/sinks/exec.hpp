// Exec: runs a program for each event.
//
//   [[listener]]
//   name = "purge"
//   sink = { type = "exec", command = ["/usr/local/bin/purge-cache", "--all"], timeout = "20s" }
//
// No shell is involved. The event stands on standard input as in `stele events --json`, with a line feed; a program
// that does not read it is not waited for. The environment is ours with, in addition, STELE_DELIVERY_KEY,
// STELE_LISTENER and STELE_ATTEMPT. The program is the leader of a process group of its own, with no descriptors of
// ours but its standard ones.
//
// Outcomes: exit status 0 is success; one of `permanent` makes a dead letter; any other, 75 (EX_TEMPFAIL) among
// them, and an end by a signal have the delivery tried again. A time-out, and a runner that stops, end the whole
// group: SIGTERM, after `grace` SIGKILL. What fails says the last lines of standard error. Processes that the
// program leaves in the background when it ends by itself are its own affair.
//
// Causes: "exit_1" and so on; "signal_9" and so on; "timeout"; "not_started"; "stopped".
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace stele::sinks {

struct Exec {
    /// The program and its arguments. A name without `/` is looked for in PATH. TOML command (an array)
    std::vector<std::string> command;
    std::map<std::string, std::string> environment{};  ///< further variables; TOML environment (a table)
    std::string folder{};                              ///< where it runs; empty: where we do. TOML folder
    std::set<int> permanent{};  ///< exit statuses that no retry will change; TOML permanent (an array of numbers)
    std::chrono::milliseconds timeout{60'000};  ///< TOML timeout
    std::chrono::milliseconds grace{5'000};     ///< between SIGTERM and SIGKILL; TOML grace
};

}  // namespace stele::sinks
