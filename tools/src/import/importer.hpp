// Importer: a source of event lines into a store, exactly once, however often it is interrupted.
//
// Each batch is one append: its events in the order of the lines, and how far into the source they reach, in one
// transaction. What is remembered of a source is a Tracking: the number of the last line, and as its note
// {"bytes", "sha256"} of everything up to the end of that line. The next import under that name begins by reading
// these bytes again. Are they the same, it goes on behind them, whether the last one was killed or the file has
// grown since; are they others, it is another file, and refused.
//
// An event that is in the store already under its id, with the same content, is a duplicate and passed over. That
// only concerns lines that give an id: the others are told by their place in the source.
#pragma once

#include "../failure.hpp"
#include "batch_reader.hpp"
#include "quarantine.hpp"

#include <stele/store/event_store.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace stele::tool {

/// What to do with a line that is wrong.
enum class OnError { stop, skip, quarantine };

struct ImportOptions {
    std::string path;                   ///< "-": standard input
    std::optional<std::string> source;  ///< the name to remember it by; empty: nothing is remembered
    LineParser parse = parse_event_line;
    OnError on_error = OnError::stop;
    std::string quarantine;  ///< the file, with OnError::quarantine
    BatchSize batch;
    Limits limits;
};

struct ImportResult {
    std::int64_t skipped_lines = 0;  ///< remembered from earlier imports
    std::int64_t lines = 0;          ///< read now
    std::int64_t appended = 0;
    std::int64_t duplicates = 0;
    std::int64_t rejected = 0;
};

class Importer {
public:
    /// How far it is: lines in all, bytes of the file, and how many there are (0: unknown).
    using OnProgress = std::function<void(std::int64_t lines, std::int64_t bytes, std::int64_t total)>;
    /// A line was passed over or put into quarantine.
    using OnRejected = std::function<void(const ImportLine& line)>;

    /// Opens the source. Throws Failure where that fails.
    Importer(EventStore& store, ImportOptions options, const Interrupt& interrupt);

    OnProgress on_progress = [](std::int64_t, std::int64_t, std::int64_t) {};
    OnRejected on_rejected = [](const ImportLine&) {};

    /// Reads to the end, or until the interrupt; what was read is committed. result() holds the counts afterwards,
    /// also where it throws.
    ///
    /// Throws Failure  "bad_line"        a line is wrong and OnError::stop; everything before it is committed
    ///                 "source_changed"  this is not what was imported under the name before (conflict)
    ///                 "source_busy"     another process imports it now (conflict)
    ///                 "source"          the file cannot be read; everything before is committed
    ///        and what EventStore::append() throws.
    void run();

    [[nodiscard]] const ImportResult& result() const noexcept { return result_; }

private:
    void resume(LineReader& lines);
    void take(Batch& batch);
    void set_aside_wrong_lines(Batch& batch);
    [[nodiscard]] std::optional<IdConflict> try_append(Batch& batch, const SourcePoint& end);
    void track(const SourcePoint& end);
    [[noreturn]] void throw_other_import(const AppendResult& result) const;
    [[nodiscard]] CheckedBy check(const EventLine& line) const;
    [[nodiscard]] bool recognise_duplicates(Batch& batch);
    [[nodiscard]] bool stops_at(const ImportLine& line) const;
    [[noreturn]] void stop_at(const ImportLine& line) const;
    [[nodiscard]] Failure source_changed(const std::string& what, nlohmann::json facts) const;

    [[nodiscard]] std::optional<Event> twin(const EventId& id) const;

    EventStore& store_;
    ImportOptions options_;
    ByteSource bytes_;
    std::optional<Quarantine> quarantine_;
    ImportResult result_;
    std::int64_t tracked_line_ = 0;  // what the store remembers of the source
};

}  // namespace stele::tool
