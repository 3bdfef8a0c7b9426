#include "json_layout.hpp"

#include <algorithm>

namespace stele::tool {
namespace {

constexpr std::string_view white_space = " \t\r\n";

class Layout {
public:
    explicit Layout(std::string_view text) : text_(text) {}

    std::string indented() {
        while (at_ < text_.size()) token();
        return std::move(out_);
    }

private:
    void token() {
        const char c = text_[at_];
        switch (c) {
            case '"':
                return string();
            case '{':
            case '[':
                return open();
            case '}':
            case ']':
                --depth_;
                new_line();
                break;
            case ',':
                out_ += c;
                ++at_;
                return new_line();
            case ':':
                out_ += ": ";
                ++at_;
                return;
            default:
                if (white_space.find(c) != std::string_view::npos) {
                    ++at_;
                    return;
                }
        }
        out_ += c;
        ++at_;
    }

    void string() {
        const std::size_t begin = at_++;
        while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        ++at_;
        out_ += text_.substr(begin, at_ - begin);
    }

    void open() {
        out_ += text_[at_];
        at_ = text_.find_first_not_of(white_space, at_ + 1);
        if (text_[at_] == '}' || text_[at_] == ']') {  // nothing in it: it stays on its line
            out_ += text_[at_++];
            return;
        }
        ++depth_;
        new_line();
    }

    void new_line() {
        out_ += '\n';
        out_.append(2 * depth_, ' ');
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::string out_;
};

}  // namespace

std::string json_indented(std::string_view text) { return Layout{text}.indented(); }

std::string json_on_one_line(std::string_view text) {
    std::string line{text};
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return line;
}

}  // namespace stele::tool
