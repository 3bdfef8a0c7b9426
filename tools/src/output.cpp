#include "output.hpp"

#include "failure.hpp"
#include "terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace stele::tool {
namespace {

constexpr std::size_t output_buffer_bytes = std::size_t{64} << 10;
constexpr std::size_t rows_to_measure = 256;

}  // namespace

nlohmann::ordered_json or_null(const std::optional<std::string>& text) {
    return text ? nlohmann::ordered_json(*text) : nlohmann::ordered_json();
}

nlohmann::ordered_json text_or_null(const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

nlohmann::ordered_json time_or_null(const std::optional<Timestamp>& time) {
    return time && *time != Timestamp{} ? nlohmann::ordered_json(to_rfc3339(*time)) : nlohmann::ordered_json();
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Output::Output(int fd) : fd_(fd), terminal_(is_terminal(fd)), colour_(wants_colour(fd)) {}

void Output::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= output_buffer_bytes) flush();
}

void Output::line(std::string_view text) {
    buffer_ += text;
    buffer_ += '\n';
    if (buffer_.size() >= output_buffer_bytes) flush();
}

void Output::json(const nlohmann::ordered_json& value) {
    // Rows of a read model may hold text that is not UTF-8; one such cell must not end the whole answer.
    line(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void Output::flush() {
    const bool written = write_all(fd_, buffer_);
    const int reason = errno;
    buffer_.clear();
    if (written) return;
    if (reason == EPIPE) throw OutputClosed{};
    throw Failure{Exit::failed, "output", std::string("standard output: ") + std::strerror(reason)};
}

std::size_t Output::width() const { return terminal_ ? terminal_width(fd_) : 0; }

Table::Table(Output& out, std::vector<Column> columns) : out_(out), columns_(std::move(columns)) {
    for (const auto& column : columns_) widths_.push_back(display_width(column.title));
}

void Table::row(std::vector<std::string> cells) {
    assert(cells.size() == columns_.size());
    for (auto& cell : cells) cell = printable(cell);
    held_.push_back(std::move(cells));
    ++rows_seen_;
    if (held_.size() >= rows_to_measure) flush_rows();
}

void Table::flush_rows() {
    for (const auto& cells : held_)
        for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], display_width(cells[i]));
    if (!heading_written_ && !held_.empty()) {
        std::vector<std::string> titles;
        for (const auto& column : columns_) titles.push_back(column.title);
        write_row(titles, true);
        heading_written_ = true;
    }
    for (const auto& cells : held_) write_row(cells, false);
    held_.clear();
}

void Table::write_row(const std::vector<std::string>& cells, bool heading) {
    constexpr std::size_t gap = 2;
    const std::size_t available = out_.width();
    std::string line;
    std::size_t used = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const bool last = i + 1 == cells.size();
        std::string cell = cells[i];
        if (last && available > 0) cell = shortened(cell, available > used ? available - used : 0);
        const std::size_t padding = widths_[i] - std::min(widths_[i], display_width(cell));
        if (columns_[i].align == Align::right) line.append(padding, ' ');
        line += cell;
        if (columns_[i].align == Align::left && !last) line.append(padding, ' ');
        if (!last) line.append(gap, ' ');
        used += widths_[i] + gap;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (heading && out_.colour()) line = "\x1b[1m" + line + "\x1b[0m";
    out_.line(line);
}

void note(std::string_view text) {
    std::string line{text};
    line += '\n';
    // Nothing can be done about a standard error that is gone, and the command's result does not depend on it.
    static_cast<void>(write_all(STDERR_FILENO, line));
}

}  // namespace stele::tool
