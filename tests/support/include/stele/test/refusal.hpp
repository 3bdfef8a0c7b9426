// What an InvalidInput says, so that a test can state it.
#pragma once

#include <stele/schema/error.hpp>
#include <stele/test/catch.hpp>

#include <optional>
#include <string>

namespace stele::test {

/// The InvalidInput that `action` throws. Fails the test where it throws none.
template <class Action>
[[nodiscard]] InvalidInput refusal(Action action) {
    std::optional<InvalidInput> thrown;
    try {
        action();
    } catch (const InvalidInput& error) {
        thrown = error;
    }
    REQUIRE(thrown);
    return *thrown;
}

/// What it says.
template <class Action>
[[nodiscard]] std::string refusal_text(Action action) {
    return refusal(action).what();
}

/// The field that it names.
template <class Action>
[[nodiscard]] std::string refused_field(Action action) {
    return refusal(action).field();
}

}  // namespace stele::test
