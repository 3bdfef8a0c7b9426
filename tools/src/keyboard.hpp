// Keyboard: a terminal that hands over each key as it is pressed, and a screen to draw on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stele::tool {

struct Key {
    enum class Kind {
        text,  ///< a character that can be written: `text`
        enter,
        backspace,
        escape,
        left,
        right,
        up,
        down,
        home,
        end,
        page_up,
        page_down,
        other,   ///< one that means nothing here
        redraw,  ///< no key: the terminal has another size, or is ours again
        gone,    ///< no key: there is no terminal any more
    };
    Kind kind = Kind::other;
    std::string text{};

    [[nodiscard]] bool is(std::string_view character) const { return kind == Kind::text && text == character; }
};

/// While one lives, keys come one by one and are not echoed, and what is drawn stands on a screen of its own. When
/// it goes, and on every signal that ends or stops the process, the terminal is as it was. Ctrl-C and Ctrl-Z do
/// what they always do.
///
/// One at a time; from one thread.
class Keyboard {
public:
    /// Requires that standard input and output are terminals.
    Keyboard();
    ~Keyboard();
    Keyboard(const Keyboard&) = delete;
    Keyboard& operator=(const Keyboard&) = delete;

    /// Waits for the next key.
    [[nodiscard]] Key next();

    struct Size {
        std::size_t rows;
        std::size_t columns;
    };
    [[nodiscard]] static Size size();

    /// Replaces all that is on the screen.
    static void draw(const std::string& screen);
};

/// Reads keys from the bytes that a terminal sends for them. Pure, for tests: `more()` gives the next byte, or -1
/// where none comes within a moment.
template <class More>
[[nodiscard]] Key decode_key(int first, More more);

}  // namespace stele::tool

// ---- Implementation

namespace stele::tool {

namespace detail {
/// What stands behind ESC [ or ESC O.
[[nodiscard]] Key::Kind kind_of_sequence(std::string_view sequence);
}  // namespace detail

template <class More>
Key decode_key(int first, More more) {
    constexpr int escape = 0x1b;
    if (first == '\r' || first == '\n') return {Key::Kind::enter};
    if (first == 0x7f || first == '\b') return {Key::Kind::backspace};
    if (first == 4) return {Key::Kind::gone};  // Ctrl-D
    if (first == escape) {
        const int introducer = more();
        if (introducer < 0) return {Key::Kind::escape};
        if (introducer != '[' && introducer != 'O') return {};
        std::string sequence;
        for (int byte = more(); byte >= 0; byte = more()) {
            sequence += static_cast<char>(byte);
            if (byte >= 0x40 && byte <= 0x7e) break;
        }
        return {detail::kind_of_sequence(sequence)};
    }
    if (first < 0x20) return {};
    Key key{Key::Kind::text, std::string(1, static_cast<char>(first))};
    // The further bytes of a character in UTF-8.
    const int further = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    for (int i = 0; i < further; ++i)
        if (const int byte = more(); byte >= 0) key.text += static_cast<char>(byte);
    return key;
}

}  // namespace stele::tool
