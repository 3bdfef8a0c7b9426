#include <stele/projections/read_model.hpp>

#include "database.hpp"
#include "generation_file.hpp"
#include "models_folder.hpp"
#include "naming.hpp"

#include <stele/schema/sql/compiler.hpp>
#include <stele/store/event_store.hpp>

#include <sqlite3.h>

namespace stele {

struct ReadModel::State {
    std::string name;
    Database db;
    sql::Compiler compiler;

    State(std::string projection, Database database)
        : name(std::move(projection)), db(std::move(database)), compiler(db.get(), sql::Compiler::Kind::reader) {}
};

ReadModel ReadModel::open(const EventStore& store, std::string_view name) {
    return open(store.models_folder(), name);
}

ReadModel ReadModel::open(const std::filesystem::path& folder, std::string_view name,
                          const std::string& sqlite_vfs) {
    const ModelsFolder models{folder, name};
    for (auto current = models.current(); current;) {
        try {
            // The file itself and not the link: SQLite would look where the link leads, and open that a moment
            // later.
            auto db = open_database(models.file(*current), Access::read, sqlite_vfs);
            (void)read_generation(db.get());
            return ReadModel{std::make_unique<State>(models.name(), std::move(db))};
        } catch (const sql::SqlError& error) {
            // A rebuild that ended just now took the file away; then the link leads elsewhere.
            const auto next = models.current();
            if (next == current)
                throw ProjectionError{"projection_file", models.name(), error.what(), error.facts()};
            current = next;
        }
    }
    throw never_built(models.name());
}

ReadModel::ReadModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
ReadModel::ReadModel(ReadModel&&) noexcept = default;
ReadModel& ReadModel::operator=(ReadModel&&) noexcept = default;
ReadModel::~ReadModel() = default;

Generation ReadModel::generation() const {
    try {
        return read_generation(state_->db.get());
    } catch (const sql::SqlError& error) {
        throw ProjectionError{"projection_file", state_->name, error.what(), error.facts()};
    }
}

Rows ReadModel::query(std::string_view sql) const { return query(sql::SqlText{std::string{sql}, "query", 1}); }

Rows ReadModel::query(const sql::SqlText& sql) const {
    return Rows{std::make_shared<sql::Statement>(state_->compiler.statement(sql, sql::Allow::query))};
}

}  // namespace stele
