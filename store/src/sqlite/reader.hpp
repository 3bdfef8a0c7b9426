// Reader: one connection that reads, and the walk of a read over it in pages.
#pragma once

#include "../backend.hpp"
#include "connection.hpp"
#include "finder.hpp"
#include "row_scan.hpp"
#include "scan_vfs.hpp"

#include <SQLiteCpp/Database.h>

#include <array>
#include <memory>
#include <mutex>
#include <vector>

namespace stele::sqlite {

namespace sql {
inline constexpr auto head = "SELECT max(position) FROM events";
inline constexpr auto recorded_at = "SELECT recorded_at FROM events WHERE position = ?1";
inline constexpr auto event_at =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags "
    "FROM events WHERE position = ?1";
inline constexpr auto log_forward =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags "
    "FROM events WHERE position >= ?1 AND position <= ?2 ORDER BY position";
/// The same without the parts of events that are not wanted: their columns are NULL, and are not looked for.
[[nodiscard]] std::string log_forward_with(const EventParts& parts);
inline constexpr auto log_backward =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags "
    "FROM events WHERE position >= ?1 AND position <= ?2 ORDER BY position DESC";
inline constexpr auto stream_forward =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags "
    "FROM events WHERE stream = ?3 AND version >= ?1 AND version <= ?2 ORDER BY version";
inline constexpr auto stream_reversed =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags "
    "FROM events WHERE stream = ?3 AND version >= ?1 AND version <= ?2 ORDER BY version DESC";
inline constexpr auto type_forward =
    "SELECT position, stream, version, type, schema_version, id, occurred_at, recorded_at, data, metadata, tags "
    "FROM events INDEXED BY events_by_type WHERE type = ?1 AND position >= ?2 AND position <= ?3 ORDER BY position";
inline constexpr auto id_at = "SELECT position FROM events WHERE id = ?1";
inline constexpr auto tracked_source = "SELECT position, note FROM tracking WHERE source = ?1";
inline constexpr auto streams_page =
    "SELECT stream, tenant, aggregate_type, aggregate_id FROM streams "
    "WHERE (tenant, aggregate_type, aggregate_id) > (?1, ?2, ?3) "
    "ORDER BY tenant, aggregate_type, aggregate_id LIMIT 256";
inline constexpr auto stream_end =
    "SELECT version, position, recorded_at FROM events WHERE stream = ?1 ORDER BY version DESC LIMIT 1";
/// Leaps from tenant to tenant, and looks for the type within each.
inline constexpr auto any_of_aggregate_type =
    "WITH RECURSIVE tenants(tenant) AS (SELECT min(tenant) FROM streams UNION ALL "
    "SELECT (SELECT min(s.tenant) FROM streams s WHERE s.tenant > tenants.tenant) FROM tenants "
    "WHERE tenants.tenant IS NOT NULL) "
    "SELECT 1 FROM tenants WHERE EXISTS "
    "(SELECT 1 FROM streams s WHERE s.tenant = tenants.tenant AND s.aggregate_type = ?1) LIMIT 1";
inline constexpr auto type_counts =
    "SELECT type, count(*), min(position), max(position) FROM events INDEXED BY events_by_type GROUP BY type";
}  // namespace sql

/// A connection that reads. One thread at a time.
class Reader {
public:
    Reader(const std::filesystem::path& file, const Options& options);

    std::optional<Event> find(const EventId& id);
    std::optional<Event> at(Position position);
    Position head();
    std::optional<Version> version(const StreamId& stream);
    Position position_at(Timestamp time);
    std::optional<Tracking> tracked(const std::string& source);
    std::vector<StreamInfo> streams_behind(const std::optional<StreamId>& last);
    std::vector<TypeInfo> types();
    std::int64_t count(const char* table);
    bool has_aggregate_type(const std::string& type);

    // For LogWalk.
    [[nodiscard]] sqlite3* handle() const noexcept { return db_.getHandle(); }
    Names& names() noexcept { return names_; }
    Finder& finder() noexcept { return finder_; }
    Statement& log(bool backward) noexcept { return backward ? log_backward_ : log_forward_; }
    /// The log forward, with the columns of these parts.
    Statement& log(const EventParts& parts);
    RowScan& row_scan();
    Statement& stream(bool backward) noexcept { return backward ? stream_backward_ : stream_forward_; }
    Statement& event_at() noexcept { return event_at_; }
    Statement& type_forward() noexcept { return type_forward_; }

    /// Puts the row that `row` stands on (a Statement), or is (a HandedRow), into `page[at]`, reusing its memory;
    /// of what may be left out, `parts`.
    template <class Row>
    void decode(const Row& row, std::vector<Event>& page, std::size_t at, const EventParts& parts = {});

    /// Holds one view of the log over several statements, until the scope ends. Within another one it is the same
    /// view, which ends with the outer one.
    class View {
    public:
        explicit View(Reader& reader);
        ~View();
        View(const View&) = delete;
        View& operator=(const View&) = delete;

    private:
        Reader& reader_;
        bool outermost_;
    };

private:
    SQLite::Database db_;
    Names names_;
    Finder finder_;
    Statement begin_;
    Statement end_;
    Statement head_;
    Statement recorded_at_;
    Statement event_at_;
    Statement log_forward_;
    std::array<std::unique_ptr<Statement>, 16> log_of_parts_;  ///< by which parts; made by the first who asks
    std::unique_ptr<RowScan> row_scan_;                        ///< likewise
    Statement log_backward_;
    Statement stream_forward_;
    Statement stream_backward_;
    Statement type_forward_;
    Statement id_at_;
    Statement tracked_;
    Statement streams_page_;
    Statement stream_end_;
    Statement type_counts_;
};

/// The readers of a store: lent to one caller at a time, made when none is free, a few kept.
class ReaderPool {
public:
    ReaderPool(std::filesystem::path file, const Options& options);

    class Loan {
    public:
        Loan(ReaderPool& pool, std::unique_ptr<Reader> reader) : pool_(pool), reader_(std::move(reader)) {}
        ~Loan() { pool_.give_back(std::move(reader_)); }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        Reader* operator->() const noexcept { return reader_.get(); }
        Reader& operator*() const noexcept { return *reader_; }

    private:
        ReaderPool& pool_;
        std::unique_ptr<Reader> reader_;
    };
    [[nodiscard]] Loan borrow();

private:
    static constexpr std::size_t most_idle =
        8;  ///< each knows names, in up to 20 MiB where it has read many streams
    void give_back(std::unique_ptr<Reader> reader) noexcept;

    const std::filesystem::path file_;
    const ScanVfs vfs_;
    Options options_;  ///< with `vfs_`
    std::mutex mutex_;
    std::vector<std::unique_ptr<Reader>> idle_;
};

}  // namespace stele::sqlite
