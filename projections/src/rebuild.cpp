#include <stele/projections/rebuild.hpp>

#include "fold.hpp"
#include "for_store.hpp"
#include "generation_build.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"
#include "rebuild_job.hpp"
#include "same_log.hpp"

#include <algorithm>

namespace stele {

std::optional<Rebuilt> rebuild(const EventStore& store, const Projection& given, const RebuildOptions& options) {
    const auto through = for_store(store, given);
    const auto& projection = *through;
    const auto until = bound_of(store, options);
    return naming(projection.name(), [&]() -> std::optional<Rebuilt> {
        if (options.into) return build_into_file(store, projection, options, until.value_or(store.head()));

        return RebuildJob{store, projection, options, until}.finish();
    });
}

namespace {

// What stands in the way of advancing a generation by this definition, as an error.
void check_advances(const EventStore& store, const Projection& projection, const Generation& generation) {
    if (generation.fingerprint != projection.fingerprint() || generation.version != projection.version()) {
        throw ProjectionError{"projection_changed", projection.name(),
                              "expected the definition of version " + std::to_string(projection.version()) +
                                  ", found a read model built by another one (version " +
                                  std::to_string(generation.version) + "); rebuild it"};
    }
    if (const auto error = not_of_this_log(store, generation)) throw *error;
}

// Advances one generation; Advance::retired where another one took its place meanwhile.
Advance advance(const EventStore& store, const Projection& projection, const std::filesystem::path& path,
                Position head, const CatchUpOptions& options, CaughtUp& sum) {
    auto file = GenerationFile::open(path, options.sqlite_vfs);
    const auto before = file.generation();
    if (before.state == "retired") return Advance::retired;
    check_advances(store, projection, before);
    sum.position = before.position;
    if (before.state == "paused") return Advance::paused;

    Model model{file.db(), projection.name()};
    model.seal();
    const LetOthersFirst others{ModelsFolder{store.models_folder(), projection.name()}};
    Fold fold{store,
              projection,
              file,
              model,
              {.state = "live",
               .batch = options.batch,
               .progress = options.progress,
               .stop = options.stop,
               .others = &others}};
    auto left = options.limit;
    if (left) *left -= std::min(*left, static_cast<std::size_t>(sum.events));
    fold.run(head, left);
    sum = {fold.position(), sum.events + fold.events(), sum.skipped + fold.skipped()};
    return fold.outcome();
}

}  // namespace

CaughtUp catch_up(const EventStore& store, const Projection& given, const CatchUpOptions& options) {
    const auto through = for_store(store, given);
    const auto& projection = *through;
    const ModelsFolder models{store.models_folder(), projection.name()};
    return naming(projection.name(), [&] {
        auto current = models.current();
        if (!current) throw never_built(projection.name());
        // What earlier generations left goes now that their readers may have gone; unless somebody is at it.
        if (const auto lock = ProjectionLock::try_share(models)) models.clean(true, options.sqlite_vfs);

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
