// Dead letters: events that a listener could not deliver. Each refers to its event, which stays where it is in the
// log, and keeps every attempt's time, duration and error (D3).
#pragma once

#include <stele/schema/event_id.hpp>
#include <stele/schema/ordinal.hpp>
#include <stele/schema/stream_id.hpp>
#include <stele/schema/time.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

class EventStore;

struct Attempt {
    int number = 0;  ///< 1 for the first
    Timestamp at{};  ///< when it began
    std::chrono::microseconds duration{};
    std::string cause;  ///< in a word: "timeout", "http_503", "exception"
    std::string error;
};

struct DeadLetter {
    std::int64_t id = 0;  ///< never used again
    std::string listener;
    std::string key;  ///< that it is ordered by: its stream, by default
    Position position;
    std::string stream;
    std::string type;
    EventId event_id;
    int attempts = 0;
    Timestamp first_failed_at{};
    Timestamp last_failed_at{};
    std::string cause;
    std::string error;       ///< of the last attempt
    bool holds_key = false;  ///< later events of the key wait for it
    bool retrying = false;   ///< an operator has asked for it; it goes when the delivery succeeds
};

/// Which ones. What is not set is not asked for.
struct DeadLetterFilter {
    std::optional<std::string> listener{};
    std::optional<std::string> type{};
    std::optional<std::string> key{};
    std::optional<std::string> cause{};
    std::optional<Timestamp> since{};  ///< last failed at or after it
    std::optional<std::int64_t> id{};
    std::optional<std::size_t> limit{};
};

/// By id. Throws StoreError where control.db cannot be read.
[[nodiscard]] std::vector<DeadLetter> dead_letters(const EventStore& store, const DeadLetterFilter& filter,
                                                   const std::string& sqlite_vfs = {});

/// Every attempt that was made for it, oldest first; of very many the first and the last fifty. Throws NotFound.
[[nodiscard]] std::vector<Attempt> attempts_of(const EventStore& store, std::int64_t dead_letter,
                                               const std::string& sqlite_vfs = {});

/// Has them delivered again by whoever runs the listener: the event is read again from the log, and gets all of its
/// attempts anew. One that was delivered or discarded meanwhile is left alone, and so are those of a sync listener,
/// which nobody retries. Returns those that are tried again.
std::vector<DeadLetter> retry_dead_letters(const EventStore& store, const DeadLetterFilter& filter, bool dry_run,
                                           const std::string& sqlite_vfs = {});

/// Gives them up: the event will not be delivered, and a key that waited for it goes on. Returns those that were
/// discarded.
std::vector<DeadLetter> discard_dead_letters(const EventStore& store, const DeadLetterFilter& filter, bool dry_run,
                                             const std::string& sqlite_vfs = {});

struct DeadLetterStats {
    std::string listener;
    std::string type;
    std::string cause;
    std::int64_t count = 0;
    Timestamp first_failed_at{};
    Timestamp last_failed_at{};
};
/// How many there are, by listener, type and cause, the most first.
[[nodiscard]] std::vector<DeadLetterStats> dead_letter_stats(const EventStore& store,
                                                             const DeadLetterFilter& filter,
                                                             const std::string& sqlite_vfs = {});

}  // namespace stele
