// stele replay --step: someone at a terminal walks through a history.
#include "terminal_session.hpp"

#include <csignal>

using namespace stele;
using test::TerminalSession;
using test::Workplace;

namespace {

constexpr const char* right = "\x1b[C";
constexpr const char* left = "\x1b[D";

// Five events of Site/1: two fields, of which each event changes one.
Workplace& seeded(Workplace& at) {
    std::string lines;
    for (int n = 1; n <= 5; ++n)
        lines += R"({"aggregate_type":"Site","aggregate_id":"1","type":"Event)" + std::to_string(n) +
                 R"(","data":{")" + (n % 2 == 1 ? "odd" : "even") + R"(":)" + std::to_string(n) +
                 R"(},"metadata":{"actor":"user-)" + std::to_string(n) + "\"}}\n";
    at.write("lines.jsonl", lines);
    REQUIRE(at.stele({"import", "lines.jsonl"}).status == 0);
    return at;
}

bool is_as_usual(const termios& settings) {
    return (settings.c_lflag & ICANON) != 0 && (settings.c_lflag & ECHO) != 0;
}

bool left_the_screen(const TerminalSession& session) {
    const auto left_at = session.printed().rfind("\x1b[?1049l");
    return left_at != std::string::npos && left_at > session.printed().rfind("\x1b[?1049h");
}

}  // namespace

TEST_CASE("replay --step goes forward, back, and to a version", "[e2e][step]") {
    Workplace at;
    seeded(at);
    TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
    session.wait_for("Site/1  version 1 of 5  position 1");
    session.wait_for("Event1  by user-1");
    session.wait_for("+ /odd: 1");
    session.wait_for("q quit");
    CHECK_FALSE(is_as_usual(session.settings()));
    session.type(right);
    session.wait_for("version 2 of 5");
    session.wait_for("+ /even: 2");
    session.type("n");
    session.wait_for("version 3 of 5");
    session.wait_for("~ /odd: 1 → 3");
    session.type(left);
    session.wait_for("version 2 of 5");
    session.type("g4\r");
    session.wait_for("version 4 of 5");
    session.type(">");
    session.wait_for("version 5 of 5");
    session.wait_for("q quit");
    session.type("n");
    session.wait_for("this is the last event");
    session.type("<");
    session.wait_for("version 1 of 5");
    session.wait_for("q quit");
    session.type("p");
    session.wait_for("version 0 of 5");
    session.wait_for("before the first event");
    session.type("g9\r");
    session.wait_for("expected a version from 0 to 5");
    session.type("q");
    CHECK(session.wait() == 0);
    CHECK(is_as_usual(session.settings()));
    CHECK(left_the_screen(session));
}

TEST_CASE("replay --step shows changes, state and event, and finds what changed a field", "[e2e][step]") {
    Workplace at;
    seeded(at);
    TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
    session.wait_for("q quit");
    session.type("s");
    session.wait_for("[state]");
    session.wait_for("\"odd\": 1");
    session.type("e");
    session.wait_for("[event]");
    session.wait_for("\"aggregate_id\": \"1\"");
    session.type("c/even\r");
    session.wait_for("version 2 of 5");
    session.wait_for("q quit");
    session.type("]");
    session.wait_for("version 4 of 5");
    session.wait_for("q quit");
    session.type("]");
    session.wait_for("no later event changes /even");
    session.type("[");
    session.wait_for("version 2 of 5");
    session.wait_for("q quit");
    session.type("/odd\x7f\x7f\x1b");
    session.wait_for("field: o_");
    session.wait_for("q quit");
    session.type("?");
    session.wait_for("show these keys");
    session.type("\x04");
    CHECK(session.wait() == 0);
}

TEST_CASE("a screen that changes its size is drawn anew", "[e2e][step]") {
    Workplace at;
    seeded(at);
    TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
    session.wait_for("q quit");
    session.resize(10, 20);
    session.wait_for("Site/1  version 1 o…");
    session.type("q");
    CHECK(session.wait() == 0);
}

TEST_CASE("whatever signal ends replay --step, the terminal is as it was", "[e2e][step]") {
    Workplace at;
    seeded(at);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV}) {
        CAPTURE(signal);
        TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
        session.wait_for("q quit");
        session.signal(signal);
        CHECK(session.wait() == 128 + signal);
        CHECK(is_as_usual(session.settings()));
        CHECK(left_the_screen(session));
    }
    TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
    session.wait_for("q quit");
    session.type("\x03");
    CHECK(session.wait() == 128 + SIGINT);
    CHECK(is_as_usual(session.settings()));
}

// Here it has no shell that could continue it, so the system lets it go on at once.
TEST_CASE("replay --step gives the terminal back where it is to stop", "[e2e][step]") {
    Workplace at;
    seeded(at);
    TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
    session.wait_for("q quit");
    session.signal(SIGTSTP);
    session.wait_for("version 1 of 5");
    session.wait_for("q quit");
    CHECK(session.printed().find("\x1b[?1049l") != std::string::npos);
    CHECK_FALSE(left_the_screen(session));
    CHECK_FALSE(is_as_usual(session.settings()));
    session.type("q");
    CHECK(session.wait() == 0);
    CHECK(is_as_usual(session.settings()));
}

TEST_CASE("replay --step takes the terminal again when it is continued", "[e2e][step]") {
    Workplace at;
    seeded(at);
    TerminalSession session{at, {"replay", "Site/1", "--step"}, 24, 100};
    session.wait_for("q quit");
    session.signal(SIGSTOP);
    session.wait_until_stopped();
    auto settings = session.settings();
    settings.c_lflag |= ICANON | ECHO;
    session.set(settings);
    session.signal(SIGCONT);
    session.wait_for("version 1 of 5");
    session.wait_for("q quit");
    CHECK_FALSE(is_as_usual(session.settings()));
    session.type(right);
    session.wait_for("version 2 of 5");
    session.type("q");
    CHECK(session.wait() == 0);
}

TEST_CASE("an event that cannot be folded is told, and the walk stays", "[e2e][step]") {
    Workplace at;
    seeded(at);
    at.write("site.sql", "--@ aggregate Site version 1\n--@ on Event1\n$data\n--@ on Event2\n$data(nothing)\n");
    TerminalSession session{at, {"replay", "Site/1", "--step", "--aggregate", "site.sql"}, 24, 200};
    session.wait_for("q quit");
    session.type("n");
    session.wait_for("site.sql:5: Site/1: version 2");
    session.type("e");
    session.wait_for("version 1 of 5");
    session.type("q");
    CHECK(session.wait() == 0);
}

TEST_CASE("replay --step without a terminal says what to do instead", "[e2e][step]") {
    Workplace at;
    seeded(at);
    const auto ran = at.stele({"replay", "Site/1", "--step"});
    CHECK(ran.status == 2);
    CHECK_THAT(ran.err, ContainsSubstring("--step needs a terminal"));
    CHECK_THAT(ran.err, ContainsSubstring("--steps prints every step"));
    CHECK(at.stele({"replay", "Site/1", "--step", "--steps"}).status == 2);
}
