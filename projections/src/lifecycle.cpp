#include <stele/projections/lifecycle.hpp>

#include "build_progress.hpp"
#include "control_db.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"
#include "precedence.hpp"

#include <stele/store/event_store.hpp>

#include <sqlite3.h>

#include <algorithm>

namespace stele {
namespace fs = std::filesystem;
namespace {

// Does `change` to the current generation, in a transaction of its own. A switch that comes in between leaves us
// with a generation that is current no more: then it is the next one's turn.
template <class Change>
Generation change_current(const ModelsFolder& models, const std::string& sqlite_vfs, const Change& change) {
    const Precedence first{models};
    for (auto current = models.current(); current;) {
        auto next = current;
        try {
            auto file = GenerationFile::open(models.file(*current), sqlite_vfs);
            WriteTransaction transaction{file.db()};
            next = models.current();  // a switch holds this transaction's lock while it changes the link
            if (next == current) {
                change(file);
                transaction.commit();
                return file.generation();
            }
        } catch (const sql::SqlError&) {
            next = models.current();
            if (next == current) throw;  // or else its file was removed just now
        }
        current = next;
    }
    throw never_built(models.name());
}

Generation change_state(const EventStore& store, std::string_view name, std::string_view state,
                        const std::string& sqlite_vfs) {
    const ModelsFolder models{store.models_folder(), name};
    return naming(models.name(), [&] {
        return change_current(models, sqlite_vfs, [&](GenerationFile& file) { file.write_state(state); });
    });
}

// The newest kept generation below the current one, or the one that was asked for.
std::int64_t kept_generation(const ModelsFolder& models, std::int64_t current, std::optional<std::int64_t> wanted,
                             const std::string& sqlite_vfs) {
    auto numbers = models.generations();
    std::reverse(numbers.begin(), numbers.end());
    for (const auto number : numbers) {
        if (wanted ? number != *wanted : number >= current) continue;
        if (number == current) break;
        const auto db = open_database(models.file(number), Access::read, sqlite_vfs);
        if (read_generation(db.get()).kept) return number;
    }
    throw NotFound{"projection \"" + models.name() + "\": " +
                       (wanted ? "generation " + std::to_string(*wanted) + " was not kept"
                               : "no generation before " + std::to_string(current) + " was kept") +
                       "; generations are kept by a rebuild that is asked to",
                   {{"projection", models.name()}}};
}

GenerationOnDisk describe(const ModelsFolder& models, std::int64_t number, const std::string& sqlite_vfs) {
    GenerationOnDisk found;
    found.file = models.file(number);
    found.generation.name = models.name();
    found.generation.number = number;
    try {
        const auto db = open_database(found.file, Access::read, sqlite_vfs, 0);
        found.generation = read_generation(db.get());
    } catch (const sql::SqlError& error) {
        // Only a build has its file for itself.
        constexpr int primary = 0xff;
        const bool in_use = (error.result_code() & primary) == SQLITE_BUSY;
        found.generation.state = in_use ? "building" : "broken";
        if (!in_use) found.error = error.what();
    }
    std::error_code ignored;
    for (const auto* suffix : {"", "-wal"}) {
        const auto size = fs::file_size(found.file.string() + suffix, ignored);
        if (!ignored) found.bytes += static_cast<std::int64_t>(size);
    }
    return found;
}

}  // namespace

Generation pause(const EventStore& store, std::string_view name, const std::string& sqlite_vfs) {
    return change_state(store, name, "paused", sqlite_vfs);
}

Generation resume(const EventStore& store, std::string_view name, const std::string& sqlite_vfs) {
    // A build that failed is tried again by a runner.
    if (const auto control = ControlDb::open_existing(store.models_folder().parent_path(), sqlite_vfs))
        forget_build(*control, name);
    return change_state(store, name, "live", sqlite_vfs);
}

void drop(const EventStore& store, std::string_view name, const std::string& sqlite_vfs) {
    const ModelsFolder models{store.models_folder(), name};
    naming(models.name(), [&] {
        if (models.generations().empty() && !models.current()) throw never_built(models.name());
        ProjectionLock lock{models};
        lock.remember_number(std::max(lock.highest_number(), models.current().value_or(0)));
        // First, so that no runner builds it again behind us.
        ControlDb{store.models_folder().parent_path(), sqlite_vfs}.set_dropped(models.name(), true);
        try {
            // Whoever advances it finds this, and stops.
            change_current(models, sqlite_vfs, [&](GenerationFile& file) {
                file.write_state("retired");
                models.remove_link();
            });
        } catch (const NotFound&) {
            // There are files without a link: an unfinished first build.
        } catch (const sql::SqlError&) {
            models.remove_link();  // a file that is damaged has to go all the more
        }
        models.remove_all();
    });
}

Generation rollback(const EventStore& store, std::string_view name, std::optional<std::int64_t> generation,
                    const std::string& sqlite_vfs) {
    const ModelsFolder models{store.models_folder(), name};
    return naming(models.name(), [&] {
        if (!models.current()) throw never_built(models.name());
        const ProjectionLock lock{models};
        const auto current = *models.current();
        const auto number = kept_generation(models, current, generation, sqlite_vfs);

        auto from = GenerationFile::open(models.file(current), sqlite_vfs);
        auto to = GenerationFile::open(models.file(number), sqlite_vfs);
        const Precedence first{models};
        {
            WriteTransaction transaction{from.db()};
            from.write_kept(true);  // now, so that it is kept even if we are killed once the link has changed
            transaction.commit();
        }
        WriteTransaction switching{from.db()};  // nobody advances it from here on
        const auto before = from.generation();
        const auto target = to.generation();
        const bool same = before.fingerprint == target.fingerprint && before.version == target.version;
        to.claim(std::max(before.token, target.token));
        {
            // While it is not current, nobody acts on its state.
            sql::execute(to.db(), "PRAGMA synchronous = FULL");
            WriteTransaction transaction{to.db()};
            to.write_state(same ? "live" : "paused");
            transaction.commit();
        }
        models.switch_to(number);
        from.write_state("retired");
        switching.commit();
        return to.generation();
    });
}

std::vector<GenerationOnDisk> generations(const EventStore& store, std::string_view name,
                                          const std::string& sqlite_vfs) {
    const ModelsFolder models{store.models_folder(), name};
    return naming(models.name(), [&] {
        std::vector<GenerationOnDisk> all;
        const auto current = models.current();
        for (const auto number : models.generations()) {
            all.push_back(describe(models, number, sqlite_vfs));
            all.back().current = number == current;
        }
        return all;
    });
}

}  // namespace stele
