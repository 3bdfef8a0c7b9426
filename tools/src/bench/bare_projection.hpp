// The C loop that projections are measured beside: it reads the log's rows and runs an upsert for each.
#pragma once

#include "bare_log.hpp"

#include <filesystem>
#include <string>

namespace stele::bench {

/// Of a table that counts the events of each stream.
inline constexpr const char* stream_sizes_columns =
    " (stream TEXT PRIMARY KEY, events INTEGER NOT NULL, last INTEGER NOT NULL)";

/// Counts the events of each stream in `table`, 10,000 a commit.
void build_bare(const std::filesystem::path& log_file, const std::filesystem::path& model_file,
                const std::string& table);

/// The rows of a query of one column, as one text. Throws BenchError where there are none.
[[nodiscard]] std::string rows_of(const std::filesystem::path& model, const std::string& query);

/// All of such a table.
[[nodiscard]] std::string stream_sizes_query(const std::string& table);
[[nodiscard]] std::string stream_sizes_of(const std::filesystem::path& model, const std::string& table);

}  // namespace stele::bench
