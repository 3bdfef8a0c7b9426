#include <stele/projections/rebuild.hpp>

#include "build_progress.hpp"
#include "fold.hpp"
#include "generation_build.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"

#include <unistd.h>

namespace stele {
namespace {

// Where the read model shall stay; empty: it follows the log.
std::optional<Position> bound_of(const EventStore& store, const RebuildOptions& options) {
    if (options.until && options.as_of) {
        throw InvalidInput{"as_of", "either a position or a time", "both"};
    }
    if (options.as_of) return store.position_at(*options.as_of);
    const auto head = store.head();
    if (options.until && (*options.until > head || *options.until < Position{0})) {
        throw InvalidInput{"until", "a position from 0 to the log's head, " + std::to_string(head.value()),
                           std::to_string(options.until->value())};
    }
    return options.until;
}

// Who advances the projection, or will when it is there, starts with his token.
std::int64_t token_of_owner(ControlDb& control, const std::string& projection) {
    const auto holder = Leases::holder(control, "projection/" + projection);
    return holder ? holder->token : 0;
}

}  // namespace

std::optional<Rebuilt> rebuild(const EventStore& store, const Projection& projection,
                               const RebuildOptions& options) {
    const auto until = bound_of(store, options);
    return naming(projection.name(), [&]() -> std::optional<Rebuilt> {
        if (options.into) return build_into_file(store, projection, options, until.value_or(store.head()));

        GenerationBuild build{store, projection, options, until};
        ControlDb control{store.models_folder().parent_path(), options.sqlite_vfs};
        const Member builder{control.folder(), "rebuild, process " + std::to_string(::getpid())};
        BuildProgress shown{control,        builder,           projection,
                            build.number(), build.begins_at(), until.value_or(store.head())};
        const auto progress = [&](const FoldProgress& fold) {
            shown.update(fold.position, fold.target, fold.events);
            if (options.progress) options.progress(fold);
        };
        try {
            if (!build.run(progress)) {
                if (options.resumable) build.stay_resumable();
                return std::nullopt;
            }
            control.set_dropped(projection.name(), false);
            return build.adopt(progress, token_of_owner(control, projection.name()));
        } catch (const HandlerFailed& error) {
            shown.failed(error);
            throw;
        }
    });
}

CaughtUp catch_up(const EventStore& store, const Projection& projection, const CatchUpOptions& options) {
    const ModelsFolder models{store.models_folder(), projection.name()};
    return naming(projection.name(), [&] {
        const auto current = models.current();
        if (!current) throw never_built(projection.name());
        // What earlier generations left goes now that their readers may have gone; unless somebody is at it.
        if (const auto lock = ProjectionLock::try_take(models)) models.clean(true, options.sqlite_vfs);
        auto file = GenerationFile::open(models.file(*models.current()), options.sqlite_vfs);
        const auto before = file.generation();
        if (before.fingerprint != projection.fingerprint() || before.version != projection.version()) {
            throw ProjectionError{"projection_changed", projection.name(),
                                  "expected the definition of version " + std::to_string(projection.version()) +
                                      ", found a read model built by another one (version " +
                                      std::to_string(before.version) + "); rebuild it"};
        }
        const auto head = store.head();
        if (before.position > head) {
            throw ProjectionError{"projection_ahead", projection.name(),
                                  "expected a position up to the log's head " + std::to_string(head.value()) +
                                      ", found " + std::to_string(before.position.value()) +
                                      ": the log has lost events since; rebuild it"};
        }
        if (before.state == "paused") return CaughtUp{before.position};

        Model model{file.db(), projection.name()};
        model.seal();
        Fold fold{store, projection, file, model, {"live", options.batch, options.progress, options.stop}};
        fold.run(head, options.limit);
        return CaughtUp{fold.position(), fold.events(), fold.skipped()};
    });
}

}  // namespace stele
