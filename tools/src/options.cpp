#include "options.hpp"

#include <stele/schema/error.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

namespace stele::tool {
namespace {

using Results = CLI::results_t;

CLI::Option* several(CLI::App& app, const char* name, const char* value, std::vector<std::string>& to,
                     const char* help) {
    return app
        .add_option(
            name,
            [&to](const Results& results) {
                to = results;
                return true;
            },
            help)
        ->type_name(value)
        ->expected(1, CLI::detail::expected_max_vector_size);
}

}  // namespace

// Takes the word as it was typed: the conversions of CLI11 give "{}" and "[…]" a meaning of their own.
CLI::Option* one(CLI::App& app, const char* name, const char* value, std::function<void(const std::string&)> take,
                 const char* help) {
    return app
        .add_option(
            name,
            [take = std::move(take)](const Results& results) {
                take(results.front());
                return true;
            },
            help)
        ->type_name(value);
}

void refuse(const std::string& option, const std::string& expected, const std::string& found) {
    throw CLI::ValidationError(option, "expected " + expected + ", found \"" + found + "\"");
}

void excludes(CLI::App& app, CLI::Option* option, const char* other) { option->excludes(app.get_option(other)); }

void needs(CLI::Option* option, CLI::Option* other) { option->needs(other); }

CLI::Option* argument(CLI::App& app, const char* name, std::string& to, const char* help) {
    return one(
               app, name, name, [&to](const std::string& word) { to = word; }, help)
        ->required();
}

CLI::Option* optional_argument(CLI::App& app, const char* name, std::optional<std::string>& to, const char* help) {
    return one(
        app, name, name, [&to](const std::string& word) { to = word; }, help);
}

CLI::Option* arguments(CLI::App& app, const char* name, std::vector<std::string>& to, const char* help) {
    return several(app, name, name, to, help)->allow_extra_args();
}

CLI::Option* flag(CLI::App& app, const char* name, bool& to, const char* help) {
    return app.add_flag(name, to, help);
}

CLI::Option* text(CLI::App& app, const char* name, const char* value, std::optional<std::string>& to,
                  const char* help) {
    return one(
        app, name, value, [&to](const std::string& word) { to = word; }, help);
}

CLI::Option* texts(CLI::App& app, const char* name, const char* value, std::vector<std::string>& to,
                   const char* help) {
    return several(app, name, value, to, help)->allow_extra_args(false);
}

CLI::Option* number(CLI::App& app, const char* name, const char* value, std::optional<std::int64_t>& to,
                    std::int64_t least, const char* help) {
    const auto take = [&to, least, name = std::string(name)](const std::string& word) {
        std::int64_t parsed = 0;
        const char* end = word.data() + word.size();
        const auto [stop, error] = std::from_chars(word.data(), end, parsed);
        if (error != std::errc{} || stop != end || parsed < least)
            refuse(name, "a whole number" + (least > 0 ? " from " + std::to_string(least) : std::string{}), word);
        to = parsed;
    };
    return one(app, name, value, take, help);
}

CLI::Option* time(CLI::App& app, const char* name, std::optional<Timestamp>& to, const char* help) {
    const auto take = [&to, name = std::string(name)](const std::string& word) {
        constexpr std::size_t date_alone = 10;
        try {
            to = parse_rfc3339(word.size() == date_alone ? word + "T00:00:00Z" : word, name);
        } catch (const InvalidInput&) {
            refuse(name, "a time such as 2026-01-05T10:00:00Z, or a date such as 2026-01-05", word);
        }
    };
    return one(app, name, "TIME", take, help);
}

CLI::Option* stream_argument(CLI::App& app, std::optional<StreamId>& to, const char* help) {
    const auto take = [&to](const std::string& word) {
        try {
            to = StreamId::parse(word);
        } catch (const InvalidInput& error) {
            throw CLI::ValidationError("STREAM", std::string(error.what()) + "; a stream is [tenant:]Type/id");
        }
    };
    return one(app, "STREAM", "STREAM", take, help)->required();
}

CLI::Option* choice(CLI::App& app, const char* name, std::vector<std::string> words, std::string& to,
                    const char* help) {
    std::string value;
    for (const auto& word : words) value += (value.empty() ? "" : "|") + word;
    const auto take = [&to, words = std::move(words), value, name = std::string(name)](const std::string& word) {
        if (std::find(words.begin(), words.end(), word) == words.end()) refuse(name, value, word);
        to = word;
    };
    return one(app, name, value.c_str(), take, help);
}

}  // namespace stele::tool
