#include "bare_projection.hpp"

#include "workload.hpp"

namespace stele::bench {

void build_bare(const std::filesystem::path& log_file, const std::filesystem::path& model_file,
                const std::string& table) {
    static constexpr std::int64_t events_a_commit = 10'000;
    const auto log = open_bare(log_file, Durability::full);
    const auto model = open_bare(model_file, Durability::relaxed);
    execute(model.get(), "CREATE TABLE " + table + stream_sizes_columns);
    const auto read = prepare(
        log.get(), "SELECT position, aggregate_id FROM events JOIN streams USING (stream) ORDER BY position");
    const auto upsert =
        prepare(model.get(), "INSERT INTO " + table +
                                 " VALUES (?1, 1, ?2) "
                                 "ON CONFLICT (stream) DO UPDATE SET events = events + 1, last = excluded.last");
    execute(model.get(), "BEGIN IMMEDIATE");
    while (sqlite3_step(read.get()) == SQLITE_ROW) {
        const auto position = sqlite3_column_int64(read.get(), 0);
        const auto* key = reinterpret_cast<const char*>(sqlite3_column_text(read.get(), 1));
        sqlite3_bind_text(upsert.get(), 1, key, sqlite3_column_bytes(read.get(), 1), SQLITE_STATIC);
        sqlite3_bind_int64(upsert.get(), 2, position);
        step_once(upsert.get());
        if (position % events_a_commit == 0) execute(model.get(), "COMMIT; BEGIN IMMEDIATE");
    }
    execute(model.get(), "COMMIT");
}

std::string rows_of(const std::filesystem::path& model, const std::string& query) {
    const auto db = open_bare(model, Durability::full);
    const auto read = prepare(db.get(), query);
    std::string rows;
    while (sqlite3_step(read.get()) == SQLITE_ROW)
        rows.append(reinterpret_cast<const char*>(sqlite3_column_text(read.get(), 0))) += '\n';
    if (rows.empty()) throw BenchError("bench: " + model.string() + ": no rows: " + query);
    return rows;
}

std::string stream_sizes_query(const std::string& table) {
    return "SELECT stream || ' ' || events || ' ' || last FROM " + table + " ORDER BY stream";
}

std::string stream_sizes_of(const std::filesystem::path& model, const std::string& table) {
    return rows_of(model, stream_sizes_query(table));
}

}  // namespace stele::bench
