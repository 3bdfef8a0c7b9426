// check(): is a read model what its projection makes of the log?
//
// A check folds the log once more, into a file of its own that nobody else reads or writes, up to exactly the
// position that the current generation has, and compares the two table by table, in the order of their keys. It
// takes nothing from anybody: readers, a runner that advances the projection and writers of the log go on beside
// it, and the rows that are compared are those of one moment, for which a snapshot is held while rows are compared
// and no longer.
//
// What is compared:
//   the definitions of tables, indexes, views and triggers;
//   every row of every table, column by column, with its kind: 1 is not 1.0. Rows are matched by the table's
//   primary key; a table without one as a whole, equal rows as often as they occur. Of a virtual table (FTS5,
//   rtree) the rows that it gives, by rowid, and not the tables that it keeps itself; which events `on-error skip`
//   has passed over; and, by SQLite itself, whether the file is sound: each index entry belongs to a row, and each
//   row has its own.
//
// With CheckOptions::sample it is cheap, by two shortcuts that are independent of each other:
//   The fold is not begun anew. The first such check leaves its file, NAME.check/copy.db in the folder of read
//   models, and the next one takes in only what the log has since. Of each table it compares that many rows, drawn
//   at random from either side, instead of all; and how many rows there are. (A table without a primary key is
//   compared whole.) SQLite's own examination is left out.
// Where w of a table's m rows hold a wrong value, n sampled rows find one with a probability of at least
// 1 - (1 - w/m)^n; rows that are missing or too many show in the count, unless as many are missing as are too many.
// What such a check cannot find: an error that went into its own copy alike when the copy was made. The copy is a
// fold of the same log by the same code, as a rebuild is; a check that begins anew tells which of two is wrong.
#pragma once

#include <stele/projections/projection.hpp>
#include <stele/projections/projection_error.hpp>
#include <stele/projections/rebuild.hpp>
#include <stele/projections/value.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace stele {

class EventStore;

struct CheckOptions {
    /// Compare so many rows of each table. Empty: all of them, against a fold from the first event on.
    std::optional<std::size_t> sample{};
    /// Draws the sample; the same seed draws the same rows of the same read model.
    std::uint64_t seed = 0;
    /// So many differences are told in full; the others are counted.
    std::size_t most_differences = 10;
    /// It is done in a thread that is so many steps nicer than the caller's, as a rebuild is: see RebuildOptions.
    int niceness = 10;
    /// Called by the thread that folds, the caller's where `niceness` is 0.
    std::function<void(const FoldProgress&)> progress{};
    /// Looked at before each event and each row.
    std::stop_token stop{};
    std::string sqlite_vfs{};
};

/// One thing that is in the read model otherwise than the log makes it.
struct Difference {
    enum class Kind {
        value,       ///< of `column`, in the row `key`: `stored`, and the log makes it `computed`
        missing,     ///< the row `key` is not there
        extra,       ///< the row `key` is there, and the log makes no such row
        count,       ///< the table has `stored` rows, and the log makes `computed`
        definition,  ///< of the table, index, view or trigger `table`: SQL, NULL where there is none
        file,        ///< what SQLite found wrong with the file is in `stored`
    };
    Kind kind{};
    std::string table;
    std::vector<std::pair<std::string, Value>> key;  ///< names and values; all columns, in a table without a key
    std::string column;
    Value stored = nullptr;
    Value computed = nullptr;
};

struct TableChecked {
    std::string name;
    std::int64_t rows = 0;         ///< in the read model
    std::int64_t compared = 0;     ///< of them
    std::int64_t differences = 0;  ///< found in it
};

struct Checked {
    Generation generation;    ///< that was checked, as it was then: its position is where rows were compared
    std::int64_t events = 0;  ///< that were folded for it
    std::vector<TableChecked> tables;
    std::int64_t differences = 0;   ///< in all
    std::vector<Difference> first;  ///< the first of them, by table and key

    [[nodiscard]] bool ok() const noexcept { return differences == 0; }
};

/// Compares the current generation of a projection with what the log makes of it; see above. Changes nothing of it.
///
/// Empty where `stop` was requested first.
///
/// Throws NotFound          it was never built.
///        HandlerFailed     an event that the read model has taken in cannot be taken in again.
///        ProjectionError   "projection_changed"  it was built by another definition: rebuild it
///                          "projection_ahead"    its position is beyond the log's head
///                          "projection_log"      it was folded from another log
///                          "projection_busy"     another check of it is under way
///                          "projection_file"     the disk failed
///        StoreError        the log failed.
/// Cost   as much as a rebuild, and the reading of both files; disk for a second copy while it lasts. Memory grows
///        with neither. With `sample`: the events since the last such check, and one pass over the keys of both.
[[nodiscard]] std::optional<Checked> check(const EventStore& store, const Projection& projection,
                                           const CheckOptions& options = {});

/// Where check() builds: the folder of `name` within the folder of read models. What is in it may be deleted at any
/// time that no check is under way.
[[nodiscard]] std::filesystem::path check_folder(const std::filesystem::path& models, std::string_view name);

}  // namespace stele
