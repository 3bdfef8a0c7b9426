// The command on a terminal: colours, progress, and lines that fit. Elsewhere there is none of it.
#include "terminal.hpp"
#include "workplace.hpp"

#include <sstream>

using namespace stele;
using test::Workplace;

namespace {

Workplace& seeded(Workplace& at) {
    at.write("lines.jsonl", R"({"aggregate_type":"Site","aggregate_id":"1","type":"T","data":{"text":")" +
                                std::string(300, 'x') + "\"}}\n");
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

std::string without_colours(std::string text) {
    for (std::size_t at = 0; (at = text.find('\x1b')) != std::string::npos;)
        text.erase(at, text.find('m', at) + 1 - at);
    return text;
}

}  // namespace

TEST_CASE("on a terminal, rows are cut to its width and the heading is bold", "[e2e][terminal]") {
    Workplace at;
    seeded(at);
    const auto ran = at.on_terminal({"events"}, 70);
    INFO(ran);
    CHECK(ran.status == 0);
    CHECK_THAT(ran.out, ContainsSubstring("\x1b[1mPOSITION"));
    std::istringstream lines{without_colours(ran.out)};
    int rows = 0;
    for (std::string line; std::getline(lines, line); ++rows) {
        line.erase(line.find_last_not_of('\r') + 1);
        CHECK(tool::display_width(line) <= 70);
    }
    CHECK(rows == 2);
    CHECK_THAT(ran.out, ContainsSubstring("…"));
}

TEST_CASE("NO_COLOR and a dumb terminal get no colours", "[e2e][terminal]") {
    Workplace at;
    seeded(at);
    CHECK_THAT(at.on_terminal({"types"}, 80).out, ContainsSubstring("\x1b[1m"));
    CHECK_THAT(at.on_terminal({"types"}, 80, {.input = {}, .environment = {{"NO_COLOR", "1"}}}).out,
               !ContainsSubstring("\x1b"));
    CHECK_THAT(at.on_terminal({"types"}, 80, {.input = {}, .environment = {{"TERM", "dumb"}}}).out,
               !ContainsSubstring("\x1b"));
}

TEST_CASE("on a terminal, long commands show their progress, and clear it away", "[e2e][terminal]") {
    Workplace at;
    at.write("many.jsonl", test::event_lines(5000));
    const auto import = at.on_terminal({"import", "many.jsonl"}, 80);
    INFO(import);
    CHECK(import.status == 0);
    CHECK_THAT(import.out, ContainsSubstring("\rimport "));
    CHECK_THAT(import.out, ContainsSubstring("% ["));
    CHECK_THAT(import.out, ContainsSubstring("\r\x1b[Kmany.jsonl: 5,000 events appended"));
    CHECK_THAT(at.on_terminal({"export", "all.jsonl"}, 80).out, ContainsSubstring("\rexport "));
    CHECK_THAT(at.on_terminal({"export"}, 80).out, !ContainsSubstring("\rexport "));
    CHECK(at.stele({"import", "many.jsonl", "--source", "again"}).err.empty());
}
