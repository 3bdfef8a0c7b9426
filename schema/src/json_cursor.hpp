// JsonCursor: a walk through JSON text that checks it against the grammar of RFC 8259 as it goes.
//
// It stands where others would use a parser, because what is kept here is the text: values are found as slices of
// it, byte for byte, numbers of any size are numbers, and every fault has a place. It needs no memory but its own
// and does not recurse. It does not look at UTF-8: the caller checks the whole text at once, which is faster.
#pragma once

#include <stele/schema/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::detail {

/// What is wrong in a JSON text, and where.
struct JsonFault {
    std::size_t byte;  ///< from 0
    std::string expected;
    std::string found;
};

class JsonCursor {
public:
    /// Stands before the first byte. `text` must outlive the cursor.
    explicit JsonCursor(std::string_view text)
        : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

    /// Steps over white space.
    void space() noexcept {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
    }

    /// The byte ahead; NUL at the end.
    [[nodiscard]] char ahead() const noexcept { return at_ == end_ ? '\0' : *at_; }

    /// How many bytes are behind the cursor.
    [[nodiscard]] std::size_t byte() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

    // Each of these steps over what it names and throws JsonFault where something else stands there.

    /// One value, nested at most JsonText::max_depth deep. Returns its text.
    std::string_view value();

    /// A string, called `described` where there is none. Returns its text, with the quotes.
    std::string_view string(const char* described = "a string");

    /// The byte `c`.
    void expect(char c, const char* described) {
        if (ahead() != c || at_ == end_) fail(described);
        ++at_;
    }

    /// The end of the text.
    void expect_end() const {
        if (at_ != end_) fail("nothing behind the value");
    }

    /// Visits the members of the object ahead, in order: calls `member(name)` with the cursor before the member's
    /// value, which it must step over. `name` is the text of a string, with the quotes.
    template <class Member>
    void object(Member member) {
        expect('{', "an object");
        space();
        if (ahead() == '}') return expect('}', "'}'");
        for (;;) {
            const auto name = key();
            member(name);
            space();
            if (ahead() == '}') return expect('}', "'}'");
            expect(',', "',' or '}' behind a member");
            space();
        }
    }

    /// Visits the elements of the array ahead, in order: calls `element()` with the cursor before each one, which
    /// it must step over.
    template <class Element>
    void array(Element element) {
        expect('[', "an array");
        space();
        if (ahead() == ']') return expect(']', "']'");
        for (;;) {
            element();
            space();
            if (ahead() == ']') return expect(']', "']'");
            expect(',', "',' or ']' behind an element");
            space();
        }
    }

    [[noreturn]] void fail(std::string expected) const;

private:
    /// A name and the ':' behind it, up to the value.
    std::string_view key();
    void number();
    void digits();
    void literal(std::string_view word);
    void escape();
    unsigned hex4();

    const char* begin_;
    const char* at_;
    const char* end_;
};

/// What the text of a JSON string, with its quotes, stands for.
[[nodiscard]] std::string unescaped(std::string_view token);

/// The text of a JSON string that stands for `text`, which must be UTF-8, appended to `out`.
void append_json_string(std::string& out, std::string_view text);

}  // namespace stele::detail
