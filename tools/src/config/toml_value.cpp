#include "toml_value.hpp"

#include "../terminal.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace stele::tool {
namespace {

namespace fs = std::filesystem;

Place place_of(const toml::source_region& where) {
    return {static_cast<int>(where.begin.line), static_cast<int>(where.begin.column)};
}

class Source {
public:
    explicit Source(const std::string& text) {
        std::istringstream in{text};
        for (std::string line; std::getline(in, line);) lines_.push_back(line);
    }

    // The line that the first character of a text stands in: the line break that follows opening triple quotes is
    // not part of it.
    [[nodiscard]] int first_line_of_text(Place place) const {
        if (place.line < 1 || static_cast<std::size_t>(place.line) > lines_.size()) return place.line;
        const auto& line = lines_[static_cast<std::size_t>(place.line) - 1];
        const auto quotes = std::max(line.rfind("\"\"\""), line.rfind("'''"), [](auto a, auto b) {
            return (a == std::string::npos ? 0 : a + 1) < (b == std::string::npos ? 0 : b + 1);
        });
        if (quotes == std::string::npos || quotes + 1 < static_cast<std::size_t>(place.column)) return place.line;
        return line.find_first_not_of(" \t\r", quotes + 3) == std::string::npos ? place.line + 1 : place.line;
    }

private:
    std::vector<std::string> lines_;
};

TomlValue converted(const toml::node& node, const Source& source);

TomlValue table_of(const toml::table& table, const Source& source) {
    TomlValue value;
    for (const auto& [key, node] : table)
        value.members.push_back({std::string{key.str()}, place_of(key.source()), converted(node, source)});
    std::stable_sort(value.members.begin(), value.members.end(), [](const TomlMember& a, const TomlMember& b) {
        return a.place.line != b.place.line ? a.place.line < b.place.line : a.place.column < b.place.column;
    });
    return value;
}

TomlValue plain(const toml::node& node, const Source& source) {
    TomlValue value;
    if (const auto* text = node.as_string()) {
        value.kind = TomlValue::Kind::text;
        value.text = text->get();
        value.text_line = source.first_line_of_text(place_of(node.source()));
    } else if (const auto* whole = node.as_integer()) {
        value.kind = TomlValue::Kind::whole;
        value.whole = whole->get();
        value.number = static_cast<double>(whole->get());
    } else if (const auto* number = node.as_floating_point()) {
        value.kind = TomlValue::Kind::number;
        value.number = number->get();
    } else if (const auto* flag = node.as_boolean()) {
        value.kind = TomlValue::Kind::flag;
        value.flag = flag->get();
    } else {
        std::ostringstream written;
        value.kind = TomlValue::Kind::time;
        if (const auto* at = node.as_date_time()) written << at->get();
        if (const auto* date = node.as_date()) written << date->get();
        if (const auto* time = node.as_time()) written << time->get();
        value.text = written.str();
    }
    return value;
}

TomlValue converted(const toml::node& node, const Source& source) {
    TomlValue value;
    if (const auto* table = node.as_table()) {
        value = table_of(*table, source);
    } else if (const auto* array = node.as_array()) {
        value.kind = TomlValue::Kind::list;
        for (const auto& element : *array) value.list.push_back(converted(element, source));
    } else {
        value = plain(node, source);
    }
    value.place = place_of(node.source());
    return value;
}

std::string text_of(const fs::path& file, const std::string& name) {
    errno = 0;
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    if (in) text << in.rdbuf();
    if (!in) throw Failure{Exit::failed, "project", name + ": cannot be read: " + std::strerror(errno)};
    return text.str();
}

}  // namespace

const TomlMember* TomlValue::find(std::string_view key) const noexcept {
    for (const auto& member : members)
        if (member.key == key) return &member;
    return nullptr;
}

std::string shown(const TomlValue& value) {
    constexpr std::size_t widest = 60;
    switch (value.kind) {
        case TomlValue::Kind::text:
            return "\"" + shortened(printable(value.text), widest) + "\"";
        case TomlValue::Kind::whole:
            return std::to_string(value.whole);
        case TomlValue::Kind::number: {
            std::ostringstream text;
            text << value.number;
            return text.str();
        }
        case TomlValue::Kind::flag:
            return value.flag ? "true" : "false";
        case TomlValue::Kind::time:
            return value.text;
        case TomlValue::Kind::list:
            return value.list.empty() ? "an empty list" : "a list";
        case TomlValue::Kind::table:
            break;
    }
    return "a table";
}

TomlValue read_toml(const fs::path& file, const std::string& name) {
    const auto text = text_of(file, name);
    try {
        const auto table = toml::parse(text, name);
        auto value = table_of(table, Source{text});
        return value;
    } catch (const toml::parse_error& error) {
        throw Mistake{name, place_of(error.source()), std::string(error.description())}.failure();
    }
}

}  // namespace stele::tool
