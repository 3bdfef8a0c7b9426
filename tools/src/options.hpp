// Options: the kinds of arguments that commands take. Each is declared in one line, checked as it is parsed, and
// named in the message when it is wrong.
#pragma once

#include <stele/schema/event.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// CLI11 itself is included in options.cpp and command_line.cpp alone: its header costs each file that includes it
// several seconds of compilation.
namespace CLI {
class App;
}

namespace stele::tool {

/// The value of an option is wrong: what was expected, and what was found.
class BadValue : public std::runtime_error {
public:
    BadValue(const std::string& expected, const std::string& found)
        : std::runtime_error("expected " + expected + ", found \"" + found + "\"") {}
    explicit BadValue(const std::string& message) : std::runtime_error(message) {}
};

// `name` is "--limit" for an option, or the word in the usage line, such as "STREAM", for a positional argument.
// `value` is the word that stands for the value: "N".

void argument(CLI::App& app, const char* name, std::string& to, const char* help);
void optional_argument(CLI::App& app, const char* name, std::optional<std::string>& to, const char* help);
void arguments(CLI::App& app, const char* name, std::vector<std::string>& to, const char* help);

void flag(CLI::App& app, const char* name, bool& to, const char* help);
void text(CLI::App& app, const char* name, const char* value, std::optional<std::string>& to, const char* help);
/// May be given several times.
void texts(CLI::App& app, const char* name, const char* value, std::vector<std::string>& to, const char* help);
/// A whole number, at least `least`.
void number(CLI::App& app, const char* name, const char* value, std::optional<std::int64_t>& to, std::int64_t least,
            const char* help);
/// --nice N: how readily long work makes way, for RebuildOptions::niceness and its like.
void nice(CLI::App& app, std::optional<std::int64_t>& to);
/// --raw: `to` says whether events are seen as they are stored, see Context::seen().
void raw_flag(CLI::App& app, bool& to);
/// An RFC 3339 time, or a date alone for its first moment in UTC.
void time(CLI::App& app, const char* name, std::optional<Timestamp>& to, const char* help);

/// The positional argument STREAM.
void stream_argument(CLI::App& app, std::optional<StreamId>& to, const char* help);
/// The same, where it may be left out.
void optional_stream_argument(CLI::App& app, std::optional<StreamId>& to, const char* help);
/// One of `words`, which is what `to` points to afterwards.
void choice(CLI::App& app, const char* name, std::vector<std::string> words, std::string& to, const char* help);

/// Any other kind: `take` is handed the word, and throws BadValue.
void option(CLI::App& app, const char* name, const char* value, std::function<void(const std::string&)> take,
            const char* help);

/// It cannot be left out.
void require(CLI::App& app, const char* option);
/// The two cannot be given together.
void excludes(CLI::App& app, const char* option, const char* other);
/// The one makes no sense without the other.
void needs(CLI::App& app, const char* option, const char* other);

}  // namespace stele::tool
