#include "line_reader.hpp"

#include <algorithm>

namespace stele::tool {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{128} << 10;

}  // namespace

// Reads a chunk behind what is in the buffer, letting go of the lines that were taken. Returns false at the end.
bool LineReader::fill() {
    buffer_.erase(0, at_);
    at_ = 0;
    const std::size_t kept = buffer_.size();
    buffer_.resize(kept + chunk_bytes);
    std::size_t got = 0;
    try {
        got = source_.read(buffer_.data() + kept, chunk_bytes);
    } catch (...) {
        buffer_.resize(kept);
        throw;
    }
    buffer_.resize(kept + got);
    return got > 0;
}

void LineReader::take(std::size_t bytes) {
    point_.hash.update(ahead().substr(0, bytes));
    point_.bytes += static_cast<std::int64_t>(bytes);
    at_ += bytes;
}

LineReader::Skipped LineReader::skip(std::int64_t bytes, std::int64_t lines) {
    char last = '\n';
    while (point_.bytes < bytes && (!ahead().empty() || fill())) {
        const auto n = std::min(static_cast<std::size_t>(bytes - point_.bytes), ahead().size());
        last = ahead()[n - 1];
        take(n);
    }
    point_.line = lines;
    Skipped skipped{point_.bytes, point_.hash.hex(), false};
    if (last == '\n' || point_.bytes < bytes) return skipped;
    while (ahead().size() < 2 && fill()) {
    }
    if (ahead().empty()) return skipped;
    if (ahead().substr(0, 1) == "\n") {
        take(1);
    } else if (ahead().substr(0, 2) == "\r\n") {
        take(2);
    } else {
        skipped.mid_line = true;
    }
    return skipped;
}

std::optional<SourceLine> LineReader::next() {
    SourceLine line;
    line.number = point_.line + 1;
    line.byte = point_.bytes;
    std::size_t searched = 0;
    std::size_t end = std::string_view::npos;
    while ((end = ahead().find('\n', searched)) == std::string_view::npos && ahead().size() <= longest_) {
        searched = ahead().size();
        if (!fill()) break;
    }
    if (end == std::string_view::npos && ahead().empty()) return std::nullopt;

    if (std::min(end, ahead().size()) > longest_) {
        line.too_long = true;
        const SourcePoint before_line = point_;
        try {
            pass_line();
        } catch (...) {
            point_ = before_line;  // half a line is no place to go on from
            throw;
        }
        ++point_.line;
        return line;
    }
    line.complete = end != std::string_view::npos;
    line.raw = ahead().substr(0, line.complete ? end + 1 : end);
    take(line.raw.size());
    ++point_.line;
    return line;
}

// Takes what is left of a line, up to its line feed or the end.
void LineReader::pass_line() {
    for (bool ended = false; !ended && (!ahead().empty() || fill());) {
        const auto end = ahead().find('\n');
        ended = end != std::string_view::npos;
        take(ended ? end + 1 : ahead().size());
    }
}

}  // namespace stele::tool
