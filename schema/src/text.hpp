// Text: UTF-8 checks, and values as they stand in messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::detail {

/// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Where the first character begins that is not UTF-8; text.size() where there is none.
[[nodiscard]] std::size_t broken_utf8_at(std::string_view text) noexcept;

/// Whether a byte of `text` is U+0000 to U+001F or U+007F.
[[nodiscard]] bool has_control_characters(std::string_view text) noexcept;

/// `text` fit for a message: shortened where it is long, control characters and broken UTF-8 written as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

/// The same in double quotes.
[[nodiscard]] std::string quoted(std::string_view text);

/// `the byte 0xC3`.
[[nodiscard]] std::string byte_name(unsigned char byte);

/// Throws InvalidInput naming `field` and the first bad byte, unless `text` is UTF-8.
void require_utf8(std::string_view text, std::string_view field);

/// Throws InvalidInput naming `field`, unless `text` is UTF-8 without control characters and not empty.
void require_name(std::string_view text, std::string_view field);

/// Throws InvalidInput naming `field`, the limit and the size, when `text` is longer than `limit`.
void require_bytes_at_most(std::size_t limit, std::string_view text, std::string_view field);

}  // namespace stele::detail
