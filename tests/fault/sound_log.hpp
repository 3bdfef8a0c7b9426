// sound_log(): what a store holds after whatever happened to it, checked for everything that must always hold.
#pragma once

#include <stele/store/event_store.hpp>
#include <stele/test/faulty_disk.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace stele::test {

/// A disk without faults, whose syncs cost nothing: to look at a store that another disk left behind.
[[nodiscard]] const FaultyDisk& sound_disk();

/// Options that open a store on `disk`.
[[nodiscard]] Options on(const FaultyDisk& disk, Options options = {});

/// All events of the store in `folder`, empty where there is none. Nobody else has it open.
///
/// Fails the test where SQLite's integrity check finds something; where positions, or the versions of a stream, are
/// not 1, 2, 3, … (L2, L3); where recorded_at goes down; or where streams, types or tags, as the store looks them
/// up, are not those of the events.
[[nodiscard]] std::vector<Event> sound_log(const std::filesystem::path& folder);

/// SQLite's own verdict on events.db in `folder`: "ok".
[[nodiscard]] std::string integrity(const std::filesystem::path& folder);

/// How many of the events of `append` are among `events`. Fails the test where one is there twice, or some are
/// there in another order or with others between them.
[[nodiscard]] std::size_t count_of(const Append& append, const std::vector<Event>& events);
/// How many events the append has.
[[nodiscard]] std::size_t size_of(const Append& append);

}  // namespace stele::test
