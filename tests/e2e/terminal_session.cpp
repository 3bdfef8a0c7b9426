#include "terminal_session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <csignal>
#include <cstdlib>

namespace stele::test {
namespace {

constexpr std::chrono::seconds patience{60};

std::string without_colours(const std::string& text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\x1b' && at + 1 < text.size() && text[at + 1] == '[') {
            at += 2;
            while (at < text.size() && (text[at] < 0x40 || text[at] > 0x7e)) ++at;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

}  // namespace

TerminalSession::TerminalSession(const Workplace& at, const std::vector<std::string>& arguments,
                                 unsigned short rows, unsigned short columns) {
    winsize size{};
    size.ws_row = rows;
    size.ws_col = columns;
    REQUIRE(::openpty(&terminal_, &other_end_, nullptr, nullptr, &size) == 0);
    std::vector<std::string> words{STELE_TOOL};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const auto folder = at.path("").string();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        ::close(terminal_);
        ::setenv("STELE_STORE", "log.stele", 1);
        ::setenv("TERM", "xterm", 1);
        ::unsetenv("NO_COLOR");
        if (::login_tty(other_end_) == 0 && ::chdir(folder.c_str()) == 0) ::execv(pointers[0], pointers.data());
        ::_exit(126);
    }
}

TerminalSession::~TerminalSession() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(terminal_);
    ::close(other_end_);
}

void TerminalSession::type(const std::string& keys) const {
    REQUIRE(::write(terminal_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

bool TerminalSession::read_some(std::chrono::steady_clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd output{terminal_, POLLIN, 0};
    if (::poll(&output, 1, static_cast<int>(left.count())) <= 0) return true;
    char chunk[4096];
    const auto n = ::read(terminal_, chunk, sizeof chunk);
    if (n > 0) printed_.append(chunk, static_cast<std::size_t>(n));
    return true;
}

void TerminalSession::wait_for(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        const auto plain = without_colours(printed_);
        const auto found = plain.find(text, waited_to_);
        if (found != std::string::npos) {
            waited_to_ = found + text.size();
            return;
        }
        INFO(plain.substr(waited_to_));
        INFO("waiting for " << text);
        REQUIRE(read_some(deadline));
    }
}

void TerminalSession::resize(unsigned short rows, unsigned short columns) const {
    winsize size{};
    size.ws_row = rows;
    size.ws_col = columns;
    REQUIRE(::ioctl(terminal_, TIOCSWINSZ, &size) == 0);
}

void TerminalSession::signal(int number) const { REQUIRE(::kill(pid_, number) == 0); }

void TerminalSession::wait_until_stopped() const {
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
    REQUIRE(WIFSTOPPED(status));
}

int TerminalSession::wait() {
    // What it prints at last has to be read, or it cannot end.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    int status = 0;
    for (;;) {
        const auto ended = ::waitpid(pid_, &status, WNOHANG);
        REQUIRE(ended >= 0);
        if (ended == pid_) break;
        REQUIRE(read_some(std::min(deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds{20})));
        REQUIRE(std::chrono::steady_clock::now() < deadline);
    }
    pid_ = -1;
    for (pollfd output{terminal_, POLLIN, 0}; ::poll(&output, 1, 0) > 0 && (output.revents & POLLIN) != 0;) {
        char chunk[4096];
        const auto n = ::read(terminal_, chunk, sizeof chunk);
        if (n <= 0) break;
        printed_.append(chunk, static_cast<std::size_t>(n));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

termios TerminalSession::settings() const {
    termios settings{};
    REQUIRE(::tcgetattr(other_end_, &settings) == 0);
    return settings;
}

void TerminalSession::set(const termios& settings) const {
    REQUIRE(::tcsetattr(other_end_, TCSANOW, &settings) == 0);
}

}  // namespace stele::test
