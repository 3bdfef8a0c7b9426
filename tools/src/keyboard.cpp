#include "keyboard.hpp"

#include "output.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace stele::tool {
namespace {

// A screen of our own, without a cursor; and back.
constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view leave_screen = "\x1b[?25h\x1b[?1049l";

// What signal handlers need. They run between any two instructions of ours, so it is set before they are installed.
termios as_it_was{};
termios as_we_want_it{};
volatile std::sig_atomic_t redraw_wanted = 0;

constexpr std::array ending{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
constexpr std::array others{SIGTSTP, SIGCONT, SIGWINCH};
std::array<struct sigaction, ending.size() + others.size()> old_actions;

// tcsetattr() and write() may be called in a signal handler. What they say of failing does not matter: there is
// nothing that could be done.
void take_terminal() noexcept {
    static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &as_we_want_it));
    static_cast<void>(!::write(STDOUT_FILENO, enter_screen.data(), enter_screen.size()));
}

void give_terminal_back() noexcept {
    static_cast<void>(!::write(STDOUT_FILENO, leave_screen.data(), leave_screen.size()));
    static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was));
}

// SA_RESETHAND: by now the signal does again what it does by default.
void end(int signal) {
    give_terminal_back();
    ::raise(signal);
}

void set_handler(int signal, void (*handler)(int), int flags, struct sigaction* old = nullptr) noexcept {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigaction(signal, &action, old);
}

// Stops the process, and goes on from here when it is continued; or at once, where nobody is there to continue it
// and the system does not stop it therefore.
void stop(int signal) {
    const int error = errno;
    give_terminal_back();
    set_handler(signal, SIG_DFL, 0);
    ::raise(signal);
    set_handler(signal, stop, SA_NODEFER);
    take_terminal();
    redraw_wanted = 1;
    errno = error;
}

// A shell that was in front meanwhile has set the terminal as it likes it.
void go_on(int) {
    const int error = errno;
    take_terminal();
    redraw_wanted = 1;
    errno = error;
}

void resize(int) { redraw_wanted = 1; }

// The next byte that was typed; -1 where none comes within so many milliseconds (-1: waits), -2 at the end.
int next_byte(int milliseconds) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, milliseconds);
    if (ready <= 0) return ready < 0 && errno != EINTR ? -2 : -1;
    unsigned char byte = 0;
    const auto n = ::read(STDIN_FILENO, &byte, 1);
    if (n == 1) return byte;
    return n < 0 && errno == EINTR ? -1 : -2;
}

}  // namespace

Key::Kind detail::kind_of_sequence(std::string_view sequence) {
    constexpr std::pair<std::string_view, Key::Kind> known[] = {
        {"A", Key::Kind::up},   {"B", Key::Kind::down}, {"C", Key::Kind::right},    {"D", Key::Kind::left},
        {"H", Key::Kind::home}, {"F", Key::Kind::end},  {"1~", Key::Kind::home},    {"7~", Key::Kind::home},
        {"4~", Key::Kind::end}, {"8~", Key::Kind::end}, {"5~", Key::Kind::page_up}, {"6~", Key::Kind::page_down},
    };
    const auto* const found =
        std::find_if(std::begin(known), std::end(known), [&](const auto& one) { return one.first == sequence; });
    return found == std::end(known) ? Key::Kind::other : found->second;
}

Keyboard::Keyboard() {
    ::tcgetattr(STDIN_FILENO, &as_it_was);
    as_we_want_it = as_it_was;
    as_we_want_it.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    as_we_want_it.c_cc[VMIN] = 1;
    as_we_want_it.c_cc[VTIME] = 0;
    redraw_wanted = 0;
    auto* old = old_actions.data();
    for (const int signal : ending) set_handler(signal, end, static_cast<int>(SA_RESETHAND) | SA_NODEFER, old++);
    set_handler(SIGTSTP, stop, SA_NODEFER, old++);
    set_handler(SIGCONT, go_on, 0, old++);
    set_handler(SIGWINCH, resize, 0, old++);
    take_terminal();
}

Keyboard::~Keyboard() {
    give_terminal_back();
    const auto* old = old_actions.data();
    for (const int signal : ending) ::sigaction(signal, old++, nullptr);
    for (const int signal : others) ::sigaction(signal, old++, nullptr);
}

Key Keyboard::next() {
    constexpr int moment = 50;  // the bytes of one key come together
    for (;;) {
        if (redraw_wanted != 0) {
            redraw_wanted = 0;
            return {Key::Kind::redraw};
        }
        // A signal between here and the wait is seen when that ends: at the next key, or half a second later.
        const int first = next_byte(500);
        if (first == -2) return {Key::Kind::gone};
        if (first >= 0) return decode_key(first, [] { return next_byte(moment); });
    }
}

Keyboard::Size Keyboard::size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {24, 80};
    return {size.ws_row, size.ws_col};
}

void Keyboard::draw(const std::string& screen) {
    static_cast<void>(write_all(STDOUT_FILENO, "\x1b[H" + screen + "\x1b[J"));
}

}  // namespace stele::tool
