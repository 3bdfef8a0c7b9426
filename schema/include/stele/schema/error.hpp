// What every failure of Stele has in common.
//
// An outcome that a caller plans for is a value (see append_result.hpp); what is thrown derives from Error.
// An error carries the same facts twice: as a sentence for people, and as fields for programs.
#pragma once

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>

namespace stele {

/// The base of all that Stele throws.
///
/// what()   one sentence: where, doing what, what was expected, what was found, what to do next.
/// code()   a fixed word for programs to branch on, such as "invalid_event" or "store_busy".
/// facts()  the values that what() mentions, by name; the tool prints them under --json.
class Error : public std::runtime_error {
public:
    Error(std::string code, const std::string& message, nlohmann::json facts = nlohmann::json::object())
        : std::runtime_error(message), code_(std::move(code)), facts_(std::move(facts)) {}

    [[nodiscard]] const std::string& code() const noexcept { return code_; }
    [[nodiscard]] const nlohmann::json& facts() const noexcept { return facts_; }

private:
    std::string code_;
    nlohmann::json facts_;
};

/// A value that was handed in breaks a rule of the format. Nothing was written.
class InvalidInput : public Error {
public:
    /// `field` names the place ("data", "tags[2]", "aggregate_type"); the message is
    /// "<field>: expected <expected>, found <found>".
    InvalidInput(std::string field, const std::string& expected, const std::string& found);

    [[nodiscard]] const std::string& field() const noexcept { return field_; }

private:
    std::string field_;
};

/// What was asked for by name, or at a point of its history, is not there. The message says what to try instead.
class NotFound : public Error {
public:
    explicit NotFound(const std::string& message, nlohmann::json facts = nlohmann::json::object())
        : Error("not_found", message, std::move(facts)) {}
};

}  // namespace stele
