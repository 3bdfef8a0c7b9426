// DirectiveFile: a .sql file that declares something, cut into its sections.
//
//   -- Comments may stand before the first directive; nothing else may.
//   --@ projection tenant_stats version 1
//   --@ create
//   CREATE TABLE tenant_stats (tenant TEXT PRIMARY KEY, sites INTEGER NOT NULL DEFAULT 0);
//   --@ on SiteCreated, "a type with, odd characters"
//   INSERT INTO tenant_stats …
//
// A line whose first characters other than blanks are `--@` is a directive, wherever it stands, also within a
// string or a comment; all lines up to the next one are its body. To any other SQL tool the directives are
// comments.
#pragma once

#include <stele/schema/sql/text.hpp>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace stele::sql {

/// A word of a directive. In double quotes it may hold blanks and commas, and `""` for a quote.
struct Word {
    std::string text;
    bool quoted = false;

    /// `text` as a keyword, symbol or `*`: the quoted word "*" is a name like any other.
    [[nodiscard]] bool is(std::string_view keyword) const noexcept { return !quoted && text == keyword; }
};

/// A directive and what follows it.
struct Section {
    std::string keyword;      ///< the first word: "projection", "create", "on"
    std::vector<Word> words;  ///< the rest of the line; a comma is a word of its own
    int line = 1;             ///< of the directive
    SqlText body;             ///< up to the next directive; `body.file` names the file

    /// An error about this directive's own line.
    [[nodiscard]] DefinitionError error(std::string expected, std::string found,
                                        const std::string& advice = {}) const;

    /// True where the body holds nothing but blanks and comments.
    [[nodiscard]] bool has_empty_body() const;

    /// The words as a list `A, B, C` of event types, at least one. `*` alone gives an empty list: any type.
    /// Throws DefinitionError for a comma too many or too few, a type named twice, or `*` beside types.
    [[nodiscard]] std::vector<std::string> event_types() const;
};

/// `NAME version N option value …`, as a file's first directive has it.
struct Heading {
    std::string name;
    int version = 1;
    std::map<std::string, std::string, std::less<>> options;  ///< those that were given
};

/// What a heading may say after the version.
struct HeadingOption {
    std::string_view name;
    std::vector<std::string_view> values;
};

class DirectiveFile {
public:
    /// Reads the file. Throws DefinitionError (line 0 where the file cannot be read).
    [[nodiscard]] static DirectiveFile load(const std::filesystem::path& path);

    /// `file` names it in messages. Throws DefinitionError: text before the first directive, a quote that is not
    /// closed, a directive without a keyword, no directive at all.
    [[nodiscard]] static DirectiveFile parse(std::string_view text, std::string file);

    [[nodiscard]] const std::string& file() const noexcept { return file_; }
    [[nodiscard]] const std::vector<Section>& sections() const noexcept { return sections_; }  ///< never empty

    /// Reads the first section as a heading: `--@ <keyword> NAME version N`, then `options`, each at most once.
    /// Throws DefinitionError: another keyword, no name, no version or one below 1, an unknown option or value, or
    /// SQL between the heading and the next directive.
    [[nodiscard]] Heading heading(std::string_view keyword, const std::vector<HeadingOption>& options = {}) const;

    /// All of the file's text, for a fingerprint.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string file_;
    std::string text_;
    std::vector<Section> sections_;
};

}  // namespace stele::sql
