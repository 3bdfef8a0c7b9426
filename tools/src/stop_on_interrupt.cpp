#include "stop_on_interrupt.hpp"

#include <poll.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace stele::tool {
namespace {

// Returns when one of the three has something to say: false where it is `done`, which nobody has to be told.
bool wait_for_reason(int interrupt, int output, int done) {
    // No events are asked for on the output: poll() reports by itself that the other end has gone. It passes over
    // descriptors below 0.
    std::array<pollfd, 3> fds{{{interrupt, POLLIN, 0}, {output, 0, 0}, {done, POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
    }
    return fds[0].revents != 0 || fds[1].revents != 0;
}

}  // namespace

StopOnInterrupt::StopOnInterrupt(std::function<void()> stop, const Interrupt& interrupt, int output) {
    std::tie(done_read_, done_write_) = File::pipe();
    if (!done_read_.is_open()) throw std::system_error(errno, std::generic_category(), "pipe");
    thread_ = std::thread{[stop = std::move(stop), from = interrupt.fd(), output, done = done_read_.fd()] {
        if (wait_for_reason(from, output, done)) stop();
    }};
}

StopOnInterrupt::~StopOnInterrupt() {
    done_write_ = File{};  // closing it is what the thread sees
    thread_.join();
}

}  // namespace stele::tool
