// The files of a registry: upcasters and renames.
#include "sql/tokens.hpp"
#include "upcast_step.hpp"

#include <stele/schema/sql/directive_file.hpp>
#include <stele/schema/sql/statement.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <sstream>

namespace stele {

namespace fs = std::filesystem;

namespace {

std::optional<int> version_in(std::string_view digits) {
    int version = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
    const bool is_whole = error == std::errc{} && end == digits.data() + digits.size() && digits.front() != '0';
    return is_whole && version > 0 ? std::optional{version} : std::nullopt;
}

/// What a file's name says: TYPE.vN.json, TYPE.vN-vM.sql.
struct FileName {
    std::string type;
    int from = 0;
    std::optional<int> to;
};

std::optional<FileName> parts_of(std::string_view stem) {
    const auto dot = stem.rfind(".v");
    if (dot == std::string_view::npos || dot == 0) return {};
    auto versions = stem.substr(dot + 2);
    FileName name{.type = std::string{stem.substr(0, dot)}};
    if (const auto dash = versions.find("-v"); dash != std::string_view::npos) {
        if (dash + 2 == versions.size()) return {};
        name.to = version_in(versions.substr(dash + 2));
        if (!name.to) return {};
        versions = versions.substr(0, dash);
    }
    const auto from = versions.empty() ? std::nullopt : version_in(versions);
    if (!from) return {};
    name.from = *from;
    return name;
}

std::string text_of(const fs::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    if (in && fs::is_regular_file(file)) text << in.rdbuf();
    if (!in || !fs::is_regular_file(file)) {
        throw sql::DefinitionError{file.string(), 0, "a file that can be read",
                                   fs::is_directory(file) ? "a folder" : "none"};
    }
    return text.str();
}

JsonText document_of(const fs::path& file) {
    try {
        return JsonText::parse(text_of(file), "schema");
    } catch (const InvalidInput& error) {
        throw sql::DefinitionError{file.string(), 0, "a JSON document", error.what()};
    }
}

bool has_directives(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        const auto first = line.find_first_not_of(" \t");
        if (first != std::string_view::npos && line.substr(first).starts_with("--@")) return true;
        at = end + 1;
    }
    return false;
}

std::string found_at(const sql::Section& section, std::size_t word) {
    return word < section.words.size() ? "\"" + section.words[word].text + "\"" : "the end of the line";
}

/// `--@ into TYPE [version M]`.
TypeVersion target_of(const sql::Section& section, const TypeVersion& from) {
    const auto& words = section.words;
    if (words.empty() || words[0].is(",") || words[0].text.empty()) {
        throw section.error("an event type, as in --@ into TYPE [version M]", found_at(section, 0));
    }
    TypeVersion into{words[0].text, words[0].text == from.type ? detail::next_version(from.version) : 1};
    if (words.size() == 1) return into;
    const auto version = words.size() > 2 && !words[2].quoted ? version_in(words[2].text) : std::nullopt;
    if (!words[1].is("version") || !version) {
        throw section.error("version and a number behind the type",
                            found_at(section, words[1].is("version") ? 2 : 1));
    }
    if (words.size() > 3) throw section.error("the end of the line", found_at(section, 3));
    into.version = *version;
    return into;
}

/// Without the blanks and comments in front, so that messages name the line of its first word.
sql::SqlText from_its_first_word(const sql::SqlText& body) {
    const auto first = sql::first_word(body.text);
    return {body.text.substr(first), body.file, body.line_at(first)};
}

detail::UpcastStep step_of(std::string_view text, const TypeVersion& from, const std::string& file) {
    detail::UpcastStep step{.place = file};
    if (!has_directives(text)) {
        step.into.push_back({from.type, detail::next_version(from.version)});
        step.expressions.push_back(from_its_first_word({std::string{text}, file, 1}));
        return step;
    }
    const auto declared = sql::DirectiveFile::parse(text, file);
    for (const auto& section : declared.sections()) {
        if (section.keyword == "into") {
            step.into.push_back(target_of(section, from));
            if (section.has_empty_body())
                throw section.error("an SQL expression behind it", "nothing", "it gives the new data as JSON");
            step.expressions.push_back(from_its_first_word(section.body));
        } else if (section.keyword == "drop") {
            if (!section.words.empty()) throw section.error("the end of the line", found_at(section, 0));
            if (declared.sections().size() > 1)
                throw section.error("`drop` alone in the file",
                                    std::to_string(declared.sections().size()) + " sections");
            if (!section.has_empty_body())
                throw section.error("nothing behind it", "SQL", "an expression that gives NULL drops one event");
        } else {
            throw section.error("`into` or `drop`", "`" + section.keyword + "`");
        }
    }
    return step;
}

}  // namespace

EventTypes& EventTypes::upcast_sql(std::string type, int from, std::string_view text, std::string file) {
    TypeVersion kind{std::move(type), from};
    auto step = step_of(text, kind, file);
    add_step(std::move(kind), std::move(step));
    return *this;
}

void EventTypes::read_renames(const std::string& text, const std::string& file) {
    const auto declared = sql::DirectiveFile::parse(text, file);
    for (const auto& section : declared.sections()) {
        const bool of_aggregates = section.keyword == "rename-aggregate";
        if (!of_aggregates && section.keyword != "rename") {
            throw section.error("`rename` or `rename-aggregate`", "`" + section.keyword + "`");
        }
        const auto& words = section.words;
        if (words.size() != 3 || !words[1].is("to") || words[0].is(",") || words[2].is(",")) {
            throw section.error("`" + section.keyword + " OLD to NEW`",
                                std::to_string(words.size()) + (words.size() == 1 ? " word" : " words"));
        }
        if (!section.has_empty_body()) throw section.error("nothing behind it", "SQL");
        const auto place = file + ":" + std::to_string(section.line);
        if (of_aggregates) {
            rename_aggregate(words[0].text, words[2].text, place);
        } else {
            rename(words[0].text, words[2].text, place);
        }
    }
}

void EventTypes::read_file(const fs::path& path) {
    const auto extension = path.extension().string();
    const auto file = path.string();
    if (path.filename() == "renames.sql") return read_renames(text_of(path), file);
    const auto name = parts_of(path.stem().string());
    if (extension == ".json") {
        if (!name || name->to) {
            throw sql::DefinitionError{file, 0, "a name such as SiteCreated.v2.json for the schema of a version",
                                       path.filename().string()};
        }
        add(name->type, name->from, JsonSchema::compile(document_of(path), file));
        return;
    }
    if (!name || !name->to) {
        throw sql::DefinitionError{file, 0, "a name such as SiteCreated.v1-v2.sql for an upcaster, or renames.sql",
                                   path.filename().string()};
    }
    const auto next = std::int64_t{name->from} + 1;
    if (*name->to != next) {
        throw sql::DefinitionError{file, 0, "an upcaster to the next version, " + std::to_string(next),
                                   "one to version " + std::to_string(*name->to)};
    }
    upcast_sql(name->type, name->from, text_of(path), file);
}

EventTypes EventTypes::load(const fs::path& folder) { return load(folder, nullptr); }

EventTypes EventTypes::load(const fs::path& folder, const std::function<void(const Error&)>& mistake) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder, error}) {
        const auto extension = entry.path().extension();
        const bool is_hidden = entry.path().filename().string().starts_with('.');
        if (!is_hidden && (extension == ".json" || extension == ".sql")) files.push_back(entry.path());
    }
    if (error) throw sql::DefinitionError{folder.string(), 0, "a folder that can be read", error.message()};
    std::sort(files.begin(), files.end());

    EventTypes types;
    const auto noting = [&](const auto& work) {
        if (!mistake) return work();
        try {
            work();
        } catch (const sql::SqlError&) {
            throw;
        } catch (const Error& wrong) {
            mistake(wrong);
        }
    };
    for (const auto& file : files) noting([&] { types.read_file(file); });
    noting([&] { types.check(); });
    return types;
}

}  // namespace stele
