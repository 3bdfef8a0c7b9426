#include <stele/projections/projection_tests.hpp>

#include <stele/schema/sql/directive_file.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

namespace stele {
namespace {

using sql::DefinitionError;
using sql::Section;
using Expect = ProjectionTest::Expect;
using ExpectFailure = ProjectionTest::ExpectFailure;
using Given = ProjectionTest::Given;

constexpr std::string_view blanks = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// The words of a directive as they were written, but for the blanks between them.
std::string joined(const std::vector<sql::Word>& words) {
    std::string text;
    for (const auto& word : words) {
        if (!text.empty() && !word.is(",")) text += ' ';
        text += word.quoted ? "\"" + word.text + "\"" : word.text;
    }
    return text;
}

void require_no_words(const Section& section) {
    if (!section.words.empty()) {
        throw section.error("nothing behind --@ " + section.keyword, "\"" + joined(section.words) + "\"");
    }
}

// Calls `take` for each line that is neither empty nor an SQL comment, with its number in the file.
void each_line(const Section& section, const std::function<void(std::string_view, int)>& take) {
    std::string_view rest = section.body.text;
    for (int number = section.body.line; !rest.empty(); ++number) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto line = trimmed(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!line.empty() && !line.starts_with("--")) take(line, number);
    }
}

// Gives events what their lines leave out, alike in every run.
class Defaults {
public:
    void fill(EventLine& event, std::string_view line) {
        ++count_;
        if (!event.event.occurred_at)
            event.event.at(parse_rfc3339("2026-01-01T00:00:00Z") + std::chrono::seconds{count_});
        if (nlohmann::json::parse(line).contains("id")) return;
        char id[37];
        std::snprintf(id, sizeof id, "00000000-0000-4000-8000-%012d", count_);
        event.event.with_id(EventId::parse(id));
    }

private:
    int count_ = 0;
};

Given given_in(const Section& section, Defaults& defaults) {
    require_no_words(section);
    Given given;
    each_line(section, [&](std::string_view line, int number) {
        try {
            given.events.push_back(parse_event_line(line));
        } catch (const InvalidInput& error) {
            throw DefinitionError{section.body.file, number, "an event line", error.what()};
        }
        defaults.fill(given.events.back(), line);
    });
    if (given.events.empty()) throw section.error("event lines behind --@ given", "none");
    return given;
}

nlohmann::json row_in(std::string_view line, const std::string& file, int number) {
    auto row = nlohmann::json::parse(line, nullptr, false);
    if (row.is_array() || row.is_object()) return row;
    throw DefinitionError{file, number, "a row: a JSON array of values, or an object of them by column",
                          row.is_discarded() ? "what is no JSON: " + std::string{line} : std::string{line}};
}

// --@ rows behind the query that it answers.
void take_rows(const Section& section, Expect& expect) {
    const auto words = joined(section.words);
    if (!words.empty() && words != "in any order") {
        throw section.error("--@ rows, or --@ rows in any order", "--@ rows " + words);
    }
    expect.in_order = words.empty();
    each_line(section, [&](std::string_view line, int number) {
        expect.rows.push_back(row_in(line, section.body.file, number));
    });
}

// Reads the sections one after another.
class Reader {
public:
    std::vector<ProjectionTest> tests;

    explicit Reader(const sql::DirectiveFile& file) {
        for (const auto& section : file.sections()) take(section);
        end_test();
    }

private:
    void take(const Section& section) {
        require_rows_unless(section.keyword == "rows");
        if (section.keyword == "test") return begin_test(section);
        if (tests.empty()) throw section.error("--@ test NAME first", "--@ " + section.keyword);
        auto& steps = tests.back().steps;
        if (section.keyword == "given") {
            steps.emplace_back(given_in(section, defaults_));
        } else if (section.keyword == "expect") {
            take_expectation(section);
        } else if (section.keyword == "rows") {
            if (query_ == nullptr) throw section.error("--@ expect and a query before --@ rows", "none");
            take_rows(section, std::get<Expect>(steps.back()));
            query_ = nullptr;
        } else {
            throw section.error("--@ test, given, expect or rows", "--@ " + section.keyword);
        }
    }

    void begin_test(const Section& section) {
        end_test();
        if (section.words.empty()) throw section.error("a name behind --@ test", "none");
        if (!section.has_empty_body()) {
            throw section.error("--@ given or --@ expect behind --@ test", "text that belongs to none");
        }
        tests.push_back({joined(section.words), section.body.file, section.line, {}});
        section_ = &section;
        defaults_ = {};
        expects_ = false;
    }

    void end_test() {
        require_rows_unless(false);
        if (section_ != nullptr && !expects_) {
            throw section_->error("--@ expect in a test", "none in \"" + tests.back().name + "\"");
        }
    }

    void take_expectation(const Section& section) {
        expects_ = true;
        auto& steps = tests.back().steps;
        const auto text = std::string{trimmed(section.body.text)};
        if (section.words.size() == 1 && section.words[0].is("failure")) {
            if (text.empty()) throw section.error("text of the error's message behind --@ expect failure", "none");
            if (!last_is_given(steps))
                throw section.error("--@ given before --@ expect failure", "no event to fail");
            steps.emplace_back(ExpectFailure{section.line, text});
            return;
        }
        if (!section.words.empty()) {
            throw section.error("--@ expect, or --@ expect failure", "--@ expect " + joined(section.words));
        }
        if (section.has_empty_body()) throw section.error("a query behind --@ expect", "none");
        steps.emplace_back(Expect{section.line, section.body.text, section.body.line, {}, true});
        query_ = &section;
    }

    static bool last_is_given(const std::vector<std::variant<Given, Expect, ExpectFailure>>& steps) {
        return !steps.empty() && std::holds_alternative<Given>(steps.back());
    }

    // A query waits for its rows.
    void require_rows_unless(bool rows_follow) {
        if (query_ != nullptr && !rows_follow) throw query_->error("--@ rows behind the query", "none");
    }

    const Section* section_ = nullptr;  // of the test that is being read
    const Section* query_ = nullptr;
    bool expects_ = false;
    Defaults defaults_;
};

}  // namespace

std::vector<ProjectionTest> ProjectionTests::load(const std::filesystem::path& path) {
    return Reader{sql::DirectiveFile::load(path)}.tests;
}

std::vector<ProjectionTest> ProjectionTests::parse(std::string_view text, std::string file) {
    return Reader{sql::DirectiveFile::parse(text, std::move(file))}.tests;
}

std::filesystem::path ProjectionTests::file_beside(const std::filesystem::path& projection_file) {
    auto path = projection_file;
    return path.replace_extension(".test.sql");
}

bool ProjectionTests::is_test_file(const std::filesystem::path& path) {
    return path.filename().string().ends_with(".test.sql");
}

}  // namespace stele
