#include "sqlite_backend.hpp"

#include "log_walk.hpp"

namespace stele::sqlite {

namespace fs = std::filesystem;

namespace {

/// Makes the file before anything opens it.
fs::path prepared(const fs::path& folder, const Options& options) {
    prepare_file(folder, options);
    return fs::absolute(folder) / "events.db";
}

std::int64_t size_of(const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    return error ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace

SqliteBackend::SqliteBackend(fs::path folder, const Options& options)
    : folder_(std::move(folder)),
      file_(prepared(folder_, options)),
      options_(options),
      readers_(file_, options),
      schema_guard_(
          folder_.string(), [this] { return stored_schemas(); }, options.event_types),
      schema_tables_(file_, folder_.string(), options_),
      wakeup_([this] { return changed_elsewhere(); }) {}

bool SqliteBackend::commit(PendingSource& source, std::chrono::steady_clock::time_point deadline) {
    if (!writer_) writer_ = std::make_unique<Writer>(file_, folder_.string(), options_, schema_guard_);
    return writer_->commit(source, deadline);
}

std::unique_ptr<LogCursor> SqliteBackend::open(const Read& read) {
    return std::make_unique<LogWalk>(readers_, read);
}

std::optional<Event> SqliteBackend::find(const EventId& id) { return readers_.borrow()->find(id); }
std::optional<Event> SqliteBackend::at(Position position) { return readers_.borrow()->at(position); }
Position SqliteBackend::head() { return readers_.borrow()->head(); }
std::optional<Version> SqliteBackend::version(const StreamId& stream) { return readers_.borrow()->version(stream); }
Position SqliteBackend::position_at(Timestamp time) { return readers_.borrow()->position_at(time); }
std::optional<Tracking> SqliteBackend::tracked(const std::string& source) {
    return readers_.borrow()->tracked(source);
}

void SqliteBackend::streams(const std::function<bool(const StreamInfo&)>& visit) {
    std::optional<StreamId> last;
    for (;;) {
        // The reader goes back before the caller's code runs: it may read on its own.
        const auto page = readers_.borrow()->streams_behind(last);
        if (page.empty()) return;
        for (const auto& info : page) {
            if (!visit(info)) return;
        }
        last = page.back().stream;
    }
}

std::vector<TypeInfo> SqliteBackend::types() {
    auto types = readers_.borrow()->types();
    std::sort(types.begin(), types.end(), [](const TypeInfo& a, const TypeInfo& b) { return a.type < b.type; });
    return types;
}

StoreInfo SqliteBackend::info() {
    const auto reader = readers_.borrow();
    const Reader::View view{*reader};
    return {.name = folder_.string(),
            .backend = "sqlite",
            .format = format_of(reader->handle()),
            .head = reader->head(),
            .streams = reader->count("streams"),
            .types = reader->count("types"),
            .bytes = size_of(file_) + size_of(file_.string() + "-wal")};
}

bool SqliteBackend::has_aggregate_type(const std::string& type) {
    return readers_.borrow()->has_aggregate_type(type);
}

StoredSchemas SqliteBackend::stored_schemas() {
    const auto reader = readers_.borrow();
    const Reader::View view{*reader};
    return read_schemas(reader->handle());
}

std::vector<RecordedSchema> SqliteBackend::record_schemas(std::vector<RecordedSchema> schemas) {
    auto recorded = schema_tables_.record(std::move(schemas));
    schema_guard_.update(stored_schemas());
    return recorded;
}

void SqliteBackend::set_schema_mode(SchemaMode mode) {
    schema_tables_.set_mode(mode);
    schema_guard_.update(stored_schemas());
}

void SqliteBackend::wait(std::uint64_t ticket, std::chrono::steady_clock::time_point deadline,
                         const std::function<bool()>& stopped) {
    wakeup_.wait(ticket, deadline, stopped);
}

bool SqliteBackend::changed_elsewhere() {
    if (!lookout_) {
        auto db = open_reader(file_, options_);
        auto* handle = db.getHandle();
        lookout_.reset(new Lookout{std::move(db), {handle, "PRAGMA data_version"}});
    }
    const Use row{lookout_->data_version};
    row->step();
    return std::exchange(lookout_->seen, row->integer(0)) != row->integer(0);
}

}  // namespace stele::sqlite
