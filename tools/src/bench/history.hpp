// History: the events of curl's history, or of one that looks like it, as a file to import and as parsed rows.
#pragma once

#include "payload.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::bench {

/// What a file of event lines holds, with streams and types numbered in the order of their appearance.
struct ParsedHistory {
    std::vector<StreamId> streams;
    std::vector<std::string> types;
    std::vector<PlannedEvent> events;
};

/// Calls `visit` with each line of a plain or gzip file. Throws BenchError.
void for_each_line(const std::filesystem::path& file, const std::function<void(std::string_view)>& visit);

/// Throws BenchError where the file cannot be read, InvalidInput where a line is wrong.
[[nodiscard]] ParsedHistory parse_history(const std::filesystem::path& file);

/// Writes a gzip file of `lines` event lines in the shape of curl's history: commits on the streams of their
/// authors, and behind each the files that it changed; uneven streams, about 370 bytes a line. The same each time.
void make_history(const std::filesystem::path& file, std::size_t lines);

}  // namespace stele::bench
