// What a decision came to, and whether two came to the same. For decider_scenario.hpp.
#pragma once

#include <stele/testing/scenario.hpp>

#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace stele::testing::detail {

/// What a decision came to: events, or what was thrown.
struct Outcome {
    std::vector<NewEvent> events;
    std::exception_ptr error;
    std::string error_text;  ///< "NoSuchSite: no such site"
};

[[nodiscard]] Outcome outcome_of(const std::function<std::vector<NewEvent>()>& decide);

/// Empty where the two are alike.
[[nodiscard]] std::string difference(const Outcome& first, const Outcome& second);

}  // namespace stele::testing::detail
