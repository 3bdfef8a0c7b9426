// Small things that sinks do with texts: what may stand in a message, base64, addresses without their secrets.
#pragma once

#include <stele/schema/event.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stele::sinks {

/// `text` as one line for messages and terminals: valid UTF-8, control characters (those of U+0080 to U+009F too)
/// as blanks, blanks at its ends gone; cut behind about `most` bytes, with `…`.
[[nodiscard]] std::string printable(std::string_view text, std::size_t most = 500);

/// ": " and the text, printable, or nothing where there is none.
[[nodiscard]] std::string after_colon(std::string_view text, std::size_t most = 500);

/// RFC 4648, 4: with padding.
[[nodiscard]] std::string base64(std::string_view bytes);
/// Empty where the text is not base64, with padding or without.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Blanks at both ends gone.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// The event line with further string fields at its end.
struct Field {
    std::string_view name;
    std::string_view value;
};
[[nodiscard]] std::string event_line_with(const Event& event, std::initializer_list<Field> fields);

}  // namespace stele::sinks
