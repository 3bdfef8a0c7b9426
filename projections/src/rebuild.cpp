#include <stele/projections/rebuild.hpp>

#include "build_progress.hpp"
#include "fold.hpp"
#include "generation_build.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"

#include <unistd.h>

#include <algorithm>

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
            std::optional<Rebuilt> rebuilt;
            if (build.run(progress)) {
                control.set_dropped(projection.name(), false);
                rebuilt = build.adopt(progress, token_of_owner(control, projection.name()));
            }
            if (!rebuilt && options.resumable) build.stay_resumable();
            return rebuilt;
        } catch (const HandlerFailed& error) {
            shown.failed(error);
            throw;
        }
    });
}

namespace {

// What stands in the way of advancing a generation by this definition, as an error.
void check_advances(const Projection& projection, const Generation& generation, Position head) {
    if (generation.fingerprint != projection.fingerprint() || generation.version != projection.version()) {
        throw ProjectionError{"projection_changed", projection.name(),
                              "expected the definition of version " + std::to_string(projection.version()) +
                                  ", found a read model built by another one (version " +
                                  std::to_string(generation.version) + "); rebuild it"};
    }
    if (generation.position > head) {
        throw ProjectionError{"projection_ahead", projection.name(),
                              "expected a position up to the log's head " + std::to_string(head.value()) +
                                  ", found " + std::to_string(generation.position.value()) +
                                  ": the log has lost events since; rebuild it"};
    }
}

// Advances one generation; Advance::retired where another one took its place meanwhile.
Advance advance(const EventStore& store, const Projection& projection, const std::filesystem::path& path,
                Position head, const CatchUpOptions& options, CaughtUp& sum) {
    auto file = GenerationFile::open(path, options.sqlite_vfs);
    const auto before = file.generation();
    if (before.state == "retired") return Advance::retired;
    check_advances(projection, before, head);
    sum.position = before.position;
    if (before.state == "paused") return Advance::paused;

    Model model{file.db(), projection.name()};
    model.seal();
    Fold fold{store, projection, file, model, {"live", options.batch, options.progress, options.stop}};
    auto left = options.limit;
    if (left) *left -= std::min(*left, static_cast<std::size_t>(sum.events));
    fold.run(head, left);
    sum = {fold.position(), sum.events + fold.events(), sum.skipped + fold.skipped()};
    return fold.outcome();
}

}  // namespace

CaughtUp catch_up(const EventStore& store, const Projection& projection, const CatchUpOptions& options) {
    const ModelsFolder models{store.models_folder(), projection.name()};
    return naming(projection.name(), [&] {
        auto current = models.current();
        if (!current) throw never_built(projection.name());
        // What earlier generations left goes now that their readers may have gone; unless somebody is at it.
        if (const auto lock = ProjectionLock::try_take(models)) models.clean(true, options.sqlite_vfs);

        const auto head = store.head();
        CaughtUp sum;
        for (;;) {
            auto outcome = Advance::retired;
            try {
                outcome = advance(store, projection, models.file(*current), head, options, sum);
            } catch (const sql::SqlError&) {
                if (models.current() == current) throw;  // or else its file was removed just now
            }
            const auto next = models.current();
            if (!next) throw never_built(projection.name());
            if (outcome != Advance::retired || next == current) return sum;
            current = next;
        }
    });
}

}  // namespace stele
