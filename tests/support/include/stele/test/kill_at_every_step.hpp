// kill_at_every_step(): a program killed before its first change of the disk, its second, and so on.
#pragma once

#include <stele/test/faulty_disk.hpp>
#include <stele/test/process.hpp>

#include <string>

namespace stele::test {

/// Runs a program that starts with disk_from_environment() and is killed before its n-th change of the disk, for
/// n = 1, 1 + step, 1 + 2 * step, … until one run gets through.
///
/// `before(n)` makes the state to start from and gives the command; `after(n, output, status)` checks what is there
/// then, with what the program printed and its exit status (128 + SIGKILL where it was killed).
/// Returns how many runs were killed.
template <class Before, class After>
int kill_at_every_step(Before&& before, After&& after, int step = 1) {
    int killed = 0;
    for (int nth = 1;; nth += step) {
        Process program{before(nth), {{"STELE_TEST_DISK", kill_at({.op = changes, .nth = nth, .file = {}})}}};
        program.close_input();
        const std::string output = program.read_all();
        const int status = program.wait();
        after(nth, output, status);
        if (status != 128 + SIGKILL) return killed;
        ++killed;
    }
}

}  // namespace stele::test
