// A process that delivers, and is killed while it does.
#pragma once

#include <stele/test/catch.hpp>
#include <stele/test/faulty_disk.hpp>
#include <stele/test/process.hpp>
#include <stele/test/random.hpp>

#include <csignal>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace stele::test {

/// Starts listener_worker for the store at `path`, recording in `record`, and kills it: where it delivers on
/// threads, behind a random number of deliveries; where it goes step by step, before a random change of the disk.
/// `append` appends so many events, up to `most` while it goes step by step. False: it had come to its end first.
inline bool run_and_kill_worker(Random& random, const std::string& path, const std::string& record,
                                const std::vector<std::string>& more, std::size_t most,
                                const std::function<void(std::size_t)>& append) {
    const auto command = [&](const char* mode) {
        std::vector<std::string> words{LISTENER_WORKER, path, record, mode};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    constexpr int killed = 128 + SIGKILL;
    if (random.one_in(2)) {
        Process worker{command("threads")};
        for (auto lines = random.below(20); lines > 0; --lines) {
            append(1);
            REQUIRE(worker.read_line());
        }
        worker.kill();
        return worker.wait() == killed;
    }
    const auto nth = 1 + static_cast<int>(random.below(400));
    Process worker{command("step"), {{"STELE_TEST_DISK", kill_at({.op = changes, .nth = nth, .file = {}})}}};
    append(random.below(most));
    return worker.wait() == killed;
}

}  // namespace stele::test
