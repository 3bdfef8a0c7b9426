#include "batch_reader.hpp"

#include <stele/schema/error.hpp>

namespace stele::tool {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

BatchReader::BatchReader(LineReader& reader, LineParser parse, LineCheck check, BatchSize size,
                         const Limits& limits)
    : reader_(reader), parse_(parse), check_(std::move(check)), size_(size), limits_(limits), thread_([this] {
          run();
      }) {}

BatchReader::~BatchReader() {
    queue_.abandon();
    reader_.cancel();  // it may wait for a pipe that nobody writes to
    thread_.join();
}

void BatchReader::run() {
    try {
        read_all();
    } catch (...) {
        queue_.finish(std::current_exception());
    }
}

void BatchReader::read_all() {
    std::exception_ptr error;
    for (bool more = true; more;) {
        Batch batch;
        batch.start = reader_.point();
        try {
            more = fill(batch);
        } catch (const ReadInterrupted&) {
            more = false;
        } catch (...) {
            // The lines before the fault are good: they go first.
            error = std::current_exception();
            more = false;
        }
        batch.end = reader_.point();
        batch.taken = reader_.taken();
        if (batch.end.line > batch.start.line && !queue_.push(std::move(batch))) return;
    }
    queue_.finish(error);
}

// Returns whether there may be more.
bool BatchReader::fill(Batch& batch) {
    for (std::size_t lines = 0; lines < size_.lines && batch.raw.size() < size_.bytes; ++lines) {
        const auto line = reader_.next();
        if (!line) return false;
        add(batch, *line);
        if (line->too_long) break;
    }
    return true;
}

void BatchReader::add(Batch& batch, const SourceLine& line) const {
    ImportLine item;
    item.number = line.number;
    item.byte = line.byte;
    item.raw_begin = batch.raw.size();
    batch.raw += line.raw;
    item.raw_end = batch.raw.size();
    if (line.too_long) {
        item.too_long = true;
        item.reason = "line: expected at most " + std::to_string(reader_.longest()) + " bytes, found more";
        batch.lines.push_back(std::move(item));
        return;
    }
    std::string_view text = line.text();
    if (line.number == 1 && text.substr(0, byte_order_mark.size()) == byte_order_mark)
        text.remove_prefix(byte_order_mark.size());
    if (is_blank(text)) return;
    try {
        item.event = parse_(text, limits_);
        const auto by = check_(*item.event);
        if (!batch.checked) batch.checked = by;
        if (batch.checked->schemas != by.schemas) batch.checked = CheckedBy{};
    } catch (const SchemaViolationError& error) {
        const auto& wrong = error.details();
        item.event.reset();
        item.reason = wrong.type + " v" + std::to_string(wrong.version) + ": data" +
                      (wrong.pointer.empty() ? "" : " " + wrong.pointer) + ": expected " + wrong.expected +
                      ", found " + wrong.found;
    } catch (const InvalidInput& error) {
        item.reason = error.what();
        if (!line.complete) item.reason += "; this last line has no line feed: is the file complete?";
    }
    batch.lines.push_back(std::move(item));
}

}  // namespace stele::tool
