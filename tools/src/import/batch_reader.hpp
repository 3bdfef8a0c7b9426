// BatchReader: the thread that reads, unpacks, hashes, parses and checks while another one appends.
#pragma once

#include "batch.hpp"

#include <stele/schema/event_json.hpp>

#include <cstddef>
#include <functional>
#include <string_view>
#include <thread>

namespace stele::tool {

/// How a line becomes an event. Throws InvalidInput.
using LineParser = EventLine (*)(std::string_view line, const Limits& limits);

/// What is wrong with an event that could be read: throws SchemaViolationError. Says by what it was checked.
using LineCheck = std::function<CheckedBy(const EventLine& line)>;

struct BatchSize {
    std::size_t lines = 1000;
    std::size_t bytes = std::size_t{2} << 20;
};

class BatchReader {
public:
    /// Starts behind what `reader` has read. `reader` must stay, and belongs to this object until it goes.
    BatchReader(LineReader& reader, LineParser parse, LineCheck check, BatchSize size, const Limits& limits);
    ~BatchReader();
    BatchReader(const BatchReader&) = delete;
    BatchReader& operator=(const BatchReader&) = delete;

    /// The next batch, in order; empty at the end of the source, or once an interrupt ended the reading. Throws
    /// what reading threw, behind the last batch before it.
    [[nodiscard]] std::optional<Batch> next() { return queue_.pop(); }

private:
    void run();
    void read_all();
    [[nodiscard]] bool fill(Batch& batch);
    void add(Batch& batch, const SourceLine& line) const;

    LineReader& reader_;
    LineParser parse_;
    LineCheck check_;
    BatchSize size_;
    Limits limits_;
    BatchQueue queue_{1};
    std::thread thread_;
};

}  // namespace stele::tool
