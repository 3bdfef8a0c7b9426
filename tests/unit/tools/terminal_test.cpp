// Text for people: widths, what is safe to show, and numbers.
#include "terminal.hpp"

#include <stele/test/catch.hpp>

using namespace stele::tool;

TEST_CASE("width counts columns and not bytes", "[tools][terminal]") {
    CHECK(display_width("") == 0);
    CHECK(display_width("plain") == 5);
    CHECK(display_width("Zürich") == 6);
    CHECK(display_width("日本") == 4);
    CHECK(display_width("e\u0301") == 1);  // e and a combining acute accent
    CHECK(display_width("\xF0\x9F\x98\x80") == 2);
    CHECK(display_width("\xFF") == 1);
}

TEST_CASE("what a terminal would act upon is shown and not sent", "[tools][terminal]") {
    CHECK(printable("plain, Zürich, 日本") == "plain, Zürich, 日本");
    CHECK(printable("a\nb\tc\rd") == "a b c d");
    CHECK(printable("\x1b[2J") == "·[2J");
    CHECK(printable("\xC2\x9B"
                    "31m") == "·31m");  // CSI as one character
    CHECK(printable("\x7f") == "·");
    CHECK(printable("a\xE2\x80\xAE"
                    "b") == "a·b");  // turns the direction of what follows
    CHECK(printable(std::string_view{"\0", 1}) == "·");
    CHECK(printable("\xC3(") == "\uFFFD(");
    CHECK(printable("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
}

TEST_CASE("text is shortened to columns, with an ellipsis in the last", "[tools][terminal]") {
    CHECK(shortened("abcdef", 6) == "abcdef");
    CHECK(shortened("abcdef", 5) == "abcd…");
    CHECK(shortened("abcdef", 1) == "…");
    CHECK(shortened("abcdef", 0).empty());
    CHECK(shortened("日本語", 6) == "日本語");
    CHECK(shortened("日本語", 5) == "日本…");
    CHECK(shortened("日本語", 4) == "日…");
    for (std::size_t columns = 0; columns < 10; ++columns)
        CHECK(display_width(shortened("a日b本c語", columns)) <= columns);
}

TEST_CASE("numbers for people", "[tools][terminal]") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(74702) == "74,702");
    CHECK(grouped(1234567) == "1,234,567");
    CHECK(grouped(-100) == "-100");
    CHECK(grouped(-1000) == "-1,000");
    CHECK(human_bytes(812) == "812 B");
    CHECK(human_bytes(1536) == "1.5 KiB");
    CHECK(human_bytes(25 << 20) == "25 MiB");
    CHECK(human_seconds(0.44) == "0.4 s");
    CHECK(human_seconds(12.4) == "12 s");
    CHECK(human_seconds(59.6) == "1 min 00 s");
    CHECK(human_seconds(185) == "3 min 05 s");
    CHECK(human_seconds(7800) == "2 h 10 min");
    CHECK(counted(1, "event") == "1 event");
    CHECK(counted(0, "event") == "0 events");
    CHECK(counted(2, "entry", "entries") == "2 entries");
}
