// Output: results on standard output, buffered; and tables of them for people.
#pragma once

#include <stele/schema/time.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tool {

/// Standard output. Everything that is a result goes through here, and nothing else does.
///
/// Writes throw OutputClosed when the reader has gone, and Failure when the disk behind a redirection is full:
/// results that were lost must not end with exit status 0.
class Output {
public:
    explicit Output(int fd);

    void write(std::string_view text);
    void line(std::string_view text);
    /// One object on a line of its own.
    void json(const nlohmann::ordered_json& value);
    /// Hands everything to the system. A caller that waits for something must do so before.
    void flush();

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] bool terminal() const noexcept { return terminal_; }
    [[nodiscard]] bool colour() const noexcept { return colour_; }
    /// Columns there are; 0 where it is no terminal and lines may be of any length.
    [[nodiscard]] std::size_t width() const;

private:
    int fd_;
    bool terminal_;
    bool colour_;
    std::string buffer_;
};

/// Writes all of `bytes` to `fd`, however often it takes. Returns false and leaves errno where that fails.
[[nodiscard]] bool write_all(int fd, std::string_view bytes);

/// For a member that may have no value: null where `text` is none.
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<std::string>& text);
/// The same, where an empty text stands for none.
[[nodiscard]] nlohmann::ordered_json text_or_null(const std::string& text);
/// The same, where the beginning of time stands for none.
[[nodiscard]] nlohmann::ordered_json time_or_null(const std::optional<Timestamp>& time);

/// Rows under a heading, aligned. Looks at some hundred rows to find the widths and then lets them go, so a table
/// of any length takes little memory; a wider cell further down widens its column from there on.
///
/// On a terminal the last column is cut to what fits; elsewhere everything stands in full.
class Table {
public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::left;
    };

    Table(Output& out, std::vector<Column> columns);

    /// Requires one cell for each column. Cells are made printable().
    void row(std::vector<std::string> cells);
    /// Writes the rows that are held back. Call it at the end, and before waiting.
    void flush_rows();
    [[nodiscard]] bool empty() const noexcept { return rows_seen_ == 0; }

private:
    void write_row(const std::vector<std::string>& cells, bool heading);

    Output& out_;
    std::vector<Column> columns_;
    std::vector<std::size_t> widths_;
    std::vector<std::vector<std::string>> held_;
    std::size_t rows_seen_ = 0;
    bool heading_written_ = false;
};

/// A line for people, on standard error.
void note(std::string_view text);

}  // namespace stele::tool
