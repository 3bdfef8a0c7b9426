// Failure: how a command ends when it cannot do what it was asked.
#pragma once

#include <stele/schema/error.hpp>

#include <exception>
#include <string>
#include <string_view>

namespace stele::tool {

/// What the process's exit status says.
enum class Exit : int {
    done = 0,
    failed = 1,
    command_line = 2,
    conflict = 3,
    not_found = 4,
    damage = 5,
};

/// An Error of the tool itself: with the exit status it ends in, and the command to try next, where there is one.
class Failure : public Error {
public:
    Failure(Exit status, std::string code, const std::string& message,
            nlohmann::json facts = nlohmann::json::object())
        : Error(std::move(code), message, std::move(facts)), status_(status) {}

    /// Adds the line `try: <next>`.
    Failure&& hint(std::string next) && {
        next_ = std::move(next);
        return std::move(*this);
    }

    [[nodiscard]] Exit status() const noexcept { return status_; }
    [[nodiscard]] const std::string& next() const noexcept { return next_; }

private:
    Exit status_;
    std::string next_;
};

/// The command line does not say what to do: exit status 2. `command` is as in "stele append".
[[nodiscard]] Failure usage_failure(std::string_view command, const std::string& message);

/// Whoever read our output has gone, as `head` does. Ends the command quietly.
struct OutputClosed : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return "the reader of the output has gone"; }
};

/// Writes what `error` says to standard error, for people or as one JSON object, and returns the exit status.
/// Knows the errors of every part of Stele; any other exception counts as failed.
[[nodiscard]] Exit report(const std::exception& error, bool json);

}  // namespace stele::tool
