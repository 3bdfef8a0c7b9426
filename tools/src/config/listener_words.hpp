// What a listener would do, in words: for `check-config --detailed`.
#pragma once

#include <stele/projections/listeners/listener.hpp>

#include <string>

namespace stele::tool {

/// `types BackupFailed; where $data(size) > 100`
[[nodiscard]] std::string selection_in_words(const Listener::Head& head);
/// `by stream`
[[nodiscard]] std::string order_in_words(const OrderBy& order);
/// `3 attempts, the others 30 s and 60 s behind a failure, ±20%; then a dead letter`
[[nodiscard]] std::string schedule_in_words(const Listener::Head& head);
/// `5 failures in a row leave https://example.com alone for 30 s`; empty where there is none.
[[nodiscard]] std::string breaker_in_words(const BreakerPolicy& breaker);
/// `the beginning`
[[nodiscard]] std::string start_in_words(const StartAt& start);
[[nodiscard]] std::string duration_in_words(std::chrono::milliseconds time);

}  // namespace stele::tool
