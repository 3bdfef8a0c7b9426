#include "bare_log.hpp"

#include "workload.hpp"

#include <cstring>

// The text of store/src/sqlite/schema.sql, as the store embeds it: both sides have the same tables.
namespace stele::sqlite {
extern const char* const schema_sql;
}

namespace stele::bench {
namespace {

constexpr const char* event_columns =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags ";

[[noreturn]] void fail(sqlite3* db, std::string_view doing) {
    throw BenchError("bare SQLite: " + std::string(doing) + ": " + sqlite3_errmsg(db));
}

void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

std::string_view text_of(sqlite3_stmt* statement, int column) {
    const void* bytes = sqlite3_column_blob(statement, column);  // the same bytes as the text: it is UTF-8
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

Database make_bare(const std::filesystem::path& file, Durability durability) {
    auto db = open_bare(file, durability);
    execute(db.get(), sqlite::schema_sql);
    return db;
}

std::string tags_json(const std::vector<std::string>& tags) { return nlohmann::json(tags).dump(); }

}  // namespace

Database open_bare(const std::filesystem::path& file, Durability durability) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(file.c_str(), &raw,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database db{raw, &sqlite3_close};
    if (opened != SQLITE_OK) fail(raw, "open " + file.string());
    // As on the store's own writer: the triggers are there against others.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    execute(raw, "PRAGMA page_size = 4096");
    execute(raw, "PRAGMA journal_mode = WAL");
    execute(raw, "PRAGMA wal_autocheckpoint = 10000");
    execute(raw, durability == Durability::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    return db;
}

Statement prepare(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const int prepared =
        sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    Statement statement{raw, &sqlite3_finalize};
    if (prepared != SQLITE_OK) fail(db, sql);
    return statement;
}

void execute(sqlite3* db, const std::string& sql) {
    if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(db, sql);
}

void step_once(sqlite3_stmt* statement) {
    const int stepped = sqlite3_step(statement);
    if (stepped != SQLITE_DONE) fail(sqlite3_db_handle(statement), sqlite3_sql(statement));
    sqlite3_reset(statement);
}

BareLog::BareLog(const std::filesystem::path& file, Durability durability, const std::vector<StreamId>& streams,
                 const std::vector<std::string>& types)
    : streams_(streams),
      types_(types),
      db_(make_bare(file, durability)),
      begin_(prepare(db_.get(), "BEGIN IMMEDIATE")),
      commit_(prepare(db_.get(), "COMMIT")),
      insert_event_(prepare(db_.get(), "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")),
      insert_tag_(prepare(db_.get(), "INSERT INTO event_tags VALUES (?1, ?2, ?3)")),
      insert_stream_(prepare(db_.get(), "INSERT INTO streams VALUES (?1, ?2, ?3, ?4)")),
      insert_type_(prepare(db_.get(), "INSERT INTO types VALUES (?1, ?2)")),
      versions_(streams.size()),
      stream_numbers_(streams.size()),
      type_numbers_(types.size()) {}

void BareLog::insert(const PlannedEvent& planned, Timestamp recorded_at) {
    if (versions_[planned.stream] == 0) add_stream(planned.stream);
    if (type_numbers_[planned.type] == 0) add_type(planned.type);

    const NewEvent& event = planned.event;
    const std::int64_t position = ++head_;
    const std::int64_t type = type_numbers_[planned.type];
    const auto tags = event.tags.empty() ? std::string{} : tags_json(event.tags);

    sqlite3_stmt* insert = insert_event_.get();
    sqlite3_bind_int64(insert, 1, position);
    sqlite3_bind_int64(insert, 2, stream_numbers_[planned.stream]);
    sqlite3_bind_int64(insert, 3, ++versions_[planned.stream]);
    sqlite3_bind_int64(insert, 4, type);
    sqlite3_bind_int(insert, 5, event.schema_version);
    sqlite3_bind_blob(insert, 6, event.id.bytes().data(), 16, SQLITE_STATIC);
    if (event.occurred_at)
        sqlite3_bind_int64(insert, 7, event.occurred_at->time_since_epoch().count());
    else
        sqlite3_bind_null(insert, 7);
    sqlite3_bind_int64(insert, 8, recorded_at.time_since_epoch().count());
    bind_text(insert, 9, event.data.text());
    bind_text(insert, 10, event.metadata.text());
    if (tags.empty())
        sqlite3_bind_null(insert, 11);
    else
        bind_text(insert, 11, tags);
    step_once(insert);

    for (const auto& tag : event.tags) {
        bind_text(insert_tag_.get(), 1, tag);
        sqlite3_bind_int64(insert_tag_.get(), 2, type);
        sqlite3_bind_int64(insert_tag_.get(), 3, position);
        step_once(insert_tag_.get());
    }
}

void BareLog::add_stream(std::size_t index) {
    const StreamId& stream = streams_[index];
    stream_numbers_[index] = ++streams_in_file_;
    sqlite3_bind_int64(insert_stream_.get(), 1, stream_numbers_[index]);
    bind_text(insert_stream_.get(), 2, stream.tenant());
    bind_text(insert_stream_.get(), 3, stream.aggregate_type());
    bind_text(insert_stream_.get(), 4, stream.aggregate_id());
    step_once(insert_stream_.get());
}

void BareLog::add_type(std::size_t index) {
    type_numbers_[index] = ++types_in_file_;
    sqlite3_bind_int64(insert_type_.get(), 1, type_numbers_[index]);
    bind_text(insert_type_.get(), 2, types_[index]);
    step_once(insert_type_.get());
}

BareReader::BareReader(const std::filesystem::path& file)
    : db_(open_bare(file, Durability::full)),
      read_stream_(
          prepare(db_.get(), std::string(event_columns) + "FROM events WHERE stream = ?1 ORDER BY version")),
      read_log_(prepare(db_.get(), std::string(event_columns) + "FROM events ORDER BY position")),
      stream_name_(prepare(db_.get(),
                           "SELECT CASE WHEN tenant = '' THEN '' ELSE tenant || ':' END || "
                           "aggregate_type || '/' || aggregate_id FROM streams WHERE stream = ?1")),
      stream_number_(prepare(db_.get(),
                             "SELECT stream FROM streams "
                             "WHERE tenant = ?1 AND aggregate_type = ?2 AND aggregate_id = ?3")) {
    const auto types = prepare(db_.get(), "SELECT type, name FROM types");
    while (sqlite3_step(types.get()) == SQLITE_ROW) {
        const auto number = static_cast<std::size_t>(sqlite3_column_int64(types.get(), 0));
        if (types_.size() <= number) types_.resize(number + 1);
        types_[number] = text_of(types.get(), 1);
    }
}

void BareReader::read_stream(std::int64_t stream, std::vector<BareRow>& rows) {
    sqlite3_stmt* read = read_stream_.get();
    sqlite3_bind_int64(read, 1, stream);
    std::size_t count = 0;
    while (sqlite3_step(read) == SQLITE_ROW) {
        if (rows.size() == count) rows.emplace_back();
        copy_out(read, rows[count++]);
    }
    rows.resize(count);
    sqlite3_reset(read);
}

bool BareReader::step_log() {
    if (sqlite3_step(read_log_.get()) == SQLITE_ROW) {
        copy_out(read_log_.get(), row_);
        return true;
    }
    sqlite3_reset(read_log_.get());
    return false;
}

void BareReader::copy_out(sqlite3_stmt* statement, BareRow& row) const {
    row.position = sqlite3_column_int64(statement, 0);
    row.stream = sqlite3_column_int64(statement, 1);
    row.version = sqlite3_column_int64(statement, 2);
    row.type = types_[static_cast<std::size_t>(sqlite3_column_int64(statement, 3))];
    row.schema_version = sqlite3_column_int(statement, 4);
    std::memcpy(row.id, sqlite3_column_blob(statement, 5), sizeof row.id);
    row.recorded_at = sqlite3_column_int64(statement, 7);
    row.occurred_at =
        sqlite3_column_type(statement, 6) == SQLITE_NULL ? row.recorded_at : sqlite3_column_int64(statement, 6);
    row.data.assign(text_of(statement, 8));
    row.metadata.assign(text_of(statement, 9));
    row.tags.assign(text_of(statement, 10));
}

std::string BareReader::stream_name(std::int64_t stream) {
    sqlite3_bind_int64(stream_name_.get(), 1, stream);
    if (sqlite3_step(stream_name_.get()) != SQLITE_ROW) fail(db_.get(), "no stream " + std::to_string(stream));
    std::string name{text_of(stream_name_.get(), 0)};
    sqlite3_reset(stream_name_.get());
    return name;
}

std::int64_t BareReader::stream_number(const StreamId& stream) {
    bind_text(stream_number_.get(), 1, stream.tenant());
    bind_text(stream_number_.get(), 2, stream.aggregate_type());
    bind_text(stream_number_.get(), 3, stream.aggregate_id());
    if (sqlite3_step(stream_number_.get()) != SQLITE_ROW) fail(db_.get(), "no stream " + stream.name());
    const auto number = sqlite3_column_int64(stream_number_.get(), 0);
    sqlite3_reset(stream_number_.get());
    return number;
}

}  // namespace stele::bench
