// Options: the kinds of arguments that commands take. Each is declared in one line, checked as it is parsed, and
// named in the message when it is wrong.
//
// CLI11 itself is included in options.cpp and command_line.cpp alone: its header costs each file that includes it
// several seconds of compilation.
#pragma once

#include <stele/schema/event.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace stele::tool {

// `name` is "--limit" for an option, or the word in the usage line, such as "STREAM", for a positional argument.
// `value` is the word that stands for the value: "N". All of them return the option, for excludes() and needs().

CLI::Option* argument(CLI::App& app, const char* name, std::string& to, const char* help);
CLI::Option* optional_argument(CLI::App& app, const char* name, std::optional<std::string>& to, const char* help);
CLI::Option* arguments(CLI::App& app, const char* name, std::vector<std::string>& to, const char* help);

CLI::Option* flag(CLI::App& app, const char* name, bool& to, const char* help);
CLI::Option* text(CLI::App& app, const char* name, const char* value, std::optional<std::string>& to,
                  const char* help);
/// May be given several times.
CLI::Option* texts(CLI::App& app, const char* name, const char* value, std::vector<std::string>& to,
                   const char* help);
/// A whole number, at least `least`.
CLI::Option* number(CLI::App& app, const char* name, const char* value, std::optional<std::int64_t>& to,
                    std::int64_t least, const char* help);
/// An RFC 3339 time, or a date alone for its first moment in UTC.
CLI::Option* time(CLI::App& app, const char* name, std::optional<Timestamp>& to, const char* help);

/// Any word that `take` takes. It says what is wrong with a word by refuse().
CLI::Option* one(CLI::App& app, const char* name, const char* value, std::function<void(const std::string&)> take,
                 const char* help);
/// Ends the parsing of the command line: `option`: expected `expected`, found "`found`".
[[noreturn]] void refuse(const std::string& option, const std::string& expected, const std::string& found);

/// The positional argument STREAM.
CLI::Option* stream_argument(CLI::App& app, std::optional<StreamId>& to, const char* help);
/// One of `words`, which is what `to` points to afterwards.
CLI::Option* choice(CLI::App& app, const char* name, std::vector<std::string> words, std::string& to,
                    const char* help);

/// The option cannot be given together with the other, which may be named as it was declared: "--until".
void excludes(CLI::App& app, CLI::Option* option, const char* other);
/// The option makes sense only together with the other.
void needs(CLI::Option* option, CLI::Option* other);

}  // namespace stele::tool
