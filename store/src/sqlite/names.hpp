// Names: what interned integers stand for, and tags in a row.
#pragma once

#include "statement.hpp"

#include <stele/store/event_store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stele::sqlite {

/// The statements by which names are found; hot, their plans are asserted in tests.
namespace sql {
inline constexpr auto stream_name = "SELECT tenant, aggregate_type, aggregate_id FROM streams WHERE stream = ?1";
inline constexpr auto stream_number =
    "SELECT stream FROM streams WHERE tenant = ?1 AND aggregate_type = ?2 AND aggregate_id = ?3";
inline constexpr auto type_name = "SELECT name FROM types WHERE type = ?1";
inline constexpr auto type_number = "SELECT type FROM types WHERE name = ?1";
}  // namespace sql

/// Looks names up on one connection and remembers them: a number once given to a name stays with it (L1), so what
/// was read from a committed state never has to be read again. Holds a bounded number of streams. Not thread-safe.
class Names {
public:
    explicit Names(sqlite3* db);

    /// The stream with this number. The reference is valid until the next call.
    const StreamId& stream(std::int64_t number);
    std::optional<std::int64_t> number_of(const StreamId& stream);

    const std::string& type(std::int64_t number);
    std::optional<std::int64_t> number_of_type(const std::string& name);

    /// Forgets everything: for a writer whose transaction, with names that it gave, was rolled back.
    void forget();

private:
    static constexpr std::size_t most_streams = 16'384;

    Statement find_stream_;
    Statement find_stream_number_;
    Statement find_type_;
    Statement find_type_number_;
    std::unordered_map<std::int64_t, StreamId> streams_;
    std::unordered_map<StreamId, std::int64_t> stream_numbers_;
    std::unordered_map<std::int64_t, std::string> types_;
    std::unordered_map<std::string, std::int64_t> type_numbers_;
};

/// Tags as they stand in a row: a JSON array of strings, without spaces.
[[nodiscard]] std::string encode_tags(const std::vector<std::string>& tags);
/// Replaces `tags` by those in `json`, reusing memory.
void decode_tags(std::string_view json, std::vector<std::string>& tags);

}  // namespace stele::sqlite
