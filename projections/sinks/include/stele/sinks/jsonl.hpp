// Jsonl: appends each event to a file of JSON Lines, durably.
//
//   [[listener]]
//   name = "to_warehouse"
//   sink = { type = "jsonl", path = "exports/events.jsonl" }
//
// A line is the event as in `stele events --json`, with a further field `delivery_key`: who reads the file drops a
// line whose key it has seen, as a delivery whose outcome a crash hid is made again. A delivery succeeds when its
// line is on the disk (fdatasync).
//
// Any number of workers and processes may append to the same file: each holds a lock (flock) on it while it writes.
// A last line that a crash tore is cut off before the next one is written; one that lacks only its line feed gets
// it. A file that was renamed or removed meanwhile, by logrotate for instance, is made anew.
//
// Causes: "file".
#pragma once

#include <filesystem>

namespace stele::sinks {

struct Jsonl {
    /// Made where it is missing; its folder has to be there. TOML path
    std::filesystem::path path;
};

}  // namespace stele::sinks
