// LineReader: the lines of a source, each with its number and place, and the hash of everything up to it.
#pragma once

#include "byte_source.hpp"
#include "sha256.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::tool {

/// How far a source has been read: the end of a line, or its very beginning.
struct SourcePoint {
    std::int64_t line = 0;   ///< lines before it
    std::int64_t bytes = 0;  ///< bytes before it
    Sha256 hash{};           ///< of these bytes
};

struct SourceLine {
    std::int64_t number = 0;  ///< from 1
    std::int64_t byte = 0;    ///< where it starts, from 0
    std::string_view raw;     ///< with its line feed, valid until next(); empty where it is too long
    bool complete = true;     ///< false: the source ended without a line feed
    bool too_long = false;

    /// Without the line feed.
    [[nodiscard]] std::string_view text() const {
        return complete && !raw.empty() ? raw.substr(0, raw.size() - 1) : raw;
    }
};

class LineReader {
public:
    /// Lines of more than `longest` bytes are read but not kept: memory stays flat.
    LineReader(ByteSource& source, std::size_t longest) : source_(source), longest_(longest) {}

    struct Skipped {
        std::int64_t bytes = 0;  ///< how many were there; fewer than asked for, where the source is shorter
        std::string sha256;      ///< of these
        bool mid_line = false;   ///< what follows is no new line: the last one has been written on
    };
    /// Reads and hashes the first `bytes` bytes, which hold `lines` lines, so that the next line is the one behind
    /// them. Where the last of them had no line feed and has one now, that is skipped too.
    [[nodiscard]] Skipped skip(std::int64_t bytes, std::int64_t lines);

    /// The next line; empty at the end.
    [[nodiscard]] std::optional<SourceLine> next();

    /// Behind the last line that next() returned.
    [[nodiscard]] const SourcePoint& point() const noexcept { return point_; }
    /// Bytes of the file that were taken for it, packed ones where it is packed.
    [[nodiscard]] std::int64_t taken() const noexcept { return source_.taken(); }
    /// Ends a read that waits. From any thread.
    void cancel() noexcept { source_.cancel(); }
    [[nodiscard]] std::size_t longest() const noexcept { return longest_; }

private:
    [[nodiscard]] bool fill();
    [[nodiscard]] std::string_view ahead() const { return std::string_view{buffer_}.substr(at_); }
    void take(std::size_t bytes);
    void pass_line();

    ByteSource& source_;
    std::size_t longest_;
    std::string buffer_;
    std::size_t at_ = 0;  // in the buffer: behind the last line
    SourcePoint point_;
};

}  // namespace stele::tool
