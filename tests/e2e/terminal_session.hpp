// TerminalSession: a command on a terminal of its own, with someone at the keyboard.
#pragma once

#include "workplace.hpp"

#include <sys/ioctl.h>
#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

namespace stele::test {

/// Runs until it ends by itself, or is killed with the object.
class TerminalSession {
public:
    /// The stele command in `at`.
    TerminalSession(const Workplace& at, const std::vector<std::string>& arguments, unsigned short rows,
                    unsigned short columns);
    ~TerminalSession();
    TerminalSession(const TerminalSession&) = delete;
    TerminalSession& operator=(const TerminalSession&) = delete;

    /// Types it.
    void type(const std::string& keys) const;
    /// Waits until `text` has been printed since the last wait, or since the beginning. Fails the test where it has
    /// not after a minute. Colours are left out.
    void wait_for(const std::string& text);
    void resize(unsigned short rows, unsigned short columns) const;
    void signal(int number) const;
    /// Waits until it has stopped, as by SIGSTOP.
    void wait_until_stopped() const;
    /// Waits for its end: its exit status, or 128 and the number of the signal.
    [[nodiscard]] int wait();

    /// How the terminal is set.
    [[nodiscard]] termios settings() const;
    void set(const termios& settings) const;
    /// All that was printed so far.
    [[nodiscard]] const std::string& printed() const { return printed_; }

private:
    bool read_some(std::chrono::steady_clock::time_point deadline);

    int terminal_ = -1;
    int other_end_ = -1;  ///< kept open, so that the terminal stays when the command has gone
    pid_t pid_ = -1;
    std::string printed_;
    std::size_t waited_to_ = 0;
};

}  // namespace stele::test
