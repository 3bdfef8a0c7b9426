// EventPrinter: events as JSON Lines, or as a table for people.
#pragma once

#include "output.hpp"

#include <stele/schema/event.hpp>

#include <optional>
#include <string>

namespace stele::tool {

class EventPrinter {
public:
    enum class Streams { shown, left_out };

    EventPrinter(Output& out, bool json, Streams streams);

    void print(const Event& event);
    /// Hands on what is held back. Call it at the end, and before waiting for more.
    void flush();

    [[nodiscard]] std::int64_t printed() const noexcept { return printed_; }

private:
    Output& out_;
    bool json_;
    bool streams_shown_;
    Table table_;
    std::string line_;
    std::int64_t printed_ = 0;
};

/// A time for people: RFC 3339 without a fraction that is zero.
[[nodiscard]] std::string human_time(Timestamp time);

}  // namespace stele::tool
