// TomlValue: what stands in a TOML file, every piece with its place, so that a mistake is named where it is.
#pragma once

#include "mistakes.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tool {

struct TomlMember;

struct TomlValue {
    enum class Kind { text, whole, number, flag, time, list, table };

    Kind kind = Kind::table;
    Place place;        ///< of its first character
    std::string text;   ///< of a text; a time as it is written
    int text_line = 1;  ///< of a text: the line that its own first character stands in
    std::int64_t whole = 0;
    double number = 0;
    bool flag = false;
    std::vector<TomlValue> list;
    std::vector<TomlMember> members;  ///< of a table, in the order of the file

    /// Null where the table has no such key.
    [[nodiscard]] const TomlMember* find(std::string_view key) const noexcept;
};

struct TomlMember {
    std::string key;
    Place place;  ///< of the key
    TomlValue value;
};

/// `"ten"`, `12`, `true`, `a list`: for messages.
[[nodiscard]] std::string shown(const TomlValue& value);

/// Reads a file. `name` is what messages call it. Throws Failure with the place where it is not TOML.
[[nodiscard]] TomlValue read_toml(const std::filesystem::path& file, const std::string& name);

}  // namespace stele::tool
