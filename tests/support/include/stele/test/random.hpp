// Random values for tests: strings that are hard to carry, JSON in every form, moments. Repeatable from the seed.
//
// A test names its seed with CAPTURE(random.seed()), so that a failure prints it; STELE_TEST_SEED=N repeats it.
#pragma once

#include <stele/schema/event.hpp>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace stele::test {

class Random {
public:
    /// With a new seed in each run, or with STELE_TEST_SEED.
    Random() : Random(seed_of_this_run()) {}
    explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}

    [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
    [[nodiscard]] std::uint64_t bits() { return engine_(); }

    /// A number from 0 to `bound` - 1.
    [[nodiscard]] std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
    [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>{low, high}(engine_);
    }
    /// True one time in `times`.
    [[nodiscard]] bool one_in(std::size_t times) { return below(times) == 0; }

    template <class Values>
    [[nodiscard]] const auto& one_of(const Values& values) {
        return values[below(std::size(values))];
    }

    /// UTF-8 without control characters, of at least one and at most `characters` characters.
    [[nodiscard]] std::string name(std::size_t characters = 12) {
        std::string text;
        for (auto left = 1 + below(characters); left > 0; --left) text += one_of(printable_characters);
        return text;
    }

    /// UTF-8 with control characters, NUL among them; may be empty.
    [[nodiscard]] std::string text(std::size_t characters = 12) {
        std::string text;
        for (auto left = below(characters + 1); left > 0; --left) {
            if (one_in(4)) {
                text += static_cast<char>(below(0x20));
            } else {
                text += one_of(printable_characters);
            }
        }
        return text;
    }

    /// The text of a JSON value with white space between its tokens, nested up to `depth` deep.
    [[nodiscard]] std::string json(int depth = 4) {
        std::string out;
        append_json(out, depth);
        return out;
    }

    /// The text of a JSON object.
    [[nodiscard]] std::string json_object(int depth = 3) {
        std::string out;
        append_object(out, depth);
        return out;
    }

    /// Any moment that can be written, with a liking for the edges of days and seconds.
    [[nodiscard]] Timestamp moment() {
        const auto any = between(first_moment.time_since_epoch().count(), last_moment.time_since_epoch().count());
        const Timestamp time{std::chrono::microseconds{any}};
        switch (below(4)) {
            case 0:
                return std::chrono::floor<std::chrono::days>(time);
            case 1:
                return std::chrono::floor<std::chrono::seconds>(time);
            case 2:
                return Timestamp{std::chrono::microseconds{between(-2'000'000, 2'000'000)}};
            default:
                return time;
        }
    }

    [[nodiscard]] StreamId stream() { return StreamId{one_in(2) ? std::string{} : part(), part(), name()}; }

    /// An event with hostile strings in every field.
    [[nodiscard]] NewEvent new_event() {
        NewEvent made;
        made.type = name();
        made.data = JsonText::parse(json());
        made.metadata = JsonText::parse_object(json_object());
        if (one_in(2)) made.occurred_at = moment();
        made.schema_version = static_cast<int>(between(1, 1'000'000));
        for (auto left = below(4); left > 0; --left) made.tags.push_back(name() + std::to_string(left));
        return made;
    }

private:
    static std::uint64_t seed_of_this_run() {
        const char* given = std::getenv("STELE_TEST_SEED");  // NOLINT(concurrency-mt-unsafe): nobody sets it
        return given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    }

    /// A tenant or an aggregate type: a name without separators.
    std::string part() {
        auto text = name();
        for (char& c : text) {
            if (c == ':' || c == '/') c = '.';
        }
        return text;
    }

    void append_space(std::string& out) {
        static constexpr std::string_view spaces = " \t\r\n";
        while (one_in(4)) out += one_of(spaces);
    }

    void append_json(std::string& out, int depth) {
        static constexpr std::array<std::string_view, 3> words{"true", "false", "null"};
        switch (below(depth > 0 ? 5 : 3)) {
            case 0:
                out += one_of(words);
                return;
            case 1:
                append_number(out);
                return;
            case 2:
                append_string(out);
                return;
            case 3:
                append_array(out, depth);
                return;
            default:
                append_object(out, depth);
                return;
        }
    }

    void append_array(std::string& out, int depth) {
        out += '[';
        append_space(out);
        for (auto left = below(4); left > 0; --left) {
            append_json(out, depth - 1);
            append_space(out);
            if (left > 1) out += ',';
            append_space(out);
        }
        out += ']';
    }

    void append_object(std::string& out, int depth) {
        out += '{';
        append_space(out);
        for (auto left = below(4); left > 0; --left) {
            append_string(out);
            append_space(out);
            out += ':';
            append_space(out);
            append_json(out, depth - 1);
            append_space(out);
            if (left > 1) out += ',';
            append_space(out);
        }
        out += '}';
    }

    void append_number(std::string& out) {
        if (one_in(2)) out += '-';
        out += one_in(4) ? "0" : std::to_string(1 + below(1'000'000));
        if (one_in(8) && out.back() != '0') out += "77777777777777777777";  // beyond 64 bits
        if (one_in(2)) out += "." + std::to_string(below(1'000'000));
        if (one_in(4)) out += (one_in(2) ? "e" : "E-") + std::to_string(below(200));
    }

    void append_string(std::string& out) {
        static constexpr std::array<std::string_view, 12> escapes{
            R"(\")", R"(\\)", R"(\/)",     R"(\b)",     R"(\f)",           R"(\n)",
            R"(\r)", R"(\t)", R"(\u0000)", R"(\u00e9)", R"(\uD83D\uDE00)", R"(\uffff)"};
        out += '"';
        for (auto left = below(20); left > 0; --left) {
            const auto& character = one_of(printable_characters);
            if (one_in(4) || character == "\"" || character == "\\") {
                out += one_of(escapes);
            } else {
                out += character;
            }
        }
        out += '"';
    }

    /// Letters, what SQL, JSON, paths and patterns give a meaning to, and characters of every length: accents as
    /// one and as two characters, C1 controls, line separators, the byte order mark, the last one of Unicode.
    static constexpr std::array<std::string_view, 36> printable_characters{
        "a",      "b",      "Z",      "0",      "9",      " ",      "\"",         "'",          "\\",
        "/",      ":",      ";",      "%",      "_",      "*",      "$",          "{",          "}",
        "[",      "]",      ",",      "-",      ".",      "&",      "\u00e9",     "e\u0301",    "\u0080",
        "\u00a0", "\u2028", "\u2029", "\uFEFF", "\uFFFD", "\uFFFF", "\U0001F600", "\U0010FFFF", "\u05d0"};

    std::uint64_t seed_;
    std::mt19937_64 engine_;
};

}  // namespace stele::test
