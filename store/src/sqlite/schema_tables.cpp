#include "schema_tables.hpp"

#include <chrono>
#include <thread>

namespace stele::sqlite {

namespace {

/// What a store is upgraded by. Older builds refuse the file from then on: they would not check what they append.
void make_tables(sqlite3* db) {
    const auto statements =
        std::string{schemas_sql} + "PRAGMA user_version = " + std::to_string(newest_format) + ";";
    const int code = sqlite3_exec(db, statements.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw_error(db, code, "make the tables of schemas");
}

}  // namespace

int format_of(sqlite3* db) {
    Statement row{db, "PRAGMA user_version"};
    row.step();
    return static_cast<int>(row.integer(0));
}

std::uint64_t schema_generation(sqlite3* db) {
    if (format_of(db) < format_with_schemas) return 0;
    Statement row{db, sql::schema_generation};
    return row.step() ? static_cast<std::uint64_t>(row.integer(0)) : 0;
}

StoredSchemas read_schemas(sqlite3* db) {
    StoredSchemas stored;
    if (format_of(db) < format_with_schemas) return stored;
    Statement settings{db, sql::schema_settings};
    if (settings.step()) {
        stored.generation = static_cast<std::uint64_t>(settings.integer(0));
        stored.mode = parse_schema_mode(settings.text(1), "the store's schema mode");
    }
    Statement row{db, sql::recorded_schemas};
    while (row.step()) {
        stored.schemas.push_back({.type = std::string{row.text(0)},
                                  .version = static_cast<int>(row.integer(1)),
                                  .document = JsonText::trusted(std::string{row.text(2)}),
                                  .fingerprint = std::string{row.text(3)},
                                  .since = time_of(row.integer(4))});
    }
    return stored;
}

/// Looks often, as the writer does: where others append without a pause, SQLite's own patience hardly ever finds
/// the moment in between.
void SchemaTables::begin(sqlite3* db) const {
    constexpr std::chrono::microseconds pause{200};
    const auto give_up = std::chrono::steady_clock::now() + options_.deadline;
    sqlite3_busy_timeout(db, 0);
    Statement begin{db, "BEGIN IMMEDIATE"};
    for (;;) {
        const int code = begin.try_step();
        begin.reset();
        if (code == SQLITE_DONE) return;
        if ((code & 0xff) != SQLITE_BUSY) throw_error(db, code, "begin");
        if (std::chrono::steady_clock::now() >= give_up) {
            throw StoreBusy{store_, "another process that holds the log", options_.deadline};
        }
        std::this_thread::sleep_for(pause);
    }
}

/// On a connection of its own, which holds the write lock from before it looks until it commits.
template <class Work>
void SchemaTables::write(const Work& work) {
    auto db = open_writer(file_, options_);
    auto* handle = db.getHandle();
    begin(handle);
    if (format_of(handle) < format_with_schemas) make_tables(handle);
    if (!work(handle)) return;
    Statement changed{handle, sql::schemas_changed};
    changed.step();
    changed.reset();
    Statement commit{handle, "COMMIT"};
    commit.step();
}  // without a commit, closing the connection rolls back

std::vector<RecordedSchema> SchemaTables::record(std::vector<RecordedSchema> schemas) {
    std::vector<RecordedSchema> recorded;
    write([&](sqlite3* db) {
        const auto since = options_.clock();
        for (auto& schema : schemas) {
            Statement known{db, sql::recorded_schema};
            known.bind(1, schema.type);
            known.bind(2, schema.version);
            if (known.step()) {
                if (known.text(1) == schema.fingerprint) continue;
                throw SchemaChanged{store_,
                                    {.type = schema.type,
                                     .version = schema.version,
                                     .document = JsonText::trusted(std::string{known.text(0)}),
                                     .fingerprint = std::string{known.text(1)},
                                     .since = time_of(known.integer(2))},
                                    schema.fingerprint,
                                    {}};
            }
            schema.since = since;
            Statement insert{db, sql::record_schema};
            insert.bind(1, schema.type);
            insert.bind(2, schema.version);
            insert.bind(3, schema.document.text());
            insert.bind(4, schema.fingerprint);
            insert.bind(5, since.time_since_epoch().count());
            insert.step();
            recorded.push_back(std::move(schema));
        }
        return !recorded.empty();
    });
    return recorded;
}

void SchemaTables::set_mode(SchemaMode mode) {
    write([&](sqlite3* db) {
        Statement set{db, sql::set_schema_mode};
        set.bind(1, to_string(mode));
        set.step();
        return true;
    });
}

}  // namespace stele::sqlite
