// Interrupt: SIGINT and SIGTERM as a request to stop, for commands that have something to finish.
#pragma once

#include <csignal>

namespace stele::tool {

/// While one lives, the first SIGINT or SIGTERM does not end the process but is noted here; a second one ends it
/// as usual. The old handlers come back when the object goes.
///
/// One at a time. requested() and fd() may be used from any thread.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    [[nodiscard]] bool requested() const noexcept;
    /// Becomes readable when requested() does, for poll(). Never read from it.
    [[nodiscard]] int fd() const noexcept;

private:
    struct sigaction old_int_ {};
    struct sigaction old_term_ {};
};

/// While one lives, writing to a pipe whose reader has gone is an error and not a signal.
class IgnoreBrokenPipe {
public:
    IgnoreBrokenPipe();
    ~IgnoreBrokenPipe();
    IgnoreBrokenPipe(const IgnoreBrokenPipe&) = delete;
    IgnoreBrokenPipe& operator=(const IgnoreBrokenPipe&) = delete;

private:
    struct sigaction old_ {};
};

}  // namespace stele::tool
