// SQL that users write: a piece of text that knows where it stands, and the error that says what is wrong there.
#pragma once

#include <stele/schema/error.hpp>

#include <string>
#include <string_view>

namespace stele::sql {

/// A piece of a file: its text, the file's name as messages give it, and the line of the first character.
struct SqlText {
    std::string text;
    std::string file;
    int line = 1;

    /// The line of the character at `offset`, or of the end.
    [[nodiscard]] int line_at(std::size_t offset) const noexcept;
};

/// A file of declarations breaks a rule. Nothing of the file was used.
///
/// The message is "<file>:<line>: expected <expected>, found <found>", with "; <advice>" where there is one.
class DefinitionError : public Error {
public:
    DefinitionError(std::string file, int line, std::string expected, std::string found,
                    const std::string& advice = {});

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] int line() const noexcept { return line_; }
    [[nodiscard]] const std::string& expected() const noexcept { return expected_; }
    [[nodiscard]] const std::string& found() const noexcept { return found_; }

private:
    std::string file_;
    int line_;
    std::string expected_;
    std::string found_;
};

/// Of `known`, the names that resemble `given` most, for "did you mean": empty where none comes near.
[[nodiscard]] std::string nearest(std::string_view given, const std::string_view* known, std::size_t count);

}  // namespace stele::sql
