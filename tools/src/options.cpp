#include "options.hpp"

#include <stele/schema/error.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace stele::tool {
namespace {

using Take = std::function<void(const std::string&)>;

// Takes the words as they were typed: the conversions of CLI11 give "{}" and "[…]" a meaning of their own.
CLI::Option* one(CLI::App& app, const char* name, const char* value, Take take, const char* help) {
    const auto callback = [name = std::string(name), take = std::move(take)](const CLI::results_t& words) {
        try {
            take(words.front());
        } catch (const BadValue& wrong) {
            throw CLI::ValidationError(name, wrong.what());
        }
        return true;
    };
    return app.add_option(name, callback, help)->type_name(value);
}

CLI::Option* several(CLI::App& app, const char* name, const char* value, std::vector<std::string>& to,
                     const char* help) {
    const auto callback = [&to](const CLI::results_t& words) {
        to = words;
        return true;
    };
    return app.add_option(name, callback, help)
        ->type_name(value)
        ->expected(1, CLI::detail::expected_max_vector_size);
}

Take into(std::string& to) {
    return [&to](const std::string& word) { to = word; };
}

Take into(std::optional<std::string>& to) {
    return [&to](const std::string& word) { to = word; };
}

// Throws BadValue, which says what was `expected`.
std::int64_t whole_number(const std::string& word, std::int64_t least, std::int64_t most,
                          const std::string& expected) {
    std::int64_t parsed = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, parsed);
    if (error != std::errc{} || stop != end || parsed < least || parsed > most) throw BadValue{expected, word};
    return parsed;
}

}  // namespace

void argument(CLI::App& app, const char* name, std::string& to, const char* help) {
    one(app, name, name, into(to), help)->required();
}

void optional_argument(CLI::App& app, const char* name, std::optional<std::string>& to, const char* help) {
    one(app, name, name, into(to), help);
}

void arguments(CLI::App& app, const char* name, std::vector<std::string>& to, const char* help) {
    several(app, name, name, to, help)->allow_extra_args();
}

void flag(CLI::App& app, const char* name, bool& to, const char* help) { app.add_flag(name, to, help); }

void raw_flag(CLI::App& app, bool& to) {
    flag(app, "--raw", to, "events as they are stored: no upcaster is asked");
}

void text(CLI::App& app, const char* name, const char* value, std::optional<std::string>& to, const char* help) {
    one(app, name, value, into(to), help);
}

void texts(CLI::App& app, const char* name, const char* value, std::vector<std::string>& to, const char* help) {
    several(app, name, value, to, help)->allow_extra_args(false);
}

void number(CLI::App& app, const char* name, const char* value, std::optional<std::int64_t>& to, std::int64_t least,
            const char* help) {
    const auto take = [&to, least](const std::string& word) {
        to = whole_number(word, least, std::numeric_limits<std::int64_t>::max(),
                          "a whole number" + (least > 0 ? " from " + std::to_string(least) : std::string{}));
    };
    one(app, name, value, take, help);
}

void nice(CLI::App& app, std::optional<std::int64_t>& to) {
    constexpr std::int64_t nicest = 19;
    const auto take = [&to](const std::string& word) {
        to = whole_number(word, 0, nicest, "a whole number from 0 to 19");
    };
    one(app, "--nice", "N", take,
        "make way for other work, as nice(1) does: 0 not at all, 19 the most; 10 if absent");
}

void time(CLI::App& app, const char* name, std::optional<Timestamp>& to, const char* help) {
    const auto take = [&to](const std::string& word) {
        constexpr std::size_t date_alone = 10;
        try {
            to = parse_rfc3339(word.size() == date_alone ? word + "T00:00:00Z" : word);
        } catch (const InvalidInput&) {
            throw BadValue{"a time such as 2026-01-05T10:00:00Z, or a date such as 2026-01-05", word};
        }
    };
    one(app, name, "TIME", take, help);
}

void require(CLI::App& app, const char* option) { app.get_option(option)->required(); }

void optional_stream_argument(CLI::App& app, std::optional<StreamId>& to, const char* help) {
    const auto take = [&to](const std::string& word) {
        try {
            to = StreamId::parse(word);
        } catch (const InvalidInput& error) {
            throw BadValue{std::string(error.what()) + "; a stream is [tenant:]Type/id"};
        }
    };
    one(app, "STREAM", "STREAM", take, help);
}

void stream_argument(CLI::App& app, std::optional<StreamId>& to, const char* help) {
    optional_stream_argument(app, to, help);
    require(app, "STREAM");
}

void choice(CLI::App& app, const char* name, std::vector<std::string> words, std::string& to, const char* help) {
    std::string value;
    for (const auto& word : words) value += (value.empty() ? "" : "|") + word;
    const auto take = [&to, words = std::move(words), value](const std::string& word) {
        if (std::find(words.begin(), words.end(), word) == words.end()) throw BadValue{value, word};
        to = word;
    };
    one(app, name, value.c_str(), take, help);
}

void option(CLI::App& app, const char* name, const char* value, std::function<void(const std::string&)> take,
            const char* help) {
    one(app, name, value, std::move(take), help);
}

void excludes(CLI::App& app, const char* option, const char* other) {
    app.get_option(option)->excludes(app.get_option(other));
}

void needs(CLI::App& app, const char* option, const char* other) {
    app.get_option(option)->needs(app.get_option(other));
}

}  // namespace stele::tool
