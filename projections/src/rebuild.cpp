#include <stele/projections/rebuild.hpp>

#include "fold.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"

#include <algorithm>
#include <thread>

namespace stele {
namespace {

Position target_of(const EventStore& store, const std::optional<Position>& until) {
    const auto head = store.head();
    if (until && (*until > head || *until < Position{0})) {
        throw InvalidInput{"until", "a position from 0 to the log's head, " + std::to_string(head.value()),
                           std::to_string(until->value())};
    }
    return until.value_or(head);
}

// Removes an unfinished generation, unless it is adopted.
class Unfinished {
public:
    Unfinished(const ModelsFolder& models, std::int64_t generation) : models_(models), generation_(generation) {}
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() { models_.discard_unfinished(generation_); }

private:
    const ModelsFolder& models_;
    std::int64_t generation_;
};

void mark_as_kept(const ModelsFolder& models, std::int64_t generation, const std::string& sqlite_vfs) {
    auto file = GenerationFile::open(models.file(generation), sqlite_vfs);
    WriteTransaction transaction{file.db()};
    file.write_state("retired");
    file.write_kept(true);
    transaction.commit();
}

struct Built {
    Position position;
    std::int64_t events;
};

// Folds the log into a new file until it has caught up; empty where it was stopped.
std::optional<Built> build(const EventStore& store, const Projection& projection, const RebuildOptions& options,
                           const ModelsFolder& models, std::int64_t number) {
    auto file = GenerationFile::create(models.unfinished(number), projection, number, options.sqlite_vfs);
    Built built{};
    {
        Model model{file.db(), projection.name()};
        projection.setup(model);
        model.seal();

        Fold fold{store, projection, file, model, {"building", options.batch, options.progress, options.stop}};
        auto target = target_of(store, options.until);
        do {
            fold.run(target);
            if (fold.stopped()) return std::nullopt;
            if (!options.until) target = store.head();
        } while (fold.position() < target);
        built = {fold.position(), fold.events()};
    }
    std::move(file).finish(built.position, options.until ? "paused" : "live", options.sqlite_vfs);
    return built;
}

}  // namespace

std::optional<Rebuilt> rebuild(const EventStore& store, const Projection& projection,
                               const RebuildOptions& options) {
    const ModelsFolder models{store.models_folder(), projection.name()};
    (void)target_of(store, options.until);
    return naming(projection.name(), [&]() -> std::optional<Rebuilt> {
        const ProjectionLock lock{models};
        const auto old = models.current();
        models.clean(true, options.sqlite_vfs);
        const auto numbers = models.generations();
        const auto number = std::max(numbers.empty() ? 0 : numbers.back(), old.value_or(0)) + 1;

        const Unfinished unfinished{models, number};
        const auto built = build(store, projection, options, models, number);
        if (!built) return std::nullopt;

        models.adopt(number);
        if (old && options.keep_old) mark_as_kept(models, *old, options.sqlite_vfs);
        if (old) std::this_thread::sleep_for(options.grace);
        models.clean(options.keep_old, options.sqlite_vfs);
        const auto model = ReadModel::open(models.folder(), projection.name(), options.sqlite_vfs);
        return Rebuilt{model.generation(), built->events};
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
