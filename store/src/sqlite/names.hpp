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
    const StreamId& stream(std::int64_t number) {
        const auto& slot = slot_of(number);
        return slot.number == number ? *slot.stream : look_up_stream(number);
    }
    std::optional<std::int64_t> number_of(const StreamId& stream);

    const std::string& type(std::int64_t number) {
        if (const auto at = static_cast<std::size_t>(number); at < types_.size() && !types_[at].empty()) {
            return types_[at];
        }
        return look_up_type(number);
    }
    std::optional<std::int64_t> number_of_type(const std::string& name);

    /// Forgets everything: for a writer whose transaction, with names that it gave, was rolled back.
    void forget();

private:
    static constexpr std::size_t most_streams = 131'072;  ///< a power of two; each is some 150 bytes
    static constexpr std::size_t most_numbers = 65'536;

    /// The name of one stream, in a slot that several numbers share: the one looked up last stays.
    struct Slot {
        std::int64_t number = 0;  ///< 0: empty; numbers start at 1
        std::optional<StreamId> stream;
    };
    Slot& slot_of(std::int64_t number) noexcept {
        return streams_[static_cast<std::size_t>(number) & (streams_.size() - 1)];
    }
    const StreamId& look_up_stream(std::int64_t number);
    const std::string& look_up_type(std::int64_t number);

    Statement find_stream_;
    Statement find_stream_number_;
    Statement find_type_;
    Statement find_type_number_;
    std::vector<Slot> streams_;      ///< a power of two in size; grows when a quarter of it is taken
    std::size_t known_streams_ = 0;  ///< slots that are taken
    std::unordered_map<StreamId, std::int64_t> stream_numbers_;
    std::vector<std::string> types_;  ///< by number; empty: not looked up yet
    std::unordered_map<std::string, std::int64_t> type_numbers_;
};

/// Tags as they stand in a row: a JSON array of strings, without spaces.
[[nodiscard]] std::string encode_tags(const std::vector<std::string>& tags);
/// Replaces `tags` by those in `json`, reusing memory.
void decode_tags(std::string_view json, std::vector<std::string>& tags);

}  // namespace stele::sqlite
