// Batch: lines of a source that are committed together.
#pragma once

#include "line_reader.hpp"

#include <stele/schema/event_json.hpp>
#include <stele/store/schemas.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace stele::tool {

/// One line that is not blank: an event, or what is wrong with it.
struct ImportLine {
    std::int64_t number = 0;
    std::int64_t byte = 0;      ///< of the source, where it starts
    std::size_t raw_begin = 0;  ///< in Batch::raw
    std::size_t raw_end = 0;
    std::optional<EventLine> event;  ///< empty: it is wrong, or the store has it
    std::string reason;              ///< where it is wrong: why
    bool too_long = false;           ///< it is wrong, and its bytes are not in Batch::raw

    [[nodiscard]] bool is_wrong() const noexcept { return !reason.empty(); }
};

struct Batch {
    SourcePoint start;
    SourcePoint end;
    std::string raw;  ///< the bytes from start to end; empty where the one line of the batch is too long to be kept
    std::vector<ImportLine> lines;
    std::optional<CheckedBy> checked;  ///< by which schemas all of them were; 0 where not all by the same
    std::int64_t taken = 0;            ///< bytes of the file up to its end, packed ones where it is packed

    /// The end of the line before `line`.
    [[nodiscard]] SourcePoint point_before(const ImportLine& line) const {
        SourcePoint point = start;
        point.line = line.number - 1;
        point.bytes = line.byte;
        point.hash.update(std::string_view{raw}.substr(0, line.raw_begin));
        return point;
    }
};

/// Hands batches from the thread that reads to the thread that appends; a few at a time, so that memory stays flat.
class BatchQueue {
public:
    explicit BatchQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Waits for a place. Returns false when nobody wants batches any more.
    [[nodiscard]] bool push(Batch batch);
    /// No more will come; `error`, where there is one, is thrown by pop() behind the last batch.
    void finish(std::exception_ptr error = {});
    /// Waits for the next one; empty behind the last.
    [[nodiscard]] std::optional<Batch> pop();
    /// Nobody wants batches any more.
    void abandon();

private:
    std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Batch> batches_;
    std::exception_ptr error_;
    bool finished_ = false;
    bool abandoned_ = false;
};

}  // namespace stele::tool
