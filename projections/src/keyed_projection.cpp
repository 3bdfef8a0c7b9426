#include <stele/projections/keyed_projection.hpp>

namespace stele::detail {

StateTable::StateTable(const std::string& projection, bool integer_keys) {
    // Names of projections may hold a hyphen, and no quotes.
    const auto table = "\"" + projection + "\"";
    // WITHOUT ROWID, so that rows lie in the order of their keys: however events are cut into batches, the table is
    // the same.
    create_ = "CREATE TABLE " + table +
              (integer_keys ? " (key INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT"
                            : " (key TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID");
    select_ = "SELECT state FROM " + table + " WHERE key = ?1";
    upsert_ = "INSERT INTO " + table + " (key, state) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET state = ?2";
    delete_ = "DELETE FROM " + table + " WHERE key = ?1";
}

void StateTable::setup(Model& model) const { model.exec(create_); }

}  // namespace stele::detail
