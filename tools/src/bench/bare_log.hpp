// BareLog: the same log in SQLite's C API, with nothing around it. It is what Stele is measured against.
//
// It has the tables, indices and triggers of a store (the same schema.sql), its page size, its WAL and its
// checkpoint interval. Otherwise it takes every short cut that a program written for one purpose may take: all
// statements are prepared once, its writer knows the numbers of streams and types and the version of each stream by
// heart, checks nothing, and is alone.
#pragma once

#include "payload.hpp"

#include <stele/store/event_store.hpp>

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::bench {

/// A connection, closed when it goes.
using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
/// A prepared statement, finalized when it goes. It must go before its connection.
using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

/// Opens or makes `file` with a WAL, 4 KiB pages, a checkpoint every 10,000 of them, and the durability that a
/// store of this kind has. Throws BenchError.
[[nodiscard]] Database open_bare(const std::filesystem::path& file, Durability durability);
/// Throws BenchError, as do the next two, with SQLite's message.
[[nodiscard]] Statement prepare(sqlite3* db, std::string_view sql);
void execute(sqlite3* db, const std::string& sql);
/// Steps a statement that gives no rows, and makes it ready for the next time.
void step_once(sqlite3_stmt* statement);

/// The writer. Use it from one thread.
class BareLog {
public:
    /// Makes a log in a new file.
    BareLog(const std::filesystem::path& file, Durability durability, const std::vector<StreamId>& streams,
            const std::vector<std::string>& types);

    void begin() { step_once(begin_.get()); }
    void commit() { step_once(commit_.get()); }

    /// Inside of begin() and commit(): the event, its tags, and its stream and type where they are new.
    void insert(const PlannedEvent& planned, Timestamp recorded_at);

    [[nodiscard]] std::int64_t head() const { return head_; }

private:
    void add_stream(std::size_t index);
    void add_type(std::size_t index);

    const std::vector<StreamId>& streams_;
    const std::vector<std::string>& types_;
    Database db_;
    Statement begin_;
    Statement commit_;
    Statement insert_event_;
    Statement insert_tag_;
    Statement insert_stream_;
    Statement insert_type_;
    std::vector<std::int64_t> versions_;  ///< by index of stream; 0: not in the file yet
    std::vector<std::int64_t> stream_numbers_;
    std::vector<std::int64_t> type_numbers_;  ///< 0: not in the file yet
    std::int64_t streams_in_file_ = 0;
    std::int64_t types_in_file_ = 0;
    std::int64_t head_ = 0;
};

/// A row of events as the bare reader copies it out: everything that an Event holds, in memory of its own.
struct BareRow {
    std::int64_t position = 0;
    std::int64_t version = 0;
    std::int64_t stream = 0;  ///< the number; the reader knows the name by heart
    std::string type;
    int schema_version = 0;
    unsigned char id[16] = {};
    std::int64_t occurred_at = 0;
    std::int64_t recorded_at = 0;
    std::string data;
    std::string metadata;
    std::string tags;  ///< a JSON array, empty without
};

/// A reader on a connection of its own. Use it from one thread.
class BareReader {
public:
    explicit BareReader(const std::filesystem::path& file);

    /// Copies the rows of a stream, oldest first, into `rows`, whose memory is used again.
    void read_stream(std::int64_t stream, std::vector<BareRow>& rows);
    /// Copies each row of the log into one row after another and calls `visit` with it.
    template <class Visit>
    void read_log(Visit&& visit) {
        while (step_log()) visit(row_);
    }
    /// The stream's tenant, type and id in one string, as StreamId::name() has it.
    [[nodiscard]] std::string stream_name(std::int64_t stream);
    /// The number of a stream; throws BenchError where there is none.
    [[nodiscard]] std::int64_t stream_number(const StreamId& stream);

private:
    bool step_log();
    void copy_out(sqlite3_stmt* statement, BareRow& row) const;

    Database db_;
    Statement read_stream_;
    Statement read_log_;
    Statement stream_name_;
    Statement stream_number_;
    std::vector<std::string> types_;  ///< by number
    BareRow row_;
};

}  // namespace stele::bench
