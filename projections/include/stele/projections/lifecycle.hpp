// What an operator does to a read model without building it: pause, resume, drop, and switch back to a generation
// that was kept.
//
// Each of these may be called from any process and any thread, whoever is advancing the projection at the time.
// They are short transactions on the generation's own file, which whoever advances it looks at in each of its
// transactions: when pause() returns, nobody writes to it any more. Who works off a long log lets them go first,
// behind the transaction that he is at, which lasts half a second and an event at most.
#pragma once

#include <stele/projections/projection_error.hpp>
#include <stele/projections/read_model.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

class EventStore;

/// Stops the projection where it is. Its rows stay readable, as of its position, until resume() or a rebuild.
/// Harmless when repeated. A rebuild that is under way goes on, and its result will be paused.
///
/// Returns the generation, which is "paused".
/// Throws NotFound where the projection was never built, InvalidInput for a name that cannot be one,
///        ProjectionError "projection_file".
Generation pause(const EventStore& store, std::string_view name, const std::string& sqlite_vfs = {});

/// Lets a generation that is "paused" or "failed" go on: it is "live", and whoever advances it takes in what it has
/// missed. A failed one tries the same event again. Harmless for one that is live. Throws as pause() does.
Generation resume(const EventStore& store, std::string_view name, const std::string& sqlite_vfs = {});

/// Removes the read model with all of its generations. Its name leads nowhere from now on; readers that have a
/// generation open keep it until they close it. The log and the definition are not touched: a rebuild makes it
/// anew.
///
/// Throws NotFound          there is nothing of it.
///        ProjectionError   "projection_busy" (a rebuild is under way), "projection_file".
void drop(const EventStore& store, std::string_view name, const std::string& sqlite_vfs = {});

/// Makes a generation current again that `RebuildOptions::keep_old` has kept: the newest one below the current, or
/// number `generation`. The one that was current is kept in turn. Readers find the one or the other, each complete;
/// positions go back to where the old one stood.
///
/// It is "live" and catches up where both were built by the same definition. Where not, it is "paused", so that
/// nobody rebuilds it by the definition that one has just gone back from; resume() or a rebuild ends that.
///
/// Returns the generation that is current now.
/// Throws NotFound          no such generation was kept, or none at all.
///        ProjectionError   "projection_busy" (a rebuild is under way), "projection_file".
Generation rollback(const EventStore& store, std::string_view name, std::optional<std::int64_t> generation = {},
                    const std::string& sqlite_vfs = {});

/// One file of a projection.
struct GenerationOnDisk {
    Generation generation;  ///< number and name are always there
    bool current = false;   ///< what NAME.db leads to
    std::filesystem::path file;
    std::int64_t bytes = 0;  ///< with its WAL
    std::string error;       ///< why it cannot be read, where its state is "broken"
};

/// Every generation that has a file, by number: the current one, those that were kept, those whose readers have not
/// gone yet, and one that is being built ("building", with no more than its number: it cannot be read until it is
/// complete). Empty where the projection was never built.
[[nodiscard]] std::vector<GenerationOnDisk> generations(const EventStore& store, std::string_view name,
                                                        const std::string& sqlite_vfs = {});

}  // namespace stele
