// RebuildJob: one rebuild, from its first row to the switch, with all that others see of it. rebuild() runs one;
// rebuild_all() runs several, and feeds those that read the log together.
#pragma once

#include "build_progress.hpp"
#include "fold.hpp"
#include "generation_build.hpp"
#include "leases.hpp"

#include <stele/projections/rebuild.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace stele {

/// Where a read model shall stay; empty: it follows the log. Throws InvalidInput.
[[nodiscard]] std::optional<Position> bound_of(const EventStore& store, const RebuildOptions& options);

/// One thread at a time.
class RebuildJob {
public:
    /// Begins the next generation. `options.into` is not looked at. All that is passed stays longer.
    RebuildJob(const EventStore& store, const Projection& projection, const RebuildOptions& options,
               std::optional<Position> until);
    ~RebuildJob();

    /// What it needs of the log begins behind here.
    [[nodiscard]] Position begins_at() const noexcept { return build_.begins_at(); }
    [[nodiscard]] const Projection& projection() const noexcept { return projection_; }
    [[nodiscard]] sqlite3* db() noexcept { return build_.file().db(); }

    // For whoever reads the log for several. Each throws HandlerFailed.
    void head_for(Position target);
    /// The next event: those that the query does not select, or that were taken before, are passed over.
    void take(const Event& event);
    /// Everything up to here was given to take().
    void pass(Position through);

    /// The rest: folds what is missing, and switches. Empty where a stop was requested first.
    [[nodiscard]] std::optional<Rebuilt> finish();

private:
    [[nodiscard]] std::unique_ptr<GenerationBuild> begin(std::optional<Position> until);
    void end_feeding();
    template <class Work>
    auto shown(const Work& work);

    const EventStore& store_;
    const Projection& projection_;
    const RebuildOptions& options_;
    ControlDb control_;
    Member builder_;
    std::unique_ptr<GenerationBuild> begun_;
    GenerationBuild& build_;
    BuildProgress progress_;
    GenerationBuild::Progress tell_;
    std::unique_ptr<Fold> fed_;
};

}  // namespace stele
