#include "interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <system_error>

namespace stele::tool {
namespace {

// What the handler may touch: lock-free atomics and a pipe. The pipe is made once and stays, so that a handler that
// runs late never meets a closed descriptor.
std::atomic<bool> wanted{false};
std::atomic<bool> in_use{false};
std::atomic<int> read_end{-1};
std::atomic<int> write_end{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int) {
    const int saved = errno;
    wanted = true;
    const char byte = 0;
    static_cast<void>(!::write(write_end, &byte, 1));
    errno = saved;
}

void make_pipe() {
    if (read_end >= 0) {
        std::array<char, 16> old{};
        while (::read(read_end, old.data(), old.size()) > 0) {
        }
        return;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    read_end = ends[0];
    write_end = ends[1];
}

}  // namespace

Interrupt::Interrupt() {
    assert(!in_use && "one Interrupt at a time");
    in_use = true;
    make_pipe();
    wanted = false;
    struct sigaction action {};
    action.sa_handler = on_signal;
    // Gone after the first one: the second Ctrl-C ends a program that does not react.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &old_int_);
    ::sigaction(SIGTERM, &action, &old_term_);
}

Interrupt::~Interrupt() {
    ::sigaction(SIGINT, &old_int_, nullptr);
    ::sigaction(SIGTERM, &old_term_, nullptr);
    in_use = false;
}

bool Interrupt::requested() const noexcept { return wanted; }
int Interrupt::fd() const noexcept { return read_end; }

IgnoreBrokenPipe::IgnoreBrokenPipe() {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGPIPE, &action, &old_);
}

IgnoreBrokenPipe::~IgnoreBrokenPipe() { ::sigaction(SIGPIPE, &old_, nullptr); }

}  // namespace stele::tool
