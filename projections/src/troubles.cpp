#include "troubles.hpp"

namespace stele {

std::optional<Trouble> trouble_of(ControlDb& control, std::string_view projection) {
    return control.read([&](sqlite3* db) -> std::optional<Trouble> {
        sql::Statement row{db, "SELECT runner, text, since FROM troubles WHERE projection = ?1"};
        row.bind(1, projection);
        if (!row.step()) return std::nullopt;
        Trouble found;
        found.runner = row.integer(0);
        found.text = row.text(1);
        found.since = parse_rfc3339(row.text(2), "since");
        return found;
    });
}

void show_trouble(ControlDb& control, const Member& runner, std::string_view projection, std::string_view text) {
    control.write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement row{
            db, "INSERT OR REPLACE INTO troubles (projection, runner, text, since) VALUES (?1, ?2, ?3, ?4)"};
        const auto since = to_rfc3339(now());
        row.bind(1, projection);
        row.bind(2, runner.number());
        row.bind(3, text);
        row.bind(4, since);
        row.run();
    });
}

void end_trouble(ControlDb& control, const Member& runner, std::string_view projection) {
    control.write(ControlDb::Sync::none, [&](sqlite3* db) {
        sql::Statement row{db, "DELETE FROM troubles WHERE projection = ?1 AND runner = ?2"};
        row.bind(1, projection);
        row.bind(2, runner.number());
        row.run();
    });
}

}  // namespace stele
