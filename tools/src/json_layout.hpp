// JSON laid out anew, its numbers and strings as they stand in the text: reading a number and writing it again may
// change it, and a log's evidence must not.
#pragma once

#include <string>
#include <string_view>

namespace stele::tool {

/// One member or element a line, two spaces a level. `text` is valid JSON.
[[nodiscard]] std::string json_indented(std::string_view text);

/// Line breaks, which stand between tokens alone, become spaces. `text` is valid JSON.
[[nodiscard]] std::string json_on_one_line(std::string_view text);

}  // namespace stele::tool
