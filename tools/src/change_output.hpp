// What became different in a state, for people.
#pragma once

#include "output.hpp"

#include <stele/schema/event.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace stele::tool {

/// A line for each operation of the JSON Patch `changes` to `state`: `+ /lines/0: {…}` for what came, `- /domain:
/// "example.org"` for what went, `~ /quantity: 5 → 7` for what is different.
[[nodiscard]] std::vector<std::string> described_changes(const nlohmann::json& changes, nlohmann::json state);

/// Prints them, each behind `indent`, on a terminal in colour and cut to its width.
void print_changes(Output& out, const nlohmann::json& changes, nlohmann::json state,
                   const std::string& indent = {});

/// `version 2  position 6  2016-07-05T00:00:00Z  OrderLineAdded`, to stand above what the event changed.
[[nodiscard]] std::string event_heading(const Event& event);

}  // namespace stele::tool
