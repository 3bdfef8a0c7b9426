#include <stele/schema/sql/text.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace stele::sql {
namespace {

std::string message(const std::string& file, int line, const std::string& expected, const std::string& found,
                    const std::string& advice) {
    const auto place = line > 0 ? file + ":" + std::to_string(line) : file;
    return place + ": expected " + expected + ", found " + found + (advice.empty() ? "" : "; " + advice);
}

// How many characters to insert, drop or replace to make one of the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

int SqlText::line_at(std::size_t offset) const noexcept {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
    return line + static_cast<int>(std::count(text.begin(), end, '\n'));
}

DefinitionError::DefinitionError(std::string file, int line, std::string expected, std::string found,
                                 const std::string& advice)
    : Error("definition", message(file, line, expected, found, advice),
            {{"file", file}, {"line", line}, {"expected", expected}, {"found", found}}),
      file_(std::move(file)),
      line_(line),
      expected_(std::move(expected)),
      found_(std::move(found)) {}

std::string nearest(std::string_view given, const std::string_view* known, std::size_t count) {
    std::string_view best;
    std::size_t least = given.size() / 3 + 2;  // further away than that, it is another word
    for (std::size_t i = 0; i < count; ++i) {
        const auto steps = distance(given, known[i]);
        if (steps < least) {
            least = steps;
            best = known[i];
        }
    }
    return std::string{best};
}

}  // namespace stele::sql
