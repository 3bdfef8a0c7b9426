#include <stele/schema/sql/directive_file.hpp>

#include "tokens.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

namespace stele::sql {
namespace {

constexpr std::string_view directive_mark = "--@";
constexpr std::string_view blanks = " \t\r\f\v";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_directive(std::string_view line) {
    const auto start = line.find_first_not_of(blanks);
    return start != std::string_view::npos && line.substr(start).starts_with(directive_mark);
}

// In: the words of a directive's line, behind the mark.
std::vector<Word> split(std::string_view rest, const std::string& file, int line) {
    std::vector<Word> words;
    for (auto at = rest.find_first_not_of(blanks); at < rest.size(); at = rest.find_first_not_of(blanks, at)) {
        if (rest[at] == ',') {
            words.push_back({","});
            ++at;
        } else if (rest[at] == '"') {
            Word word{"", true};
            for (++at;; ++at) {
                if (at == rest.size()) {
                    throw DefinitionError{file, line, "a closing double quote", "the end of the line"};
                }
                if (rest[at] != '"') {
                    word.text += rest[at];
                } else if (rest.substr(at, 2) == "\"\"") {
                    word.text += rest[at++];
                } else {
                    break;
                }
            }
            ++at;
            words.push_back(std::move(word));
        } else {
            const auto end = std::min(rest.find_first_of(" \t\r\f\v,\"", at), rest.size());
            words.push_back({std::string{rest.substr(at, end - at)}});
            at = end;
        }
    }
    return words;
}

std::string describe(const std::vector<Word>& words, std::size_t at) {
    if (at >= words.size()) return "the end of the line";
    return "\"" + words[at].text + "\"";
}

std::string joined(const std::vector<std::string_view>& names, std::string_view last = " or ") {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? last : ", ";
        text += names[i];
    }
    return text;
}

std::optional<int> whole_number(const Word& word) {
    int value = 0;
    const char* end = word.text.data() + word.text.size();
    const auto result = std::from_chars(word.text.data(), end, value);
    if (word.quoted || result.ec != std::errc{} || result.ptr != end || value < 1) return std::nullopt;
    return value;
}

}  // namespace

DefinitionError Section::error(std::string expected, std::string found, const std::string& advice) const {
    return DefinitionError{body.file, line, std::move(expected), std::move(found), advice};
}

bool Section::has_empty_body() const { return first_word(body.text) == body.text.size(); }

std::vector<std::string> Section::event_types() const {
    if (words.size() == 1 && words[0].is("*")) return {};

    std::vector<std::string> types;
    for (std::size_t at = 0; at == 0 || at <= words.size(); at += 2) {
        if (at >= words.size() || words[at].is(",") || words[at].text.empty()) {
            throw error("an event type", describe(words, at), "write --@ " + keyword + " TypeA, TypeB");
        }
        if (words[at].is("*")) throw error("event types, or * alone", "* beside event types");
        if (std::find(types.begin(), types.end(), words[at].text) != types.end()) {
            throw error("each event type once", "\"" + words[at].text + "\" twice");
        }
        types.push_back(words[at].text);
        if (at + 1 == words.size()) return types;
        if (!words[at + 1].is(",")) {
            throw error("a comma between event types", describe(words, at + 1),
                        "a type that holds blanks is written in double quotes");
        }
    }
    return types;
}

DirectiveFile DirectiveFile::load(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    if (in && std::filesystem::is_regular_file(path)) text << in.rdbuf();
    if (!in || text.tellp() < 0 || !std::filesystem::is_regular_file(path)) {
        const auto reason = std::error_code{errno, std::generic_category()}.message();
        throw DefinitionError{path.string(), 0, "a file that can be read",
                              std::filesystem::is_directory(path) ? "a folder" : reason};
    }
    return parse(text.str(), path.string());
}

DirectiveFile DirectiveFile::parse(std::string_view text, std::string file) {
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

    DirectiveFile result;
    result.file_ = std::move(file);
    result.text_ = text;

    SqlText preamble{"", result.file_, 1};
    int line = 1;
    for (std::size_t at = 0; at < text.size(); ++line) {
        const auto end = std::min(text.find('\n', at), text.size() - 1) + 1;  // behind the line feed
        const auto content = text.substr(at, end - at);
        at = end;
        if (!is_directive(content)) {
            auto& body = result.sections_.empty() ? preamble : result.sections_.back().body;
            body.text += content;
            continue;
        }
        auto rest = content.substr(content.find(directive_mark) + directive_mark.size());
        if (rest.ends_with('\n')) rest.remove_suffix(1);
        auto words = split(rest, result.file_, line);
        if (words.empty() || words[0].quoted || words[0].is(",")) {
            throw DefinitionError{result.file_, line, "a keyword behind --@", describe(words, 0)};
        }
        Section section;
        section.keyword = words[0].text;
        section.words.assign(words.begin() + 1, words.end());
        section.line = line;
        section.body = SqlText{"", result.file_, line + 1};
        result.sections_.push_back(std::move(section));
    }

    if (const auto first = first_word(preamble.text); first < preamble.text.size()) {
        throw DefinitionError{result.file_, preamble.line_at(first), "a directive (a line that starts with --@)",
                              "SQL before the first one"};
    }
    if (result.sections_.empty()) {
        throw DefinitionError{result.file_, 1, "a directive (a line that starts with --@)", "none in the file"};
    }
    return result;
}

Heading DirectiveFile::heading(std::string_view keyword, const std::vector<HeadingOption>& options) const {
    const auto& first = sections_.front();
    const auto& words = first.words;
    const auto form = "--@ " + std::string{keyword} + " NAME version N";
    if (first.keyword != keyword) throw first.error(form, "--@ " + first.keyword);
    if (words.empty() || words[0].is(",") || words[0].text.empty()) {
        throw first.error("a name, as in " + form, describe(words, 0));
    }

    Heading heading;
    heading.name = words[0].text;
    if (words.size() < 2 || !words[1].is("version"))
        throw first.error("version, as in " + form, describe(words, 1));
    const auto version = words.size() > 2 ? whole_number(words[2]) : std::nullopt;
    if (!version) throw first.error("a version: 1, 2, 3, …", describe(words, 2));
    heading.version = *version;

    for (std::size_t at = 3; at < words.size(); at += 2) {
        const auto option = std::find_if(options.begin(), options.end(),
                                         [&](const HeadingOption& o) { return words[at].is(o.name); });
        if (option == options.end()) {
            std::vector<std::string_view> names;
            for (const auto& o : options) names.push_back(o.name);
            throw first.error(names.empty() ? "nothing behind the version" : "an option: " + joined(names),
                              describe(words, at));
        }
        const auto& values = option->values;
        const auto value = at + 1 < words.size()
                               ? std::find_if(values.begin(), values.end(),
                                              [&](std::string_view v) { return words[at + 1].is(v); })
                               : values.end();
        if (value == values.end()) {
            throw first.error(std::string{option->name} + " " + joined(values), describe(words, at + 1));
        }
        if (!heading.options.emplace(option->name, *value).second) {
            throw first.error("each option once", "\"" + std::string{option->name} + "\" twice");
        }
    }
    if (!first.has_empty_body()) {
        throw DefinitionError{file_, first.body.line_at(first_word(first.body.text)),
                              "another directive behind the heading", "SQL that belongs to none"};
    }
    return heading;
}

}  // namespace stele::sql
