// Colours on a terminal that wants them; elsewhere the text as it is.
#pragma once

#include "output.hpp"

#include <string>
#include <string_view>

namespace stele::tool {

enum class Colour { bold, faint, red, green, yellow, cyan };

/// `text` in that colour, where `out` shows colours. Cut and pad it before: what is added takes no columns, and
/// display_width() would count it.
[[nodiscard]] std::string painted(const Output& out, Colour colour, std::string_view text);

}  // namespace stele::tool
