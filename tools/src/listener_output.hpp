// How listeners and their dead letters are, as tables, at length, and as JSON: every command says it alike.
#pragma once

#include "context.hpp"

#include <stele/projections/listeners/dead_letters.hpp>
#include <stele/projections/listeners/listener_status.hpp>
#include <stele/projections/listeners/steering.hpp>

#include <vector>

namespace stele::tool {

[[nodiscard]] nlohmann::ordered_json to_json(const ListenerStatus& status);
void print_listeners(const std::vector<ListenerStatus>& listeners, Context& context);
/// The same at length.
void print_listener_statuses(const std::vector<ListenerStatus>& listeners, Context& context);
void print_listener_table(const std::vector<ListenerStatus>& listeners, Output& out);

[[nodiscard]] nlohmann::ordered_json to_json(const DeadLetter& letter);
[[nodiscard]] nlohmann::ordered_json to_json(const Attempt& attempt);
void print_letter_table(const std::vector<DeadLetter>& letters, Output& out);

/// What listeners make of one event: to people, under a line that names the event.
[[nodiscard]] nlohmann::ordered_json to_json(const Event& event, const std::vector<Explanation>& explanations);
void print_explanations(const Event& event, const std::vector<Explanation>& explanations, Context& context);

}  // namespace stele::tool
