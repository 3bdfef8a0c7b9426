// SqliteBackend: the log in one folder, with SQLite inside.
#pragma once

#include "../backend.hpp"
#include "../schema_guard.hpp"
#include "../wakeup.hpp"
#include "reader.hpp"
#include "schema_tables.hpp"
#include "writer.hpp"

#include <filesystem>
#include <mutex>

namespace stele::sqlite {

class SqliteBackend final : public Backend {
public:
    /// Opens the store in `folder`, making it where Options say so.
    SqliteBackend(std::filesystem::path folder, const Options& options);

    bool commit(PendingSource& source, std::chrono::steady_clock::time_point deadline) override;
    std::unique_ptr<LogCursor> open(const Read& read) override;
    std::optional<Event> find(const EventId& id) override;
    std::optional<Event> at(Position position) override;
    Position head() override;
    std::optional<Version> version(const StreamId& stream) override;
    Position position_at(Timestamp time) override;
    std::optional<Tracking> tracked(const std::string& source) override;
    void streams(const std::function<bool(const StreamInfo&)>& visit) override;
    std::vector<TypeInfo> types() override;
    StoreInfo info() override;
    bool has_aggregate_type(const std::string& type) override;
    SchemaGuard& schema_guard() override { return schema_guard_; }
    StoredSchemas stored_schemas() override;
    std::vector<RecordedSchema> record_schemas(std::vector<RecordedSchema> schemas) override;
    void set_schema_mode(SchemaMode mode) override;

    void wake() noexcept override { wakeup_.wake(); }
    std::uint64_t ticket() noexcept override { return wakeup_.ticket(); }
    void wait(std::uint64_t ticket, std::chrono::steady_clock::time_point deadline,
              const std::function<bool()>& stopped) override;
    void kick() noexcept override { wakeup_.kick(); }

private:
    bool changed_elsewhere();

    const std::filesystem::path folder_;  ///< as given: what messages say
    const std::filesystem::path file_;    ///< absolute: the process may change its folder
    const Options options_;
    ReaderPool readers_;
    SchemaGuard schema_guard_;
    SchemaTables schema_tables_;
    std::unique_ptr<Writer> writer_;  ///< made by the first append: who only reads needs none

    /// Notices commits of other processes: `PRAGMA data_version` changes with each commit that this connection did
    /// not make, and it makes none. Used by one thread at a time, see Wakeup.
    struct Lookout {
        SQLite::Database db;
        Statement data_version;
        std::int64_t seen = -1;
    };
    std::unique_ptr<Lookout> lookout_;
    Wakeup wakeup_;
};

}  // namespace stele::sqlite
