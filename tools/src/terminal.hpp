// What the terminal is like, if there is one, and how text looks on it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::tool {

/// Whether the file descriptor is a terminal.
[[nodiscard]] bool is_terminal(int fd);

/// Columns of the terminal on `fd`; 80 where it does not say.
[[nodiscard]] std::size_t terminal_width(int fd);

/// Whether colours are wanted on `fd`: it is a terminal, not a dumb one, and NO_COLOR is not set.
[[nodiscard]] bool wants_colour(int fd);

/// How many columns `text` takes: East Asian wide characters two, combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// `text` on one line, safe to show: control characters, which could move the cursor or hide what follows, become
/// a middle dot, and line breaks and tabs a space. What is not UTF-8 becomes U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

/// `text`, and if it takes more than `columns`, its beginning and an ellipsis.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);

/// 74702 as 74,702.
[[nodiscard]] std::string grouped(std::int64_t number);

/// Bytes for people: 812 B, 4.7 MiB.
[[nodiscard]] std::string human_bytes(std::int64_t bytes);

/// Seconds for people: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min.
[[nodiscard]] std::string human_seconds(double seconds);

/// 1 event, 2 events.
[[nodiscard]] std::string counted(std::int64_t number, std::string_view singular, std::string_view plural = {});

}  // namespace stele::tool
