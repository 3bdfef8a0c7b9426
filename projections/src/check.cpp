#include <stele/projections/check.hpp>

#include "background.hpp"
#include "check_folder.hpp"
#include "compare_tables.hpp"
#include "fold.hpp"
#include "for_store.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"
#include "same_log.hpp"

#include <sqlite3.h>

#include <optional>
#include <utility>

namespace stele {
namespace {

constexpr std::size_t batch = 50'000;  // as in a rebuild: see generation_build.hpp

// The file that is current now; it stays the one that is checked, whatever takes its place meanwhile.
Database open_current(const ModelsFolder& models, const std::string& sqlite_vfs) {
    for (auto current = models.current(); current;) {
        try {
            auto db = open_database(models.file(*current), Access::read, sqlite_vfs);
            (void)read_generation(db.get());
            return db;
        } catch (const sql::SqlError&) {
            // A rebuild that ended just now took the file away; then the link leads elsewhere.
            const auto next = models.current();
            if (next == current) throw;
            current = next;
        }
    }
    throw never_built(models.name());
}

bool is_built_by(const Generation& generation, const Projection& projection) {
    return generation.fingerprint == projection.fingerprint() && generation.version == projection.version();
}

void require_comparable(const Generation& generation, const Projection& projection, const EventStore& store) {
    if (!is_built_by(generation, projection)) {
        throw ProjectionError{"projection_changed", projection.name(),
                              "expected a read model built by the definition of version " +
                                  std::to_string(projection.version()) + ", found one built by another (version " +
                                  std::to_string(generation.version) + "); rebuild it"};
    }
    if (const auto error = not_of_this_log(store, generation)) throw *error;
}

// A fold of the log that is a check's own.
class OwnFold {
public:
    OwnFold(const EventStore& store, const Projection& projection, const CheckOptions& options, GenerationFile file)
        : file_(std::move(file)),
          model_(file_.db(), projection.name()),
          fold_(store, projection, file_, sealed(model_), {"building", batch, options.progress, options.stop}) {}

    /// False where it was stopped.
    [[nodiscard]] bool advance_to(Position position) {
        if (fold_.position() < position) fold_.run(position);
        return !fold_.stopped();
    }

    [[nodiscard]] sqlite3* db() const noexcept { return file_.db(); }
    [[nodiscard]] std::int64_t events() const noexcept { return fold_.events(); }

private:
    static Model& sealed(Model& model) {
        model.seal();
        return model;
    }

    GenerationFile file_;
    Model model_;
    Fold fold_;
};

// One check under way.
class Check {
public:
    Check(const EventStore& store, const Projection& projection, const CheckOptions& options)
        : store_(store),
          projection_(projection),
          options_(options),
          models_(store.models_folder(), projection.name()) {}

    std::optional<Checked> run() {
        const auto stored = open_current(models_, options_.sqlite_vfs);
        auto generation = read_generation(stored.get());
        require_comparable(generation, projection_, store_);
        const CheckFolder folder{models_};

        OwnFold fold{store_, projection_, options_, file_to_fold_into(generation.position, folder)};

        // Most of the way without a snapshot: as long as one is held, the read model's WAL cannot be used again.
        if (!fold.advance_to(generation.position)) return std::nullopt;
        sql::execute(stored.get(), "BEGIN");
        Checked checked;
        checked.generation = read_generation(stored.get());
        if (!fold.advance_to(checked.generation.position)) return std::nullopt;
        checked.events = fold.events();
        TableComparison comparison{
            stored.get(), fold.db(), {options_.sample, options_.seed, options_.most_differences, options_.stop}};
        if (!comparison.run(checked)) return std::nullopt;
        return checked;
    }

private:
    // With a sample, what the last such check left; it is this one's alone, and each of its transactions is a mark
    // to go on from.
    GenerationFile file_to_fold_into(Position position, const CheckFolder& folder) const {
        constexpr std::int64_t number = 1;
        if (!options_.sample)
            return GenerationFile::create(folder.fresh(), projection_, number, options_.sqlite_vfs);
        if (has_copy_up_to(position, folder)) return GenerationFile::open_build(folder.copy(), options_.sqlite_vfs);
        folder.discard_copy();
        return GenerationFile::create(folder.copy(), projection_, number, options_.sqlite_vfs);
    }

    // Whether the copy is one of this definition, and not beyond the position: a fold cannot go back.
    bool has_copy_up_to(Position position, const CheckFolder& folder) const {
        if (!std::filesystem::exists(folder.copy())) return false;
        try {
            const auto db = open_database(folder.copy(), Access::read, options_.sqlite_vfs);
            const auto copy = read_generation(db.get());
            return is_built_by(copy, projection_) && copy.position <= position && copy.state == "building" &&
                   !not_of_this_log(store_, copy);
        } catch (const sql::SqlError&) {
            return false;
        }
    }

    const EventStore& store_;
    const Projection& projection_;
    const CheckOptions& options_;
    ModelsFolder models_;
};

}  // namespace

std::optional<Checked> check(const EventStore& store, const Projection& given, const CheckOptions& options) {
    const auto through = for_store(store, given);
    const auto& projection = *through;
    return naming(projection.name(), [&]() -> std::optional<Checked> {
        try {
            std::optional<Checked> checked;
            in_background(options.niceness, [&] { checked = Check{store, projection, options}.run(); });
            return checked;
        } catch (const sql::SqlError& error) {
            constexpr int primary = 0xff;
            const int code = error.result_code() & primary;
            if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB) throw;
            // So damaged that it cannot even be read: that is what a check is to find.
            Checked checked;
            checked.generation.name = projection.name();
            checked.differences = 1;
            checked.first.push_back({.kind = Difference::Kind::file,
                                     .table = {},
                                     .key = {},
                                     .column = {},
                                     .stored = std::string{error.what()}});
            return checked;
        }
    });
}

}  // namespace stele
