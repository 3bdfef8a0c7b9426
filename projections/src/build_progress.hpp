// BuildProgress: how far the rebuilds of a store are, for everybody to see, in control.db.
#pragma once

#include "control_db.hpp"
#include "leases.hpp"

#include <stele/projections/projection.hpp>
#include <stele/schema/ordinal.hpp>
#include <stele/schema/time.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

class HandlerFailed;
class ProjectionError;

/// One rebuild: under way where its builder is alive and `error` is empty; else how the last one ended that failed.
struct Build {
    std::string name;
    std::int64_t generation = 0;
    int version = 0;
    std::string fingerprint;   ///< of the definition that is being built
    std::int64_t builder = 0;  ///< Member::number()
    Position began;            ///< where this rebuild began: above 0 where it goes on from one that died
    Position position;
    Position target;
    std::int64_t events = 0;
    Timestamp started_at{};
    Timestamp updated_at{};
    Position failed_position;  ///< 0: it did not fail at an event
    std::string failed_type;
    std::string failed_place;
    std::string error;
};

/// The build of that projection, if it stands there.
[[nodiscard]] std::optional<Build> build_of(ControlDb& control, std::string_view projection);

/// Takes away what stands there of a build, so that a runner tries again. Writes nothing where nothing does.
void forget_build(ControlDb& control, std::string_view projection);

/// Says how far one rebuild is, from its beginning until this goes. One thread at a time.
class BuildProgress {
public:
    /// How often the progress is written, at most.
    static constexpr std::chrono::seconds write_every{1};

    /// A rebuild begins; it replaces what stands there of an earlier one. All of these stay longer.
    BuildProgress(ControlDb& control, const Member& member, const Projection& projection, std::int64_t generation,
                  Position position, Position target);
    /// The row goes, unless failed() was called.
    ~BuildProgress();
    BuildProgress(const BuildProgress&) = delete;
    BuildProgress& operator=(const BuildProgress&) = delete;

    /// Call it as often as you like. Throws nothing: a progress that cannot be shown stops no rebuild.
    void update(Position position, Position target, std::int64_t events) noexcept;

    /// Leaves what happened for everybody to see.
    void failed(const HandlerFailed& error) noexcept;

    /// The same for a build that did not get as far as to have progress: its tables could not be set up. Throws
    /// what ControlDb does.
    static void never_began(ControlDb& control, const Member& member, const Projection& projection,
                            std::int64_t generation, const ProjectionError& error);

private:
    static void write(ControlDb& control, const Build& build);

    ControlDb& control_;
    Build build_;
    std::chrono::steady_clock::time_point written_{};
    bool has_failed_ = false;
};

}  // namespace stele
